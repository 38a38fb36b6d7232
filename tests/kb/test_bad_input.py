"""Bad folders and files through a whole sync: real connector, parsing children, store and database."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.documents import EVERYONE
from kb.errors import StoreFull
from kb.manifest import Manifest
from kb.parsing.pool import Parser
from kb.reports import SyncReport
from kb.settings import SyncSettings
from kb.sources import FolderSource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder
from tests.kb.stored import matching

STRINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "strings" / "blns.jsonl"


class Base:
    """A folder and the knowledge base that is made of it."""

    def __init__(self, store: NodeStore, synchroniser: Synchroniser, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._synchroniser = synchroniser

    async def sync(self) -> SyncReport:
        return await self._synchroniser.run(FolderSource(name="s", location=str(self.folder)))

    async def finds(self, words: str) -> set[str]:
        return {hit.node.uri for hit in await matching(self.store, words, limit=20, audience=EVERYONE)}


async def open_base(stack: AsyncExitStack, data: Path, folder: Path) -> Base:
    engine = await open_database("", data)
    stack.push_async_callback(engine.dispose)
    store = await NodeStore.open(data / "store", model="hash-16", dimension=DIMENSION)
    stack.push_async_callback(store.close)
    parser = Parser(seconds=30, memory_mb=512)
    stack.push_async_callback(parser.close)
    settings = SyncSettings(batch_documents=8)
    return Base(
        store,
        Synchroniser(store, Manifest(engine), HashEmbedder(), parser, settings, Connectors(engine, data)),
        folder,
    )


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[Base]:
    folder = tmp_path / "source"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        yield await open_base(stack, tmp_path / "data", folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 6 MB; only root may."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S607 - found by the PATH like mount


async def test_a_full_disk_costs_nothing_that_was_stored(small_disk: Path, tmp_path: Path) -> None:
    """A sync onto a full disk ends with one line; with room again the next one finishes the work."""
    folder = tmp_path / "source"
    folder.mkdir()
    write_pages(folder, range(10))
    async with AsyncExitStack() as stack:
        base = await open_base(stack, small_disk, folder)
        assert (await base.sync()).added == 10
        fill(small_disk / "filler")
        write_pages(folder, range(10, 20))
        line = await failure(base)
        assert "full" in line
        assert "\n" not in line
        (small_disk / "filler").unlink()
        again = await base.sync()
        assert (again.status, again.added, again.unchanged) == ("ok", 10, 10)
        assert await base.finds("page3") == {"3.md"}
        assert await base.finds("page19") == {"19.md"}


async def failure(base: Base) -> str:
    """Return why a sync fails: it may not even get to record that it began."""
    try:
        report = await base.sync()
    except StoreFull as exc:
        return str(exc)
    assert report.status == "failed"
    return report.errors[-1].reason


def write_pages(folder: Path, numbers: range) -> None:
    for number in numbers:
        (folder / f"{number}.md").write_text(f"# {number}\n\npage{number} " + f"more of {number}. " * 2000)


def fill(file: Path) -> None:
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass


async def test_a_huge_text_file_is_listed_and_not_read(base: Base) -> None:
    """A text file of 200 MB is reported as too large; its neighbour is indexed."""
    with (base.folder / "huge.txt").open("wb") as file:
        file.truncate(200_000_000)
    (base.folder / "good.md").write_text("a neighbour")
    report = await base.sync()
    assert (report.added, report.failed) == (1, 1)
    assert report.errors[0].document == "huge.txt"
    assert "200" in report.errors[0].reason


async def test_odd_names_are_indexed(base: Base) -> None:
    """Quotes, line breaks, emoji and 255 bytes in a name are no obstacle, and deleting works by name too."""
    names = ["it's.md", 'say "x".md', "two\nlines.md", "\N{ROCKET}.md", "' OR 1=1 --.md", "é" * 126 + ".md"]
    for name in names:
        (base.folder / name).write_text(f"content word{len(name)}x{ord(name[0])}")
    assert (await base.sync()).added == len(names)
    for name in names:
        assert len(await base.finds(f"word{len(name)}x{ord(name[0])}")) == 1
    (base.folder / names[4]).unlink()
    assert (await base.sync()).deleted == 1
    assert (await base.store.counts()).documents == len(names) - 1


@pytest.mark.trust
@pytest.mark.skipif(not STRINGS.is_file(), reason="../shared/data/trust/strings is not beside this checkout")
async def test_every_naughty_string_as_text_and_as_name(base: Base) -> None:
    """Every string is accepted as a file's text and, where the file system takes it, as its name."""
    strings = [json.loads(line)["s"] for line in STRINGS.read_text("utf-8").splitlines()]
    for number, text in enumerate(strings):
        data = f"Text {number}: {text}".encode("utf-8", "surrogatepass")
        (base.folder / f"text-{number}.md").write_bytes(data)
        write_named(base.folder, text, number)
    report = await base.sync()
    assert report.added + report.failed == sum(1 for _ in base.folder.iterdir())
    assert {error.reason for error in report.errors} <= {
        "is named .md but holds binary data of an unknown kind"
    }
    assert report.failed <= 1  # a run of control characters is no text


def write_named(folder: Path, text: str, number: int) -> None:
    """Write a file of that name unless the file system refuses it."""
    with contextlib.suppress(OSError, ValueError):
        name = os.fsencode(f"{text}-{number}.md")
        with open(os.fsencode(folder) + b"/" + name, "xb") as file:  # noqa: PTH123 - a name of bytes
            file.write(b"named")


async def test_a_full_disk_is_named(small_disk: Path) -> None:
    """Opening a base where there is no room names the place and says what to do."""
    fill(small_disk / "filler")
    async with AsyncExitStack() as stack:
        with pytest.raises(StoreFull, match="is full"):
            await open_base(stack, small_disk / "data", small_disk)
