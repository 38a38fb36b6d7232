"""Opening the database: settings, migrations, and messages that help."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kb.database import MIGRATIONS, VERSION_TABLE, close_database, open_database, reading, transaction
from kb.errors import StoreError, StoreFull, StoreNewer
from kb.tables import metadata, sources


async def _add_source(
    engine: AsyncEngine, definition: str, *, before: str = "SELECT 1", then: Exception | None = None
) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text(before))
        await connection.execute(insert(sources).values(name="a", definition=definition, added=0.0))
        if then is not None:
            raise then


async def test_sqlite_is_durable(tmp_path: Path) -> None:
    """SQLite runs in WAL mode, syncs every commit and checks foreign keys."""
    engine = await open_database("", tmp_path)
    async with reading(engine) as connection:
        pragmas = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    await engine.dispose()
    assert pragmas == ["wal", 2, 1, 30_000]


async def test_migrations_make_the_tables(tmp_path: Path) -> None:
    """A migrated database has exactly the tables that the code uses."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        return compare_metadata(context, metadata)

    engine = await open_database("", tmp_path)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


def test_revisions_are_named_after_their_files() -> None:
    """The last file of the migrations is Alembic's only head."""
    script = ScriptDirectory(str(MIGRATIONS))
    names = sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert script.get_heads() == [names[-1]]
    assert sorted(one.revision for one in script.walk_revisions()) == names


async def test_a_second_start_does_not_import_alembic(tmp_path: Path) -> None:
    """A database that is up to date opens without Alembic."""
    await (await open_database("", tmp_path)).dispose()
    code = (
        "import asyncio, sys, pathlib\n"
        "from kb.database import open_database\n"
        "async def main():\n"
        "    await (await open_database('', pathlib.Path(sys.argv[1]))).dispose()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(tmp_path)])
    assert done.returncode == 0


async def test_odd_folder_names_are_fine(tmp_path: Path) -> None:
    """A data folder may hold spaces, percent signs and question marks."""
    folder = tmp_path / "a b%20 ?x#y"
    await (await open_database("", folder)).dispose()
    assert (folder / "lorekeeper.db").is_file()


async def test_many_may_open_it_at_once(tmp_path: Path) -> None:
    """Eight openings of a new database at the same time migrate it once."""
    engines = await asyncio.gather(*(open_database("", tmp_path) for _ in range(8)))
    for engine in engines:
        await engine.dispose()
    assert len(engines) == 8


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database of a newer release is not touched and the message says what to do."""
    engine = await open_database("", tmp_path)
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE kb_version SET version_num = '9999_future'"))
    await engine.dispose()
    with pytest.raises(StoreNewer, match=r"newer release .*9999_future.*Upgrade lorekeeper"):
        await open_database("", tmp_path)


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """A file that is no database raises a StoreError that names it."""
    (tmp_path / "lorekeeper.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"lorekeeper\.db.*file is not a database"):
        await open_database("", tmp_path)


async def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A data folder below a file raises a StoreError that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"data folder .*file/data.* cannot be made"):
        await open_database("", tmp_path / "file" / "data")


@pytest.mark.parametrize("url", ["nonsense", "mysterydb://host/name"])
async def test_a_wrong_address_is_told(url: str, tmp_path: Path) -> None:
    """An address that is none, or of an unknown database, raises a StoreError."""
    with pytest.raises(StoreError, match=r"is not an address|is not installed"):
        await open_database(url, tmp_path)


async def test_a_password_is_never_shown(tmp_path: Path) -> None:
    """A server that does not answer is named without its password."""
    with pytest.raises(StoreError, match=r"me:\*\*\*@127.0.0.1.*does not answer") as caught:
        await open_database("postgresql://me:hunter2@127.0.0.1:1/db", tmp_path)
    assert "hunter2" not in str(caught.value)


async def test_a_failed_block_is_rolled_back(tmp_path: Path) -> None:
    """An exception inside a transaction leaves the database as it was."""
    engine = await open_database("", tmp_path)
    with pytest.raises(LookupError):
        await _add_source(engine, "{}", then=LookupError())
    async with reading(engine) as connection:
        count = (await connection.execute(text("SELECT count(*) FROM sources"))).scalar()
    await engine.dispose()
    assert count == 0


async def test_closing_waits_for_who_still_writes(tmp_path: Path) -> None:
    """A database is closed once what is being written is written; no connection stays open."""
    engine = await open_database("", tmp_path)
    writing, goes_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with transaction(engine) as connection:
            writing.set()
            await goes_on.wait()
            await connection.execute(text("UPDATE kb_version SET version_num = '9999_written'"))

    task = asyncio.create_task(write())
    await writing.wait()
    closing, pool = asyncio.create_task(close_database(engine)), engine.pool
    await asyncio.wait({closing}, timeout=0.05)
    assert not closing.done()
    goes_on.set()
    await asyncio.gather(task, closing)
    assert isinstance(pool, QueuePool)
    assert (pool.checkedin(), pool.checkedout()) == (0, 0)
    with pytest.raises(StoreNewer, match="9999_written"):
        await open_database("", tmp_path)


async def test_a_full_database_is_told(tmp_path: Path) -> None:
    """A database that cannot grow raises StoreFull."""
    engine = await open_database("", tmp_path)
    with pytest.raises(StoreFull, match="is full"):
        await _add_source(engine, "x" * 10**6, before="PRAGMA max_page_count = 1")
    await engine.dispose()
