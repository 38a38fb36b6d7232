"""Rolling a source back to before a run, and showing what a run changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kb.diffing import RunDiff, diff_run
from kb.documents import EVERYONE, HIDDEN_TAG, Audience, document_id
from kb.errors import StoreError, SyncRefused
from kb.leases import Leases
from kb.lookback import find_run
from kb.manifest import Run
from kb.rollback import Rollback
from kb.schedules import Schedules
from tests.kb.small_base import SmallBase, open_small, sample
from tests.kb.stored import texts


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[SmallBase]:
    """Return a base that was synced once, and had one edited, one new and one deleted document since."""
    async with AsyncExitStack() as stack:
        opened = await open_small(stack, tmp_path)
        opened.files.update(sample())
        await opened.sync()
        yield opened


def change(base: SmallBase) -> None:
    base.files["0.md"] = "# Title 0\n\nEdited first of 0.\n\nSecond."
    base.files["new.md"] = "# New\n\nA new passage."
    del base.files["1.md"]


async def roll_back(base: SmallBase, run: Run) -> dict[str, int]:
    report = await Rollback(base.store, base.manifest).run(run, tags=base.tags)
    return {name: report.as_json()[name] for name in ("added", "updated", "deleted", "embedded_nodes")}


async def test_a_rollback_puts_the_source_back(base: SmallBase) -> None:
    """After a rollback the store is exactly as before the run, and nothing was embedded."""
    before = await base.store.state_hash()
    embedded = len(base.embedder.texts)
    change(base)
    await base.sync(allow_deletes=True)
    assert await base.store.state_hash() != before
    embedded = len(base.embedder.texts)
    done = await roll_back(base, await base.last_run())
    assert done == {"added": 1, "updated": 1, "deleted": 1, "embedded_nodes": 0}
    assert await base.store.state_hash() == before
    assert len(base.embedder.texts) == embedded
    assert await texts(base.store, "edited") == []
    record = await base.last_run()
    assert (record.kind, record.status) == ("rollback", "ok")
    [kept] = [node.embedding for node in (await base.store.nodes_of(document_id("s", "0.md")))[:1]]
    assert kept is not None
    assert len(kept.vector) == 16


async def test_what_comes_out_of_hiding_is_brought_back(base: SmallBase) -> None:
    """A document that the run only hid counts as added when it is shown again."""
    before = await base.store.state_hash()
    change(base)
    await base.sync()
    done = await roll_back(base, await base.last_run())
    assert done == {"added": 1, "updated": 1, "deleted": 1, "embedded_nodes": 0}
    assert await base.store.state_hash() == before


async def test_a_rollback_holds_the_source_until_it_is_released(base: SmallBase) -> None:
    """A source that was rolled back is not synced; once released, a sync makes it current again."""
    change(base)
    await base.sync(allow_deletes=True)
    current = await base.store.state_hash()
    run = await base.last_run()
    await roll_back(base, run)
    with pytest.raises(SyncRefused, match=rf"held at run {run.id[:8]} since a rollback\. Release it:"):
        await base.sync()
    schedules = Schedules(base.manifest.engine)
    assert (await schedules.all())["s"].held_at == run.id
    await schedules.resume("s")
    report = await base.sync(allow_deletes=True)
    assert (report.added, report.updated, report.deleted, report.status) == (1, 1, 1, "ok")
    assert await base.store.state_hash() == current


async def test_a_release_finds_the_change_of_a_listing_that_was_seen(base: SmallBase) -> None:
    """The first sync after a release reads what was put back, though its listing is the last one's."""
    base.files["0.md"] = "# Title 0\n\nEdited first of 0."
    await base.sync()
    await base.sync()
    runs = await base.manifest.last_runs("s", 2)
    await roll_back(base, runs[1])
    assert await base.texts("0.md") == ["First of 0.", "Second."]
    await Schedules(base.manifest.engine).resume("s")
    assert (await base.sync()).updated == 1
    assert await base.texts("0.md") == ["Edited first of 0."]


async def test_a_hidden_document_comes_back(base: SmallBase) -> None:
    """A document that the run hid is found again, and one that was hidden before stays hidden."""
    del base.files["2.md"]
    await base.sync()
    del base.files["3.md"]
    await base.sync()
    await roll_back(base, await base.last_run())
    assert await base.texts("3.md") == ["First of 3.", "Second."]
    for uri, hidden in (("2.md", True), ("3.md", False)):
        [nodes] = (await base.store.stored([document_id("s", uri)])).values()
        assert {HIDDEN_TAG in node.audience for node in nodes} == {hidden}
        row = (await base.manifest.known("s"))[document_id("s", uri)]
        assert bool(row.hidden) is hidden


async def test_a_rollback_widens_no_audience(base: SmallBase) -> None:
    """Passages that come back are seen by those who may see the source today, not by those of then."""
    base.source = base.source.model_copy(update={"audience": ("staff",)})
    change(base)
    await base.sync(allow_deletes=True)
    await roll_back(base, await base.last_run())
    assert await base.texts("0.md") == ["First of 0.", "Second."]
    assert await texts(base.store, "first", EVERYONE) == []
    assert len(await texts(base.store, "first", Audience(frozenset({"staff"})))) == 5


async def test_another_sources_documents_stay(base: SmallBase) -> None:
    """A rollback changes nothing of the other sources that wrote meanwhile."""
    change(base)
    await base.sync(allow_deletes=True)
    run = await base.last_run()
    nodes = await base.store.nodes_of(document_id("s", "2.md"))
    other = [replace(node, source="t", document_id="t" * 32, id=f"t{node.position}") for node in nodes]
    await base.store.replace({"t" * 32: other})
    await roll_back(base, run)
    assert len(await base.store.nodes_of("t" * 32)) == 2


async def test_a_rollback_waits_for_nobody(base: SmallBase) -> None:
    """While a sync holds the source, a rollback is refused and changes nothing."""
    run = await base.last_run()
    async with Leases(base.manifest.engine).hold("s"):
        with pytest.raises(SyncRefused, match="Another sync of 's' is running"):
            await roll_back(base, run)
    assert len(await base.manifest.last_runs("s")) == 1


async def test_versions_that_are_gone_are_one_clear_line(base: SmallBase) -> None:
    """A run whose versions were cleaned up can neither be rolled back nor compared."""
    run = await base.last_run()
    change(base)
    await base.sync()
    await base.store.maintain(force=True, keep=timedelta(0))
    await base.store.maintain(force=True, keep=timedelta(0))
    for attempt in (roll_back(base, run), diff_run(base.store, run)):
        with pytest.raises(StoreError, match=r"is kept no longer\. Only recent runs can be looked back at"):
            await attempt
    assert await Schedules(base.manifest.engine).all() == {}


async def test_a_run_of_another_index_is_refused(base: SmallBase) -> None:
    """A run that wrote to an index that is gone, or never ended, is refused with the reason."""
    run = await base.last_run()
    with pytest.raises(SyncRefused, match="no longer there"):
        await roll_back(base, replace(run, store="nodes-0009"))
    with pytest.raises(SyncRefused, match="broken off"):
        await diff_run(base.store, replace(run, version_after=None))


async def test_a_run_is_found_by_its_first_letters(base: SmallBase) -> None:
    """Some letters of a run's id name it, unless they name several or none."""
    run = await base.last_run()
    await base.sync()
    assert (await find_run(base.manifest, run.id[:6])).id == run.id
    with pytest.raises(SyncRefused, match=r"There is no run 'zz'\. See: lorekeeper sync --history"):
        await find_run(base.manifest, "zz")
    with pytest.raises(SyncRefused, match="There is no run ''"):
        await find_run(base.manifest, "")


async def test_a_diff_names_documents_and_passages(base: SmallBase) -> None:
    """The diff of a run names what was added, removed and changed, down to the passages."""
    change(base)
    await base.sync()
    diff = await diff_run(base.store, await base.last_run())
    assert (diff.added, diff.removed, diff.changed) == (("new.md",), ("1.md",), ("0.md",))
    assert [(one.document, one.change, one.text) for one in diff.passages] == [
        ("0.md", "removed", "First of 0."),
        ("0.md", "added", "Edited first of 0."),
        ("1.md", "removed", "First of 1."),
        ("1.md", "removed", "Second."),
        ("new.md", "added", "A new passage."),
    ]
    assert diff.as_json()["changed"] == ["0.md"]


async def test_a_run_without_change_has_an_empty_diff(base: SmallBase) -> None:
    """A sync that changed nothing has nothing to show."""
    await base.sync()
    assert await diff_run(base.store, await base.last_run()) == RunDiff()


async def test_a_rollback_can_be_shown_and_undone(base: SmallBase) -> None:
    """A rollback is a run too: its diff is the opposite, and rolling it back brings the change again."""
    change(base)
    await base.sync(allow_deletes=True)
    changed = await base.store.state_hash()
    await roll_back(base, await base.last_run())
    record = await base.last_run()
    diff = await diff_run(base.store, record)
    assert (diff.added, diff.removed, diff.changed) == (("1.md",), ("new.md",), ("0.md",))
    await roll_back(base, record)
    assert await base.store.state_hash() == changed
