"""The commands about sources, over a real database; nothing here needs an index."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bot import rebuilding
from bot.commands import Commands
from bot.errors import CommandError
from kb.connectors.registry import Connectors
from kb.database import close_database, open_database
from kb.errors import KnowledgeBaseError, SourceInvalid, SourceUnknown, SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest
from kb.planning import Known
from kb.schedules import Schedules
from kb.sources import FolderSource


async def no_index() -> NoReturn:
    raise AssertionError("this command needs no index")


@pytest.fixture
async def manifest(tmp_path: Path) -> AsyncIterator[Manifest]:
    engine = await open_database("", tmp_path / "data")
    yield Manifest(engine)
    await close_database(engine)


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("Fifteen days.")
    return folder


@pytest.fixture
def commands(manifest: Manifest, tmp_path: Path) -> Callable[..., Commands]:
    def make(*configured: FolderSource, clock: Callable[[], float] = time.time) -> Commands:
        return Commands(
            manifest=manifest,
            configured=configured,
            data=tmp_path / "data",
            connectors=Connectors(manifest.engine, tmp_path / "data"),
            schedules=Schedules(manifest.engine),
            synchroniser=no_index,
            clock=clock,
        )

    return make


async def test_an_added_source_is_listed(commands: Callable[..., Commands], handbook: Path) -> None:
    """A source is named after its folder, kept, and says whether it has documents."""
    added = await commands().add(str(handbook), kind=None, options={"audience": ("staff",)})
    assert (added.source.name, added.has_documents) == ("handbook", True)
    (overview,) = await commands().overview()
    assert (overview.name, overview.origin, overview.source) == ("handbook", "added", added.source)
    assert overview.next_run is not None
    assert overview.next_run <= time.time()
    assert [overview.running, overview.hung, overview.overdue, overview.attention] == [False] * 4


async def test_a_missing_folder_is_not_added(commands: Callable[..., Commands], tmp_path: Path) -> None:
    """What cannot be listed now is refused, and nothing is kept."""
    with pytest.raises(SourceInvalid, match="does not exist"):
        await commands().add(str(tmp_path / "gone"), kind=None, options={})
    assert await commands().sources() == []


async def test_a_name_is_taken_once(commands: Callable[..., Commands], handbook: Path) -> None:
    """Neither a kept name nor one of the settings file can be added again."""
    configured = FolderSource(name="handbook", location=str(handbook))
    with pytest.raises(CommandError, match="'handbook' already"):
        await commands(configured).add(str(handbook), kind=None, options={})
    await commands().add(str(handbook), kind=None, options={})
    with pytest.raises(KnowledgeBaseError, match="'handbook'"):
        await commands().add(str(handbook), kind=None, options={})


async def test_a_wrong_option_is_named(commands: Callable[..., Commands], handbook: Path) -> None:
    """An option that cannot be is refused with its name and value."""
    with pytest.raises((CommandError, KnowledgeBaseError), match="soon"):
        await commands().add(str(handbook), kind=None, options={"every": "soon"})


@pytest.mark.parametrize(
    ("settings", "key", "value"),
    [
        (["gitignore=false"], "gitignore", False),
        (["include=*.md, docs/**"], "include", ("*.md", "docs/**")),
        (['exclude=["a,b"]'], "exclude", ("a,b",)),
        (["every=0 3 * * *"], "every", "0 3 * * *"),
        (["audience=a", "audience=b"], "audience", ("b",)),
    ],
)
async def test_any_setting_can_be_given(
    commands: Callable[..., Commands], handbook: Path, settings: list[str], key: str, value: object
) -> None:
    """A setting of the type is written KEY=VALUE, a list with commas or as JSON; the last one counts."""
    added = await commands().add(str(handbook), kind=None, options={}, settings=settings)
    assert getattr(added.source, key) == value


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        ({}, ["gitignore"], r"^--set 'gitignore': write KEY=VALUE"),
        ({}, ["name=x"], r"^--set name: it has an option or argument of its own\.$"),
        ({}, ["gitignor=true"], r"^--set gitignor: .*Did you mean 'gitignore'\?$"),
        ({}, ["gitignore=perhaps"], r"^--set gitignore: 'perhaps': "),
        ({}, ["include=[oops"], r"^--set include: not JSON .* Write it as \["),
        (
            {"branch": "main"},
            [],
            r"^--branch: a source of the type folder has no such setting; git has it\.$",
        ),
        ({}, ["linked=true"], r"^--linked: a source of the type folder has no such setting; feed has it\.$"),
        ({}, ["every=0 0 30 2 *"], r"^--set every: .*never comes"),
    ],
)
async def test_a_wrong_setting_is_told_in_a_line(
    commands: Callable[..., Commands],
    handbook: Path,
    options: dict[str, object],
    settings: list[str],
    said: str,
) -> None:
    """What a source of the type cannot have is refused with its name and what could be meant."""
    with pytest.raises(CommandError, match=said):
        await commands().add(str(handbook), kind=None, options=options, settings=settings)
    assert await commands().sources() == []


async def test_a_paused_source_has_no_next_run(commands: Callable[..., Commands], handbook: Path) -> None:
    """Paused, a source is not due until it is resumed; a name that none has is refused."""
    await commands().add(str(handbook), kind=None, options={})
    await commands().pause("handbook")
    (overview,) = await commands().overview()
    assert (overview.next_run, overview.schedule and overview.schedule.paused) == (None, "paused")
    assert await commands().resume("handbook")
    assert not await commands().resume("handbook")
    (overview,) = await commands().overview()
    assert overview.next_run is not None
    with pytest.raises(SourceUnknown, match="Did you mean 'handbook'"):
        await commands().pause("handbok")


async def test_a_sync_that_does_not_get_on_is_hung(
    commands: Callable[..., Commands], manifest: Manifest, handbook: Path
) -> None:
    """Within two intervals a run without progress is flagged, and one whose process is gone is told."""
    source = (await commands().add(str(handbook), kind=None, options={"every": "10m"})).source
    async with Leases(manifest.engine).hold(source.name) as lease:
        run, _ = await manifest.start_run(lease)
        (overview,) = await commands().overview()
        assert (overview.running, overview.hung) == (True, False)
        (later,) = await commands(clock=lambda: run.started + 2 * 600 + 1).overview()
        assert (later.hung, later.overdue) == (True, True)
    (overview,) = await commands().overview()
    assert (overview.running, overview.hung) == (False, False)


async def test_failures_in_a_row_need_attention(
    commands: Callable[..., Commands], manifest: Manifest, handbook: Path
) -> None:
    """After so many failures a source needs attention, with the reason of the last."""
    source = (await commands().add(str(handbook), kind=None, options={})).source
    for number in range(5):
        (overview,) = await commands().overview()
        assert not overview.attention
        await Schedules(manifest.engine).ended(source, started=0.0, failed=True, error=f"failure {number}")
    (overview,) = await commands().overview()
    assert (overview.attention, overview.error) == (True, "failure 4")


async def test_a_source_that_nobody_syncs_is_overdue(
    commands: Callable[..., Commands], manifest: Manifest, handbook: Path
) -> None:
    """Two intervals after it was due a source is overdue, unless it is paused."""
    source = (await commands().add(str(handbook), kind=None, options={"every": "1h"})).source
    async with Leases(manifest.engine).hold(source.name) as lease:
        run, _ = await manifest.start_run(lease)
        await manifest.finish_run(run, "ok")
    await Schedules(manifest.engine, chance=lambda: 0.0).ended(source, started=run.started, failed=False)
    for hours, overdue in ((1, False), (2.9, False), (3.1, True)):
        (overview,) = await commands(clock=lambda hours=hours: run.started + 3600 * hours).overview()
        assert overview.overdue is overdue
    await commands().pause(source.name)
    (overview,) = await commands(clock=lambda: run.started + 4 * 3600).overview()
    assert not overview.overdue


async def test_the_history_is_newest_first(
    commands: Callable[..., Commands], manifest: Manifest, handbook: Path
) -> None:
    """The runs of all sources, or of the named ones, in the order of their starts, as many as asked."""
    for name in ("a", "b"):
        await commands().add(str(handbook), kind=None, options={"name": name})
    begun = []
    for name in ("a", "b", "a"):
        async with Leases(manifest.engine).hold(name) as lease:
            run, _ = await manifest.start_run(lease)
            await manifest.finish_run(run, "ok")
            begun.append(run.id)
    assert [run.id for run in await commands().history([], 10)] == begun[::-1]
    assert [run.id for run in await commands().history(["a"], 10)] == [begun[2], begun[0]]
    assert [run.id for run in await commands().history(["b", "a", "b"], 2)] == [begun[2], begun[1]]
    with pytest.raises(SourceUnknown):
        await commands().history(["c"], 10)


async def test_the_settings_file_wins(commands: Callable[..., Commands], handbook: Path) -> None:
    """A configured source hides a kept one of its name and is removed in the file alone."""
    await commands().add(str(handbook), kind=None, options={})
    configured = FolderSource(name="handbook", location="/elsewhere")
    assert await commands(configured).sources() == [configured]
    with pytest.raises(CommandError, match="settings file"):
        await commands(configured).remove("handbook")


async def test_an_unknown_name_gets_the_nearest(commands: Callable[..., Commands], handbook: Path) -> None:
    """A mistyped name is answered with the one that was probably meant."""
    await commands().add(str(handbook), kind=None, options={})
    for call in (commands().show("handbok"), commands().select(["handbok"]), commands().remove("handbok")):
        with pytest.raises(SourceUnknown, match="Did you mean 'handbook'"):
            await call


async def test_an_unfinished_rebuild_doubts_everything(manifest: Manifest, tmp_path: Path) -> None:
    """After a rebuild that did not end, every document is read again; after one that did, none is."""
    row = Known(document_id="d1", uri="a.md", version="1", nodes=1)
    async with Leases(manifest.engine).hold("s") as lease:
        await manifest.record(lease, [row])
    before = rebuilding.built(tmp_path)
    async with rebuilding.rebuilding(tmp_path, manifest):
        rebuilding.finish(tmp_path)
    assert not await rebuilding.recover(tmp_path, manifest)
    assert rebuilding.built(tmp_path) != before
    async with rebuilding.rebuilding(tmp_path, manifest):
        pass
    assert await rebuilding.recover(tmp_path, manifest)
    assert await manifest.pending("s") == {"d1"}
    assert not await rebuilding.recover(tmp_path, manifest)


async def test_nothing_else_syncs_during_a_rebuild(manifest: Manifest, tmp_path: Path) -> None:
    """While one process builds the index anew, other syncs and rebuilds are refused."""
    async with rebuilding.rebuilding(tmp_path, manifest):
        with pytest.raises(SyncRefused, match="built anew"):
            await rebuilding.recover(tmp_path, manifest)
        with pytest.raises(SyncRefused):
            async with rebuilding.rebuilding(tmp_path, manifest):
                pass
