"""P5, incremental equals a clean build: random histories of a folder.

    python -m tests.soak histories

A history is 20 random edits (add, change, copy, move, delete, bring back, a modification time set back),
with a sync after some. In the end the store must equal one built at once.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

from kb.sources import FolderSource
from tests.kb import killed
from tests.kb.test_sync import edit, sample
from tests.soak.rows import Row

HISTORIES = 1000
EDITS = 20


async def history(work: Path, blank: Path, rng: random.Random) -> bool:
    """Live through one history; return whether it ended as a clean build."""
    folder = work / "source"
    folder.mkdir(parents=True)
    shutil.copytree(blank, work / "data")
    source = FolderSource(name="s", location=str(folder))
    files = sample()
    old: list[tuple[str, str]] = []
    for _ in range(EDITS):
        edit(rng, files, old)
        killed.write_folder(folder, files)
        if files and rng.random() < 0.2:
            os.utime(folder / rng.choice(sorted(files)), (1, 1))
        if rng.random() < 0.4:
            await killed.sync(work / "data", source)
    _, state = await killed.sync(work / "data", source)
    shutil.copytree(blank, work / "clean")
    _, clean = await killed.sync(work / "clean", source)
    return state == clean


async def measure(scale: float) -> list[Row]:
    """Live through histories and count those that ended otherwise."""
    histories = max(3, round(HISTORIES * scale))
    with tempfile.TemporaryDirectory() as place:
        differing = await run(Path(place), histories)
    return [
        Row(
            promise="P5 Incremental equals a clean build",
            done=f"{histories} histories of {EDITS} edits",
            figure=f"{len(differing)} ended otherwise {differing[:5] or ''}".rstrip(),
            reach="0",
            kept=not differing,
        )
    ]


async def run(work: Path, histories: int) -> list[int]:
    """Return the numbers of the histories that ended otherwise than a clean build."""
    (work / "empty").mkdir()
    await killed.sync(work / "blank", FolderSource(name="s", location=str(work / "empty")))
    differing = []
    for number in range(histories):
        place = work / str(number)
        if not await history(place, work / "blank", random.Random(number)):
            differing.append(number)
        shutil.rmtree(place)
    return differing
