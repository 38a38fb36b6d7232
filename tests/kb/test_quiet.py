"""A source that lists what it listed last time costs a comparison of digests; nothing goes unseen by it."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from kb.documents import document_id
from kb.errors import DocumentUnreadable
from kb.leases import Leases
from kb.manifest import Manifest
from kb.planning import Known
from kb.settings import SyncSettings
from kb.sources import FolderSource
from tests.kb.bases import Base, clean_state, sample
from tests.kb.fakes import ScriptedConnector


@pytest.fixture
def reads(base: Base, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often the rows of a source are read, whole or by document."""
    made: list[str] = []
    settled, rows = Manifest.settled, Manifest.rows

    async def counted(self: Manifest, *arguments: str) -> object:
        made.append("settled")
        return await settled(self, *arguments)  # type: ignore[arg-type]

    async def looked_up(self: Manifest, ids: Collection[str]) -> dict[str, Known]:
        made.extend(f"row {one}" for one in ids)
        return await rows(self, ids)

    monkeypatch.setattr(Manifest, "settled", counted)
    monkeypatch.setattr(Manifest, "rows", looked_up)
    return made


async def test_no_change_reads_no_rows(base: Base, reads: list[str]) -> None:
    """A listing as the last one ends the run before rows or nodes are read, and reports them all."""
    await base.sync()
    reads.clear()
    report = await base.sync()
    assert (report.status, report.unchanged, report.added) == ("ok", 5, 0)
    assert reads == []


async def test_few_changes_read_few_rows(
    base: Base, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of documents that are well only versions are read, and the store is not compared again."""

    async def unwanted(*_arguments: object, **_options: object) -> set[str]:
        raise AssertionError("the store was read whole")

    await base.sync()
    reads.clear()
    monkeypatch.setattr(base.store, "document_ids", unwanted)
    base.files["0.md"] += " More."
    assert (await base.sync()).updated == 1
    assert reads == ["settled", f"row {document_id('s', '0.md')}"]


async def test_failures_are_told_in_a_quiet_run(base: Base, reads: list[str]) -> None:
    """A run without change still names every document that cannot be read or has no text."""
    base.parser.bad["2.md"] = DocumentUnreadable("has a password", status="encrypted")
    base.files["title.md"] = "# Title"
    first = await base.sync()
    reads.clear()
    report = await base.sync()
    assert (report.status, report.unchanged, report.failed) == ("partial", 5, 1)
    assert set(report.errors) == set(first.errors)
    assert reads == []


async def test_a_due_failure_is_not_slept_over(base: Base) -> None:
    """When a failure's next attempt has come, the run is not quiet."""
    base.connector.bad["2.md"] = DocumentUnreadable("is locked")
    await base.sync()
    base.connector.bad.clear()
    base.clock.ahead += 299
    assert (await base.sync()).failed == 1
    base.clock.ahead += 2
    assert (await base.sync()).status == "ok"
    assert await base.texts("2.md") == ["First of 2.", "Second."]


async def test_a_change_that_is_taken_back_is_seen(base: Base) -> None:
    """A failed run changed documents; the old listing that comes again afterwards is not taken for done."""
    await base.sync()
    old = base.files["0.md"]
    base.files["0.md"] += " More."
    base.connector.list_fails_after = 2
    assert (await base.sync()).status == "failed"
    base.connector.list_fails_after = None
    base.files["0.md"] = old
    await base.sync()
    assert await base.texts("0.md") == ["First of 0.", "Second."]


async def test_a_document_that_changed_while_it_was_read_is_seen(base: Base) -> None:
    """A listing is no measure when a document had changed since: its old version may come back."""
    old = base.files["4.md"]

    def change(uri: str) -> None:
        if uri == "4.md":
            base.files[uri] = "# Title 4\n\nOther."

    base.connector.before_fetch = change
    await base.sync()
    base.connector.before_fetch = lambda _uri: None
    assert await base.texts("4.md") == ["Other."]
    base.files["4.md"] = old
    assert (await base.sync()).updated == 1
    assert await base.texts("4.md") == ["First of 4.", "Second."]


async def test_a_failing_source_keeps_its_listing(base: Base, reads: list[str]) -> None:
    """After runs that wrote nothing, because the source did not answer, the next is quiet again."""
    await base.sync()
    base.connector.list_fails_after = 0
    await base.sync()
    base.connector.list_fails_after = None
    reads.clear()
    assert (await base.sync()).unchanged == 5
    assert reads == []


async def test_lost_nodes_are_seen(base: Base) -> None:
    """A store that holds other nodes than recorded is compared document by document."""
    await base.sync()
    await base.store.delete_documents([document_id("s", "0.md")])
    report = await base.sync()
    assert (report.updated, report.unchanged) == (1, 4)
    assert await base.store.state_hash() == await clean_state(base)


async def test_a_store_that_was_set_back_is_seen(base: Base, reads: list[str]) -> None:
    """A store older than what runs recorded, of whatever source, is compared document by document."""
    await base.sync()
    other, base.source = base.source, FolderSource(name="t", location="/elsewhere")
    mine, base.connector = base.connector, ScriptedConnector("t", {"a.md": "Text."})
    await base.sync()
    version = await base.store.version()
    async with Leases(base.manifest.engine).hold("t") as lease:
        run, _ = await base.manifest.start_run(lease, store=base.store.name, version=version)
        await base.manifest.finish_run(run, "ok", version=version + 5)
    base.source, base.connector = other, mine
    reads.clear()
    assert (await base.sync()).unchanged == 5
    assert "settled" in reads
    reads.clear()
    assert (await base.sync()).unchanged == 5
    assert reads == []


async def test_other_circumstances_are_seen(base: Base, reads: list[str]) -> None:
    """Another limit for documents, or another audience, is a change though the listing is the same."""
    await base.sync()
    base.settings = SyncSettings(max_file_mb=1)
    reads.clear()
    await base.sync()
    assert "settled" in reads
    base.source = FolderSource(name="s", location="/nowhere", audience=("staff",))
    reads.clear()
    await base.sync()
    assert "settled" in reads


async def test_a_raised_limit_is_noticed(base: Base) -> None:
    """What was too large is fetched by the first run with a higher limit."""
    base.settings = SyncSettings(max_file_mb=0.001)
    base.files["0.md"] = "x" * 2000
    assert (await base.sync()).failed == 1
    base.connector.fetched.clear()
    assert (await base.sync()).failed == 1
    assert base.connector.fetched.total() == 0
    base.settings = SyncSettings(max_file_mb=1)
    assert (await base.sync()).status == "ok"


async def test_a_source_without_versions_is_read_each_time(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without version tokens every document is fetched, and those with equal bytes are unchanged."""
    monkeypatch.setattr(base.connector, "version", lambda _uri: "")
    await base.sync()
    base.connector.fetched.clear()
    assert (await base.sync()).unchanged == 5
    assert base.connector.fetched.total() == 5


async def test_a_document_listed_twice_is_one(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that repeats a document syncs as if it did not, and never quietly."""
    listing = base.connector.list_documents

    async def twice() -> object:
        for _ in range(2):
            async for ref in listing():
                yield ref

    monkeypatch.setattr(base.connector, "list_documents", twice)
    assert (await base.sync()).added == 5
    assert (await base.sync()).unchanged == 5


async def test_held_deletions_are_told_each_time(base: Base) -> None:
    """A run that holds deletions back is never the measure of a quiet one."""
    base.files.update(sample(30))
    await base.sync()
    gone = {uri: base.files.pop(uri) for uri in sorted(base.files)[:20]}
    for _ in range(2):
        assert (await base.sync()).held == 20
    base.files.update(gone)
    assert (await base.sync()).unchanged == 30
