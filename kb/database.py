"""The SQL database: opened with safe settings, migrated, and its errors told in our words.

`transaction` and `reading` are the two ways to a connection. On SQLite a writing transaction takes the
write lock at its start, so that it waits for its turn instead of failing half way.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Table, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import await_only

from kb.errors import StoreError, StoreFull, StoreNewer

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

DATABASE_FILE = "lorekeeper.db"
MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "kb_version"

_BUSY_SECONDS = 30
_LOCKED_SECONDS = 0.02
_LEAVING_SECONDS = 5.0  # that whoever still uses a connection has to give it back when all are closed
_MIGRATION_LOCK = 0x6C6F7265  # any number, the same in every release: it names an advisory lock
_ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


async def open_database(url: str, data: Path) -> AsyncEngine:
    """Open the database at `url` and bring it to this release's version.

    An empty `url` means SQLite inside the folder `data`, which is made if need be. Raise `StoreNewer`
    when a newer release wrote it, `StoreError` when it cannot be opened.
    """
    engine = connect(url, data)
    try:
        await migrate(engine, MIGRATIONS, VERSION_TABLE)
    except OSError as exc:
        await engine.dispose()
        raise StoreError(
            f"The database {_shown(engine)!r} does not answer ({exc.strerror or type(exc).__name__}). "
            "Start it, or correct [database] url."
        ) from exc
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def close_database(engine: AsyncEngine) -> None:
    """Close all connections, once those in use were given back: one that is given back later stays open."""
    pool, returned = engine.pool, asyncio.Event()
    event.listen(engine.sync_engine, "checkin", lambda *_: returned.set())
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEAVING_SECONDS):
            while isinstance(pool, QueuePool) and pool.checkedout():
                returned.clear()
                await returned.wait()
    await engine.dispose()


def connect(url: str, data: Path) -> AsyncEngine:
    """Return the database at `url` as it is, without a look at it; see `open_database`."""
    return _engine(_address(url, data))


async def migrate(
    engine: AsyncEngine, scripts: Path, version_table: str, *, target: str | None = None
) -> None:
    """Run the Alembic migrations in `scripts` that the database has not seen, up to `target` or to all.

    Revisions are linear and named after their files in `scripts/versions`, which lets the usual case,
    nothing to do, pass without importing Alembic.
    """
    revisions = sorted(path.stem for path in (scripts / "versions").glob("[0-9]*.py"))
    async with reading(engine) as connection:
        current = await connection.run_sync(_revision, version_table)
    if current == (target or revisions[-1]):
        return
    if current is not None and current not in revisions:
        raise StoreNewer(
            f"The database {_shown(engine)!r} was written by a newer release ({version_table} is "
            f"{current!r}). Upgrade lorekeeper, or restore a backup of this release."
        )
    async with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        await connection.run_sync(_upgrade, scripts, version_table, target or "head")


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a writing transaction; it is kept when the block ends without an exception."""
    try:
        async with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as exc:
        raise _mapped(engine, exc) from exc


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a connection that sees one state of the database and writes nothing."""
    try:
        async with engine.execution_options(read_only=True).connect() as connection:
            yield connection
    except SQLAlchemyError as exc:
        raise _mapped(engine, exc) from exc


def inserting(engine: AsyncEngine, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that can say what happens ON CONFLICT, in the words of this database.

    Only this database's dialect is imported: the other takes as long as a whole query.
    """
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def run_migrations() -> None:
    """Run migrations inside Alembic's environment: the whole body of an `env.py`."""
    from alembic import context

    handed = context.config.attributes
    context.configure(connection=handed["connection"], version_table=handed["version_table"])
    with context.begin_transaction():
        context.run_migrations()


def _address(url: str, data: Path) -> URL:
    if not url:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreError(
                f"The data folder {str(data)!r} cannot be made: {exc.strerror}. Choose another with --data."
            ) from exc
        return URL.create("sqlite+aiosqlite", database=str(data / DATABASE_FILE))
    try:
        address = make_url(url)
    except ArgumentError as exc:
        raise StoreError(
            "[database] url is not an address. Leave it empty, or write one such as postgresql://user@host/name."
        ) from exc
    return address.set(drivername=_ASYNC_DRIVERS.get(address.drivername, address.drivername))


def _engine(address: URL) -> AsyncEngine:
    lite = address.get_backend_name() == "sqlite"
    try:
        engine = create_async_engine(address, connect_args={"timeout": _BUSY_SECONDS} if lite else {})
    except (ImportError, NoSuchModuleError) as exc:
        raise StoreError(
            f"The database driver {address.drivername!r} is not installed. "
            "Use SQLite, or install it: pip install 'lorekeeper[postgres]'."
        ) from exc
    if lite:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not start transactions by itself: it would do so late and without the write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    _keep_write_ahead_log(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _keep_write_ahead_log(cursor: DBAPICursor) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself while another process does so, too."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(_LOCKED_SECONDS))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _revision(connection: Connection, version_table: str) -> str | None:
    if not inspect(connection).has_table(version_table):
        return None
    row = connection.exec_driver_sql(f'SELECT version_num FROM "{version_table}"').first()  # noqa: S608 - our own constant
    return str(row[0]) if row else None


def _upgrade(connection: Connection, scripts: Path, version_table: str, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=version_table)
    command.upgrade(config, target)


def _shown(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _mapped(engine: AsyncEngine, exc: SQLAlchemyError) -> StoreError:
    cause = str(exc.orig) if isinstance(exc, DBAPIError) else type(exc).__name__
    first_line = cause.strip().splitlines()[0] if cause.strip() else type(exc).__name__
    if "full" in first_line and "disk" in first_line:
        return StoreFull(f"The disk of the database {_shown(engine)!r} is full. Free space and run it again.")
    return StoreError(
        f"The database {_shown(engine)!r} cannot be used: {first_line}. "
        "Check that it exists, can be written and is not damaged."
    )
