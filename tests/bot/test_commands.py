"""The commands about sources, over a real database; nothing here needs an index."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bot import rebuilding
from bot.commands import Commands
from bot.errors import CommandError
from kb.database import open_database
from kb.errors import KnowledgeBaseError, SourceInvalid, SourceUnknown
from kb.leases import Leases
from kb.manifest import Manifest
from kb.planning import Known
from kb.settings import FolderSource


async def no_index() -> NoReturn:
    raise AssertionError("this command needs no index")


@pytest.fixture
async def manifest(tmp_path: Path) -> AsyncIterator[Manifest]:
    engine = await open_database("", tmp_path / "data")
    yield Manifest(engine)
    await engine.dispose()


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("Fifteen days.")
    return folder


@pytest.fixture
def commands(manifest: Manifest, tmp_path: Path) -> Callable[..., Commands]:
    def make(*configured: FolderSource) -> Commands:
        return Commands(
            manifest=manifest, configured=configured, data=tmp_path / "data", synchroniser=no_index
        )

    return make


async def test_an_added_source_is_listed(commands: Callable[..., Commands], handbook: Path) -> None:
    """A source is named after its folder, kept, and says whether it has documents."""
    added = await commands().add(str(handbook), kind=None, options={"audience": ("staff",)})
    assert (added.source.name, added.has_documents) == ("handbook", True)
    (overview,) = await commands().overview()
    assert (overview.name, overview.origin, overview.next_run) == ("handbook", "added", None)
    assert overview.source == added.source


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
    rebuilding.begin(tmp_path)
    rebuilding.finish(tmp_path)
    assert not await rebuilding.recover(tmp_path, manifest)
    rebuilding.begin(tmp_path)
    assert await rebuilding.recover(tmp_path, manifest)
    assert await manifest.pending("s") == {"d1"}
    assert not await rebuilding.recover(tmp_path, manifest)
