"""Repairing a knowledge base that has lost rows, nodes or its database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import delete

from kb.database import transaction
from kb.documents import document_id
from kb.errors import StoreError
from kb.leases import Leases
from kb.repairing import mend_database, repair
from kb.tables import documents
from tests.kb.small_base import SmallBase, open_small, sample
from tests.kb.stored import disk_files, entries


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[SmallBase]:
    """Return a base of five documents, one of them hidden."""
    async with AsyncExitStack() as stack:
        opened = await open_small(stack, tmp_path)
        opened.files.update(sample())
        await opened.sync()
        del opened.files["4.md"]
        await opened.sync()
        yield opened


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def test_a_whole_base_needs_no_repair(base: SmallBase) -> None:
    """A knowledge base that is whole is left as it is, and the next sync reads nothing."""
    before, rows = await base.store.state_hash(), await base.manifest.known("s")
    report = await repair(base.store, base.manifest)
    assert report.whole
    assert (await base.store.state_hash(), await base.manifest.known("s")) == (before, rows)
    base.connector.fetched.clear()
    await base.sync()
    assert base.connector.fetched.total() == 0


async def test_lost_rows_are_made_from_the_nodes(base: SmallBase) -> None:
    """Rows that are gone come back from the store; the next sync reads the documents and embeds nothing."""
    async with transaction(base.manifest.engine) as connection:
        await connection.execute(delete(documents))
    before, embedded = await base.store.state_hash(), len(base.embedder.texts)
    report = await repair(base.store, base.manifest)
    assert [(one.documents, one.requeued, one.rebuilt) for one in report.sources] == [(5, 0, 5)]
    rows = await base.manifest.known("s")
    assert {row.uri: (row.version, row.nodes, bool(row.hidden)) for row in rows.values()} == {
        f"{number}.md": ("", 2, number == 4) for number in range(5)
    }
    done = await base.sync()
    assert (done.status, done.deleted, done.embedded_nodes) == ("ok", 0, 0)
    assert (await base.store.state_hash(), len(base.embedder.texts)) == (before, embedded)


async def test_lost_nodes_are_read_again(base: SmallBase) -> None:
    """Documents whose nodes are gone, or fewer than recorded, are read again by the next sync."""
    before = await base.store.state_hash()
    gone, short = document_id("s", "0.md"), document_id("s", "1.md")
    nodes = await base.store.nodes_of(short)
    await base.store.replace({gone: [], short: nodes[:1]})
    report = await repair(base.store, base.manifest)
    assert (report.whole, [(one.requeued, one.rebuilt) for one in report.sources]) == (False, [(2, 0)])
    await base.sync()
    assert await base.store.state_hash() == before


async def test_a_source_in_use_is_left_alone(base: SmallBase) -> None:
    """A source that is being synced is skipped, with the reason."""
    async with Leases(base.manifest.engine).hold("s"):
        [skipped] = (await repair(base.store, base.manifest)).sources
    assert "Another sync of 's' is running" in skipped.skipped


async def test_a_damaged_database_is_moved_aside(base: SmallBase) -> None:
    """A database that is no database any more is moved, never deleted, and the rows are made anew."""
    before = await base.store.state_hash()
    await base.manifest.engine.dispose()
    for path in disk_files(base.folder, "lorekeeper.db*"):
        write(path, b"no database" * 1_000)
    [line] = await mend_database("", base.folder)
    assert "could not be read and was moved to" in line
    await base.store.close()
    async with AsyncExitStack() as stack:
        again = await open_small(stack, base.folder)
        report = await repair(again.store, again.manifest, mended=[line])
        assert ([one.rebuilt for one in report.sources], report.mended) == ([5], (line,))
        again.files.update(base.files)
        assert (await again.sync()).embedded_nodes == 0
        assert await again.store.state_hash() == before
    assert any(name.startswith("damaged-database-") for name in entries(base.folder))
    assert report.as_json()["sources"][0]["rebuilt"] == 5


async def test_a_whole_database_stays(base: SmallBase) -> None:
    """A database that SQLite finds whole is not touched; one that is no file is named."""
    assert await mend_database("", base.folder) == []
    with pytest.raises(StoreError, match="cannot be made"):
        await mend_database("", base.folder / "lorekeeper.db" / "below")
