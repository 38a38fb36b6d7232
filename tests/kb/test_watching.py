from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from kb.watching import changes

LOOK = 0.05


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    return made


async def next_change(watching: AsyncGenerator[set[str], None]) -> set[str]:
    async with asyncio.timeout(20):
        return await anext(watching)


async def started(watching: AsyncGenerator[set[str], None]) -> asyncio.Task[set[str]]:
    """Begin to watch, and return the change that is waited for once the kernel is told."""
    task = asyncio.create_task(next_change(watching))
    loop = asyncio.get_running_loop()
    # The watch is set up in the first steps of the task and by a thread that looks at the folders.
    for _ in range(3):
        await loop.run_in_executor(None, lambda: None)
        await asyncio.wait({task}, timeout=LOOK)
    return task


async def test_an_edit_is_told_at_once(folder: Path) -> None:
    """A new file, a change and a deletion are each told within seconds."""
    async with aclosing(changes({"docs": folder}, look_seconds=LOOK)) as watching:
        task = await started(watching)
        (folder / "a.md").write_text("one", "utf-8")
        assert await task == {"docs"}
        (folder / "a.md").write_text("two", "utf-8")
        assert await next_change(watching) == {"docs"}
        (folder / "a.md").unlink()
        assert await next_change(watching) == {"docs"}


async def test_edits_come_together(folder: Path) -> None:
    """Many edits at once are told once, with the names of their folders alone."""
    other, third = folder / "other", folder.parent / "third"
    other.mkdir()
    third.mkdir()
    names = {"docs": folder, "other": other, "third": third}
    async with aclosing(changes(names, look_seconds=LOOK)) as watching:
        task = await started(watching)
        for number in range(50):
            (other / f"{number}.md").write_text("text", "utf-8")
        assert await task == {"docs", "other"}
        (third / "last.md").write_text("text", "utf-8")
        assert await next_change(watching) == {"third"}


async def test_what_tools_write_is_no_edit(folder: Path) -> None:
    """Swap files, backups and hidden folders are not told; the folders of forges are."""
    for name in (".git", ".obsidian", "node_modules", ".github"):
        (folder / name).mkdir()
    async with aclosing(changes({"docs": folder}, look_seconds=LOOK)) as watching:
        task = await started(watching)
        for name in (".git/index", ".obsidian/workspace.json", "node_modules/a.md", ".a.md.swp", "a.md~"):
            (folder / name).write_text("text", "utf-8")
        done, _ = await asyncio.wait({task}, timeout=1.5)
        assert not done
        (folder / ".github" / "a.md").write_text("text", "utf-8")
        assert await task == {"docs"}


async def test_a_folder_may_come_and_go(folder: Path) -> None:
    """A folder that appears, vanishes and is replaced is told each time, and its edits after that."""
    absent = folder.parent / "later"
    async with aclosing(changes({"docs": folder, "later": absent}, look_seconds=LOOK)) as watching:
        task = await started(watching)
        absent.mkdir()
        assert await task == {"later"}
        (absent / "a.md").write_text("one", "utf-8")
        assert await next_change(watching) == {"later"}
        absent.rename(folder.parent / "moved")
        assert await next_change(watching) == {"later"}
        absent.mkdir()
        assert await next_change(watching) == {"later"}
        (absent / "b.md").write_text("two", "utf-8")
        assert await next_change(watching) == {"later"}
        (folder / "c.md").write_text("three", "utf-8")
        assert await next_change(watching) == {"docs"}


async def test_nothing_to_watch_waits(tmp_path: Path) -> None:
    """Where no folder is there yet, nothing is told and the first to come is noticed."""
    async with aclosing(changes({"docs": tmp_path / "docs"}, look_seconds=LOOK)) as watching:
        task = await started(watching)
        assert not task.done()
        (tmp_path / "docs").mkdir()
        assert await task == {"docs"}


async def test_watching_ends_when_cancelled(folder: Path) -> None:
    """A watch that is cancelled ends soon and leaves no thread behind that waits."""
    watching = changes({"docs": folder}, look_seconds=60)
    task = await started(watching)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task
        await watching.aclose()


async def test_links_are_watched_where_they_lead(folder: Path) -> None:
    """A source whose folder is a link is watched where the link leads."""
    link = folder.parent / "link"
    link.symlink_to(folder)
    async with aclosing(changes({"docs": link}, look_seconds=LOOK)) as watching:
        task = await started(watching)
        (folder / "a.md").write_text("one", "utf-8")
        assert await task == {"docs"}
