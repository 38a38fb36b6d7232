"""Syncs against the real store and database; the source, the parser and the embedder are stand-ins."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from kb.database import open_database
from kb.documents import EVERYONE, Audience, document_id
from kb.errors import DocumentUnreadable, EmbeddingError, LeaseLost, SourceUnknown, StoreFull, SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest
from kb.nodes import Embedding
from kb.reports import Progress, SyncReport
from kb.settings import SyncSettings
from kb.sources import FolderSource
from kb.sync import Synchroniser
from tests.kb.bases import Base, clean_state, sample
from tests.kb.fakes import ScriptedConnector, vector_of
from tests.kb.stored import matching

# What changes


async def test_a_first_sync_adds_everything(base: Base) -> None:
    """A first sync adds every document and embeds every distinct text once."""
    report = await base.sync()
    assert (report.status, report.added, report.embedded_nodes, report.reused_nodes) == ("ok", 5, 10, 0)
    assert await base.texts("0.md") == ["First of 0.", "Second."]


async def test_a_sync_without_change_does_nothing(base: Base) -> None:
    """A second sync fetches, parses and embeds nothing, and neither store nor rows change."""
    await base.sync()
    version, rows = await base.store.version(), await base.manifest.known("s")
    base.connector.fetched.clear()
    base.parser.parsed.clear()
    base.embedder.texts.clear()
    report = await base.sync()
    assert (report.status, report.unchanged, report.embedded_nodes) == ("ok", 5, 0)
    assert (base.connector.fetched.total(), base.parser.parsed, base.embedder.texts) == (0, [], [])
    assert (await base.store.version(), await base.manifest.known("s")) == (version, rows)


async def test_an_edit_embeds_what_is_new(base: Base) -> None:
    """Editing a paragraph embeds that paragraph alone; the others keep their vectors."""
    await base.sync()
    base.files["0.md"] = "# Title 0\n\nFirst of 0, edited.\n\nSecond."
    report = await base.sync()
    assert (report.updated, report.unchanged) == (1, 4)
    assert (report.embedded_nodes, report.reused_nodes) == (1, 1)
    assert await base.texts("0.md") == ["First of 0, edited.", "Second."]


async def test_the_same_bytes_change_the_row_alone(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A touched document is fetched but neither parsed nor stored, and is known by its new token."""
    await base.sync()
    before = await base.store.version()
    base.parser.parsed.clear()
    monkeypatch.setattr(base.connector, "version", lambda uri: f"touched {uri}")
    assert (await base.sync()).unchanged == 5
    assert (base.parser.parsed, await base.store.version()) == ([], before)
    base.connector.fetched.clear()
    await base.sync()
    assert base.connector.fetched.total() == 0


async def test_a_rename_embeds_nothing(base: Base) -> None:
    """A renamed document keeps its vectors, and the old name is gone."""
    await base.sync()
    base.files["sub/renamed.md"] = base.files.pop("0.md")
    report = await base.sync()
    assert (report.added, report.deleted, report.embedded_nodes, report.reused_nodes) == (1, 1, 0, 2)
    assert await base.texts("0.md") == []
    assert await base.texts("sub/renamed.md") == ["First of 0.", "Second."]


async def test_a_rename_without_title_embeds_nothing(base: Base) -> None:
    """A document without a title is shown by its file name, which is not part of what is embedded."""
    base.files["notes.txt"] = "Only text."
    await base.sync()
    base.files["minutes.txt"] = base.files.pop("notes.txt")
    assert (await base.sync()).embedded_nodes == 0
    (node,) = await base.store.nodes_of(document_id("s", "minutes.txt"))
    assert node.title == "minutes"


async def test_equal_texts_are_embedded_once(base: Base) -> None:
    """A text that occurs many times, in one document and in several, is embedded once."""
    base.files.clear()
    base.files.update({"a": "Same.\n\nSame.", "b": "Same."})
    report = await base.sync()
    assert (report.embedded_nodes, report.reused_nodes) == (1, 2)
    assert base.embedder.texts == ["Same."]
    assert await base.texts("a", "b") == ["Same.", "Same.", "Same."]


async def test_a_batch_reuses_what_the_one_before_is_committing(base: Base) -> None:
    """A text that was embedded and is being committed is not embedded again meanwhile."""
    base.settings = SyncSettings(batch_documents=1)
    base.files.clear()
    base.files.update(dict.fromkeys("abcdef", "Same."))
    assert (await base.sync()).embedded_nodes == 1


async def test_vectors_stay_with_their_texts(base: Base) -> None:
    """Each stored vector is that of the node's own title and text, reused ones too."""
    await base.sync()
    base.files["0.md"] = "# Title 0\n\nNew one.\n\nSecond."
    await base.sync()
    nodes = await base.store.nodes_of(document_id("s", "0.md"))
    for node in nodes:
        assert node.embedding is not None
        assert node.embedding.vector.tolist() == vector_of(f"Title 0\n{node.text}").tolist()


async def test_a_deleted_document_is_gone(base: Base) -> None:
    """A document that is not listed any more is in no search result."""
    await base.sync()
    del base.files["3.md"]
    report = await base.sync()
    assert (report.deleted, report.status) == (1, "ok")
    hits = await matching(base.store, "First of 3", limit=50, audience=EVERYONE)
    assert "3.md" not in {hit.node.uri for hit in hits}
    assert await base.texts("3.md") == []
    assert (await base.manifest.states())["s"].documents == 4


async def test_sources_keep_to_themselves(base: Base) -> None:
    """A sync neither deletes nor changes the documents of another source."""
    await base.sync()
    other = FolderSource(name="t", location="/elsewhere")
    connector = ScriptedConnector("t", {"0.md": "Other text."})
    base.connector, base.source, mine = connector, other, base.connector
    await base.sync()
    connector.files.clear()
    await base.sync()
    base.connector = mine
    assert len(await base.texts()) == 10


async def test_a_changed_audience_is_applied_without_the_source(base: Base) -> None:
    """A narrower audience holds at once, although the source does not answer, and embeds nothing."""
    await base.sync()
    base.source = FolderSource(name="s", location="/nowhere", audience=("staff",))
    base.connector.list_fails_after = 0
    base.embedder.texts.clear()
    assert (await base.sync()).status == "failed"
    assert await matching(base.store, "First", limit=9, audience=EVERYONE) == []
    staff = Audience(frozenset({"staff"}))
    assert len(await matching(base.store, "First", limit=9, audience=staff)) == 5
    assert base.embedder.texts == []


async def test_reembed_embeds_everything(base: Base) -> None:
    """With `reembed` every distinct text is embedded again although nothing changed."""
    await base.sync()
    base.embedder.texts.clear()
    report = await base.sync(reembed=True)
    assert (report.embedded_nodes, report.updated, len(base.embedder.texts)) == (10, 5, 10)


async def test_another_pipeline_parses_again_and_embeds_nothing(base: Base) -> None:
    """After a change of the parser every document is parsed; equal texts keep their vectors."""
    await base.sync()
    rows = await base.manifest.known("s")
    async with Leases(base.manifest.engine).hold("s") as lease:
        await base.manifest.record(lease, [replace(row, pipeline="0") for row in rows.values()])
    report = await base.sync()
    assert (report.updated, report.embedded_nodes, report.reused_nodes) == (5, 0, 10)
    assert (await base.sync()).unchanged == 5


# Failures


async def test_a_bad_document_does_not_stop_the_rest(base: Base) -> None:
    """Documents that cannot be fetched or parsed have a status and a reason; the others are stored."""
    base.connector.bad["1.md"] = DocumentUnreadable("is locked")
    base.parser.bad["2.md"] = DocumentUnreadable("has a password", status="encrypted")
    report = await base.sync()
    assert (report.status, report.added, report.failed) == ("partial", 3, 2)
    assert {(error.document, error.reason) for error in report.errors} == {
        ("1.md", "is locked"),
        ("2.md", "has a password"),
    }
    assert [failure.status for failure in await base.manifest.failures("s")] == ["unreadable", "encrypted"]


async def test_a_fault_of_ours_is_one_documents_failure(
    base: Base, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception fails one document, with a log entry, and not the sync."""
    base.connector.before_fetch = lambda uri: {"1.md": 1}[uri] / 0 if uri == "1.md" else None
    report = await base.sync()
    assert (report.added, report.failed) == (4, 1)
    assert report.errors[0].reason.startswith("cannot be read for an internal error (ZeroDivisionError)")
    assert "document cannot be prepared" in caplog.text


async def test_a_lasting_failure_is_reported_each_time_and_not_repeated(base: Base) -> None:
    """An encrypted document is named in every report but fetched again only when it changes."""
    base.parser.bad["2.md"] = DocumentUnreadable("has a password", status="encrypted")
    await base.sync()
    base.connector.fetched.clear()
    report = await base.sync()
    assert (report.status, report.failed, report.unchanged) == ("partial", 1, 4)
    assert report.errors[0].reason == "has a password"
    assert base.connector.fetched.total() == 0
    base.parser.bad.clear()
    base.files["2.md"] += " No password now."
    assert (await base.sync()).status == "ok"


async def test_a_passing_failure_keeps_the_old_text(base: Base) -> None:
    """A document that cannot be fetched now keeps its nodes, however often it fails."""
    await base.sync()
    base.files["0.md"] += " More."
    base.connector.bad["0.md"] = DocumentUnreadable("is locked")
    for _ in range(4):
        assert (await base.sync()).failed == 1
        assert await base.texts("0.md") == ["First of 0.", "Second."]
        base.clock.ahead += 86_400
    base.connector.bad.clear()
    assert (await base.sync()).status == "ok"
    assert await base.texts("0.md") == ["First of 0.", "Second. More."]


async def test_a_reverted_document_is_well_again(base: Base) -> None:
    """A document that failed and then has its old bytes again is fine without a parse."""
    await base.sync()
    old = base.files["0.md"]
    base.files["0.md"] += " More."
    base.parser.bad["0.md"] = DocumentUnreadable("took too long")
    await base.sync()
    base.files["0.md"] = old
    assert (await base.sync()).status == "ok"
    assert (await base.sync()).unchanged == 5


async def test_a_document_that_stays_unreadable_loses_its_old_text(base: Base) -> None:
    """After some attempts at the same bytes the old text is no longer given out, nor parsing tried soon."""
    await base.sync()
    base.files["0.md"] += " More."
    base.parser.bad["0.md"] = DocumentUnreadable("took too long")
    for _ in range(3):
        assert (await base.sync()).failed == 1
        base.clock.ahead += 86_400
    base.clock.ahead -= 86_400
    assert await base.texts("0.md") == []
    base.parser.parsed.clear()
    assert (await base.sync()).failed == 1
    assert base.parser.parsed == []


async def test_a_document_that_became_encrypted_loses_its_old_text(base: Base) -> None:
    """What a document no longer says is removed when it becomes unreadable for good."""
    await base.sync()
    base.files["0.md"] = "scrambled"
    base.parser.bad["0.md"] = DocumentUnreadable("has a password", status="encrypted")
    await base.sync()
    assert await base.texts("0.md") == []


async def test_a_document_that_vanishes_meanwhile_is_told(base: Base) -> None:
    """A document that is listed and gone when it is fetched fails; the next listing settles it."""
    base.connector.before_fetch = lambda uri: base.files.pop("1.md", None) and None
    report = await base.sync()
    assert (report.added, report.failed) == (4, 1)
    report = await base.sync()
    assert (report.deleted, report.failed, report.status) == (1, 0, "ok")


async def test_a_large_document_is_not_fetched_whole(base: Base) -> None:
    """A document above the limit is too large, with its size and what to do."""
    base.settings = SyncSettings(max_file_mb=0.001)
    base.files["0.md"] = "x" * 2000
    report = await base.sync()
    assert report.failed == 1
    assert report.errors[0].reason.startswith("is 0.0 MB; the limit is 0.001 MB. Split it")


async def test_an_empty_document_is_no_failure(base: Base) -> None:
    """A blank file is fine; a file without text is fine too, and named."""
    base.files["blank.md"] = " \n"
    base.files["title-only.md"] = "# Title"
    report = await base.sync()
    assert (report.status, report.added, report.failed) == ("ok", 7, 0)
    assert [(error.document, error.reason) for error in report.errors] == [
        ("title-only.md", "holds 0 characters of text.")
    ]
    assert (await base.sync()).unchanged == 7


async def test_a_picture_is_passed_over(base: Base) -> None:
    """A file of a kind that holds no text is named and is no failure, in later syncs too."""
    base.files["plan.gif"] = "GIF89a"
    base.parser.bad["plan.gif"] = DocumentUnreadable("is a GIF image", status="passed-over")
    for changed in (6, 0):
        report = await base.sync()
        assert (report.status, report.added, report.failed) == ("ok", changed, 0)
        assert [(error.document, error.passed_over) for error in report.errors] == [("plan.gif", True)]
    assert [row.status for row in await base.manifest.troubled("s")] == ["passed-over"]


# A broken source


async def test_a_listing_that_breaks_off_deletes_nothing(base: Base) -> None:
    """What was listed before the end is stored; nothing is deleted and the report names the source."""
    await base.sync()
    base.files["0.md"] += " More."
    base.connector.list_fails_after = 2
    report = await base.sync()
    assert (report.status, report.updated, report.unchanged, report.deleted) == ("failed", 1, 1, 0)
    assert report.errors[0].reason == "Source 's' does not answer. Try again later."
    assert len(await base.texts()) == 10


@pytest.mark.parametrize("after", [0, 5])
async def test_a_listing_that_breaks_at_its_ends_deletes_nothing(base: Base, after: int) -> None:
    """A source that fails at once, or after its last document, loses nothing."""
    await base.sync()
    base.connector.list_fails_after = after
    assert (await base.sync()).status == "failed"
    assert len(await base.store.document_ids("s")) == 5


async def test_a_source_that_stops_answering_keeps_what_it_gave(base: Base) -> None:
    """When fetching stops for all, what was fetched is stored and the next run brings the rest."""
    base.files.update(sample(100))
    base.connector.fetch_fails_after = 40
    report = await base.sync()
    assert report.status == "failed"
    assert report.added == 40
    assert base.connector.fetched.total() <= 48
    base.connector.fetch_fails_after = None
    report = await base.sync()
    assert (report.status, report.added, report.unchanged) == ("ok", 60, 40)


async def test_an_empty_listing_waits_for_a_person(base: Base) -> None:
    """A source that suddenly lists nothing keeps its documents until deletions are allowed."""
    base.files.update(sample(30))
    await base.sync()
    base.files.clear()
    report = await base.sync()
    assert (report.status, report.held, report.deleted) == ("held", 30, 0)
    assert len(await base.store.document_ids("s")) == 30
    report = await base.sync(allow_deletes=True)
    assert (report.status, report.held, report.deleted) == ("ok", 0, 30)
    assert await base.store.document_ids("s") == set()


async def test_a_moved_folder_needs_nobody(base: Base) -> None:
    """Renaming every document is no loss: nothing is held and nothing embedded."""
    base.files.update(sample(30))
    await base.sync()
    moved = {f"moved/{uri}": text for uri, text in base.files.items()}
    base.files.clear()
    base.files.update(moved)
    report = await base.sync()
    assert (report.status, report.added, report.deleted, report.embedded_nodes) == ("ok", 30, 30, 0)


async def test_a_model_that_fails_stops_the_run(base: Base) -> None:
    """Batches before the failure stay, the report says why, and the next run does the rest."""
    base.files.update(sample(60))
    base.settings = SyncSettings(batch_documents=20)

    def fail(texts: Sequence[str]) -> None:
        if len(base.embedder.texts) > 60:
            raise EmbeddingError("The model 'm' does not answer. Is it running?")

    base.embedder.fail = fail
    report = await base.sync()
    assert (report.status, report.added) == ("failed", 40)
    assert report.errors[0].reason == "The model 'm' does not answer. Is it running?"
    base.embedder.fail = lambda _texts: None
    report = await base.sync()
    assert (report.status, report.added, report.unchanged) == ("ok", 20, 40)
    assert await base.store.state_hash() == await clean_state(base)


async def test_a_full_disk_stops_the_run(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot grow fails the run with its reason; nothing is recorded as stored."""

    async def full(_documents: object) -> None:
        raise StoreFull("The disk is full.")

    monkeypatch.setattr(base.store, "replace", full)
    report = await base.sync()
    assert (report.status, report.added, report.errors[0].reason) == ("failed", 0, "The disk is full.")
    assert await base.manifest.known("s") == {}


# Interruptions


async def test_a_cancelled_run_is_resumed(base: Base) -> None:
    """Ctrl-C finishes the batch that is being committed; the next run knows it goes on from there."""
    base.files.update(sample(60))
    base.settings = SyncSettings(batch_documents=20)
    running: list[asyncio.Task[SyncReport]] = []

    def cancel(_texts: Sequence[str]) -> None:
        if len(base.embedder.texts) > 30:
            running[0].cancel()

    base.embedder.fail = cancel
    running.append(asyncio.create_task(base.sync()))
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    recorded = {row.document_id for row in (await base.manifest.known("s")).values()}
    assert recorded == await base.store.document_ids("s")
    assert len(recorded) == 20
    assert (await base.manifest.last_runs("s"))[0].status == "interrupted"
    base.embedder.fail = lambda _texts: None
    seen: list[Progress] = []
    report = await base.sync(progress=seen.append)
    assert (report.resumed, report.added, seen[0].resuming) == (True, 40, True)
    assert (await base.sync()).resumed is False


async def test_a_doubtful_document_is_read_again(base: Base) -> None:
    """A document that changed in the store without being recorded is parsed although nothing changed."""
    await base.sync()
    (node, other) = await base.store.nodes_of(document_id("s", "0.md"))
    async with Leases(base.manifest.engine).hold("s") as lease:
        await base.manifest.announce(lease, [node.document_id])
    await base.store.replace({node.document_id: [other]})
    report = await base.sync()
    assert (report.updated, report.unchanged) == (1, 4)
    assert await base.texts("0.md") == ["First of 0.", "Second."]
    assert await base.manifest.pending("s") == set()


async def test_a_store_that_lost_documents_is_filled_again(base: Base) -> None:
    """Documents that are recorded but not in the store are stored again."""
    await base.sync()
    await base.store.delete_documents([document_id("s", "0.md"), document_id("s", "1.md")])
    report = await base.sync()
    assert (report.updated, report.unchanged) == (2, 3)
    assert await base.store.state_hash() == await clean_state(base)


async def test_a_lost_manifest_is_rebuilt_without_embedding(base: Base) -> None:
    """With an empty database all vectors are reused and nodes of unknown documents are removed."""
    await base.sync()
    del base.files["4.md"]
    async with AsyncExitStack() as stack:
        engine = await open_database("", base.folder / "fresh")
        stack.push_async_callback(engine.dispose)
        base.manifest = Manifest(engine)
        report = await base.sync()
        assert (report.added, report.embedded_nodes, report.deleted) == (4, 0, 1)
        assert await base.store.state_hash() == await clean_state(base)


async def test_a_lost_manifest_and_an_empty_listing_delete_nothing(base: Base) -> None:
    """Nodes of unknown documents are guarded like any others."""
    base.files.update(sample(30))
    await base.sync()
    base.files.clear()
    async with AsyncExitStack() as stack:
        engine = await open_database("", base.folder / "fresh")
        stack.push_async_callback(engine.dispose)
        base.manifest = Manifest(engine)
        report = await base.sync()
    assert (report.status, report.held) == ("held", 30)
    assert len(await base.store.document_ids("s")) == 30


# One at a time


async def test_a_second_sync_is_refused(base: Base) -> None:
    """While a source is synced another sync of it is refused, and the first goes on."""
    refusals: list[SyncRefused] = []

    async def second() -> None:
        try:
            await base.sync()
        except SyncRefused as exc:
            refusals.append(exc)

    async with Leases(base.manifest.engine).hold("s"):
        await second()
    assert "Another sync of 's' is running" in str(refusals[0])
    assert (await base.sync()).added == 5


async def test_a_taken_over_run_writes_nothing_more(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose lease went to another stops before its next write."""
    base.files.update(sample(60))
    base.settings = SyncSettings(batch_documents=20)
    leases = Leases(base.manifest.engine, ttl=0.0)

    embed, stolen = base.embedder.embed_passages, asyncio.Event()

    async def steal_and_embed(texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        if len(base.embedder.texts) > 30 and not stolen.is_set():
            stolen.set()
            await leases.acquire("s")
        return await embed(texts, urgent=urgent)

    monkeypatch.setattr(base.embedder, "embed_passages", steal_and_embed)
    synchroniser = Synchroniser(
        base.store,
        base.manifest,
        base.embedder,
        base.parser,
        base.settings,
        base.connector,
        leases=Leases(base.manifest.engine, ttl=-1.0),
    )
    with pytest.raises(LeaseLost, match="taken over"):
        await synchroniser.run(base.source)
    assert len(await base.store.document_ids("s")) < 60


async def test_a_removed_source_is_gone(base: Base) -> None:
    """Removing a source removes its nodes and rows, and then its name is unknown."""
    await base.sync()
    await base.synchroniser().remove("s")
    assert await base.store.document_ids("s") == set()
    assert await base.manifest.known("s") == {}
    with pytest.raises(SourceUnknown):
        await base.synchroniser().remove("s")


# What is told


async def test_a_dry_run_writes_nothing(base: Base) -> None:
    """A dry run tells what would be done, without a fetch, a node, a row or a run."""
    await base.sync()
    base.files["new.md"] = "New."
    base.files["0.md"] += " More."
    del base.files["1.md"]
    base.connector.fetched.clear()
    version, runs = await base.store.version(), await base.manifest.last_runs("s")
    report = await base.sync(dry_run=True)
    assert (report.added, report.updated, report.unchanged, report.deleted) == (1, 1, 3, 1)
    assert base.connector.fetched.total() == 0
    assert (await base.store.version(), await base.manifest.last_runs("s")) == (version, runs)


async def test_the_report_is_the_contract(base: Base) -> None:
    """The JSON of a report has exactly the promised fields."""
    base.parser.bad["2.md"] = DocumentUnreadable("has a password", status="encrypted")
    found = (await base.sync()).as_json()
    assert found.pop("seconds") >= 0
    assert found == {
        "source": "s",
        "added": 4,
        "updated": 0,
        "unchanged": 0,
        "deleted": 0,
        "held": 0,
        "failed": 1,
        "embedded_nodes": 8,
        "reused_nodes": 0,
        "errors": [{"document": "2.md", "reason": "has a password"}],
        "status": "partial",
    }


async def test_progress_comes_in_order(base: Base) -> None:
    """A run shows its phases in order and ends with everything done."""
    seen: list[Progress] = []
    await base.sync(progress=seen.append)
    phases = list(dict.fromkeys(one.phase for one in seen))
    assert phases == ["listing", "indexing", "maintaining", "done"]
    assert (seen[-1].done, seen[-1].total, seen[-1].embedded_nodes) == (5, 5, 10)
    assert seen[-1].bytes == sum(len(text) for text in base.files.values())


async def test_a_run_is_recorded(base: Base) -> None:
    """The last run of a source can be read with its report; a failed one with its reason."""
    report = await base.sync()
    (run,) = await base.manifest.last_runs("s")
    assert (run.status, run.report) == ("ok", report.as_json())
    base.connector.list_fails_after = 0
    await base.sync()
    state = (await base.manifest.states())["s"]
    assert state.last_run is not None
    assert state.last_run.error == "Source 's' does not answer. Try again later."
    assert state.last_good == run.finished


# Histories


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("seed", range(2))
async def test_any_history_ends_as_a_clean_build(base: Base, seed: int, at_once: bool) -> None:
    """After random edits, with a sync now and then, the store equals one built at once."""
    rng = random.Random(seed)
    old: list[tuple[str, str]] = []
    for _ in range(20):
        edit(rng, base.files, old)
        if rng.random() < 0.4:
            await base.sync(allow_deletes=at_once)
    await base.sync(allow_deletes=at_once)
    assert await base.store.state_hash() == await clean_state(base)
    await base.sync()
    visible = await base.store.document_ids("s")
    assert await base.store.document_ids("s", hidden=True) == visible


def edit(rng: random.Random, files: dict[str, str], old: list[tuple[str, str]]) -> None:
    """Add, change, copy, move, delete or bring back a document."""
    uri = rng.choice(sorted(files)) if files else "seed.md"
    text = files.get(uri, "Seed.")
    other = f"{rng.choice(['', 'sub/', 'sub/deep/'])}{rng.randrange(8)}.md"
    match rng.randrange(7):
        case 0 | 1:
            old.append((uri, text))
            files[uri] = f"{text}\n\nParagraph {rng.randrange(5)}."
        case 2:
            files[other] = f"# T\n\nText {rng.randrange(5)}."
        case 3:
            files[other] = text
        case 4:
            files.pop(uri, None)
            files[other] = text
        case 5:
            old.append((uri, text))
            files.pop(uri, None)
        case 6 if old:
            uri, text = rng.choice(old)
            files[uri] = text
