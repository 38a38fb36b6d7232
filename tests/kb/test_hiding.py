"""A document that has left its source is hidden, and removed when a second complete listing agrees."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from kb.database import open_database
from kb.documents import EVERYONE, HIDDEN_TAG, Audience, document_id
from kb.errors import DocumentUnreadable
from kb.leases import Leases
from kb.manifest import Manifest
from kb.sources import FolderSource
from tests.kb.bases import Base, clean_state, sample
from tests.kb.fakes import vector_of
from tests.kb.stored import matching, nearest

GONE = document_id("s", "3.md")


async def found(base: Base, audience: Audience = EVERYONE) -> set[str]:
    """Return the uris that either search finds."""
    hits = await matching(base.store, "First Second", limit=100, audience=audience)
    hits += await nearest(base.store, vector_of("Title 3\nSecond."), limit=100, audience=audience)
    return {hit.node.uri for hit in hits}


async def hide(base: Base) -> str:
    """Sync, delete a document, sync; return the document's text."""
    await base.sync()
    text = base.files.pop("3.md")
    assert (await base.sync()).deleted == 1
    return text


async def test_a_hidden_document_is_nowhere(base: Base) -> None:
    """No search, neighbour, count, state or status shows a hidden document, whatever tag is asked with."""
    await hide(base)
    for audience in (EVERYONE, Audience(frozenset({HIDDEN_TAG}))):
        assert await found(base, audience) == {"0.md", "1.md", "2.md", "4.md"}
    assert await base.store.around([(GONE, 0)]) == []
    assert await base.store.nodes_of(GONE) == []
    assert GONE not in await base.store.document_ids("s")
    counts = await base.store.counts()
    assert (counts.nodes, counts.documents) == (8, 4)
    state = (await base.manifest.states())["s"]
    assert (state.documents, state.nodes) == (4, 8)
    assert await base.store.state_hash() == await clean_state(base)


async def test_a_second_listing_removes_it(base: Base) -> None:
    """The next complete listing without a hidden document removes nodes and row, and counts nothing."""
    await hide(base)
    assert GONE in await base.store.document_ids("s", hidden=True)
    report = await base.sync()
    assert (report.status, report.deleted, report.unchanged) == ("ok", 0, 4)
    assert GONE not in await base.store.document_ids("s", hidden=True)
    assert GONE not in await base.manifest.known("s")


async def test_an_incomplete_listing_removes_nothing(base: Base) -> None:
    """While the source does not answer, what is hidden stays hidden."""
    await hide(base)
    base.connector.list_fails_after = 2
    await base.sync()
    assert GONE in await base.store.document_ids("s", hidden=True)


async def test_it_comes_back_without_a_fetch(base: Base) -> None:
    """A hidden document that is listed again as it was is shown again: no fetch, no parse, no embedding."""
    text = await hide(base)
    base.files["3.md"] = text
    base.connector.fetched.clear()
    base.parser.parsed.clear()
    report = await base.sync()
    assert (report.added, report.unchanged, report.embedded_nodes) == (1, 4, 0)
    assert (base.connector.fetched.total(), base.parser.parsed) == (0, [])
    assert "3.md" in await found(base)
    assert await base.store.state_hash() == await clean_state(base)
    assert (await base.sync()).unchanged == 5


async def test_it_comes_back_changed(base: Base) -> None:
    """A hidden document that is listed again with other text is read again and keeps equal vectors."""
    await hide(base)
    base.files["3.md"] = "# Title 3\n\nAnother first.\n\nSecond."
    report = await base.sync()
    assert (report.added, report.embedded_nodes, report.reused_nodes) == (1, 1, 1)
    assert await base.texts("3.md") == ["Another first.", "Second."]
    assert await base.store.state_hash() == await clean_state(base)


async def test_it_comes_back_with_another_token(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hidden document that is listed again with its old bytes under a new version is shown again."""
    base.files["3.md"] = await hide(base)
    version = base.connector.version
    monkeypatch.setattr(base.connector, "version", lambda uri: f"{version(uri)} again")
    assert (await base.sync()).embedded_nodes == 0
    assert "3.md" in await found(base)


async def test_it_comes_back_to_another_audience(base: Base) -> None:
    """A document that was hidden while the audience changed comes back to the new one."""
    base.files["3.md"] = await hide(base)
    base.source = FolderSource(name="s", location="/nowhere", audience=("staff",))
    await base.sync()
    assert await found(base) == set()
    assert "3.md" in await found(base, Audience(frozenset({"staff"})))


async def test_a_hidden_document_stays_hidden_from_a_new_audience(base: Base) -> None:
    """Another audience of the source shows nothing that is hidden."""
    await hide(base)
    base.source = FolderSource(name="s", location="/nowhere", audience=("staff",))
    base.connector.list_fails_after = 0
    await base.sync()
    assert "3.md" not in await found(base, Audience(frozenset({"staff", HIDDEN_TAG})))


async def test_back_and_unreadable_stays_hidden(base: Base) -> None:
    """A hidden document that is back and cannot be read is a failure; its old text is not shown."""
    await hide(base)
    base.files["3.md"] = "# Title 3\n\nNew."
    base.connector.bad["3.md"] = DocumentUnreadable("is locked")
    for _ in range(2):
        report = await base.sync()
        assert (report.failed, report.deleted) == (1, 0)
        assert "3.md" not in await found(base)
    base.connector.bad.clear()
    base.clock.ahead += 301
    assert (await base.sync()).added == 1
    assert await base.texts("3.md") == ["New."]


async def test_allowed_deletions_go_at_once(base: Base) -> None:
    """With `allow_deletes` nodes and rows go in the same run, those hidden before as well."""
    await hide(base)
    del base.files["4.md"]
    report = await base.sync(allow_deletes=True)
    assert (report.deleted, report.unchanged) == (1, 3)
    assert len(await base.store.document_ids("s", hidden=True)) == 3
    assert len(await base.manifest.known("s")) == 3


async def test_what_is_held_is_seen(base: Base) -> None:
    """Deletions that wait for a person are not hidden; the next run says so again."""
    base.files.update(sample(30))
    await base.sync()
    base.files.clear()
    for _ in range(2):
        report = await base.sync()
        assert (report.status, report.held, report.deleted) == ("held", 30, 0)
    assert len(await base.store.document_ids("s")) == 30


async def test_a_document_without_nodes_goes_at_once(base: Base) -> None:
    """There is nothing to hide of a document that never gave text."""
    base.files["blank.md"] = " "
    await base.sync()
    del base.files["blank.md"]
    assert (await base.sync()).deleted == 1
    assert document_id("s", "blank.md") not in await base.manifest.known("s")


async def test_nodes_without_rows_are_hidden_first(base: Base) -> None:
    """With the database lost, what the source lists no more is hidden, and known again when it is back."""
    await base.sync()
    text = base.files.pop("3.md")
    async with AsyncExitStack() as stack:
        engine = await open_database("", base.folder / "fresh")
        stack.push_async_callback(engine.dispose)
        base.manifest = Manifest(engine)
        assert (await base.sync()).deleted == 1
        assert (await base.manifest.known("s"))[GONE].uri == "3.md"
        base.files["3.md"] = text
        report = await base.sync()
        assert (report.added, report.unchanged, report.embedded_nodes) == (1, 4, 0)
        assert await base.store.state_hash() == await clean_state(base)


async def test_a_hidden_document_in_doubt_is_read_again(base: Base) -> None:
    """What changed in the store without a record, then was hidden, is not shown as it lies there."""
    await base.sync()
    text = base.files.pop("3.md")
    nodes = await base.store.nodes_of(GONE)
    async with Leases(base.manifest.engine).hold("s") as lease:
        await base.manifest.announce(lease, [GONE])
    await base.store.replace({GONE: nodes[1:]})
    assert (await base.sync()).deleted == 1
    base.files["3.md"] = text
    assert (await base.sync()).added == 1
    assert await base.texts("3.md") == ["First of 3.", "Second."]


async def test_a_hidden_document_keeps_its_vectors(base: Base) -> None:
    """Text that moves to another document a run later still needs no embedding."""
    text = await hide(base)
    base.files["moved.md"] = text
    report = await base.sync()
    assert (report.added, report.embedded_nodes, report.reused_nodes) == (1, 0, 2)
