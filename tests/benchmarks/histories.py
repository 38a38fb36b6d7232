"""Compare incremental syncs with clean builds: `python -m tests.benchmarks.histories [--histories 1000]`.

A history is 20 random edits of a folder (add, change, copy, move, delete, bring back, a modification
time set back), with a sync after some. In the end the store must equal one built at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from kb.settings import FolderSource
from tests.kb import killed
from tests.kb.test_sync import edit, sample


async def history(work: Path, blank: Path, rng: random.Random) -> bool:
    """Live through one history; return whether it ended as a clean build."""
    folder = work / "source"
    folder.mkdir(parents=True)
    shutil.copytree(blank, work / "data")
    source = FolderSource(name="s", location=str(folder))
    files = sample()
    old: list[tuple[str, str]] = []
    for _ in range(20):
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


async def run(work: Path, histories: int, seed: int) -> None:
    """Live through histories and tell how many ended otherwise."""
    (work / "empty").mkdir()
    await killed.sync(work / "blank", FolderSource(name="s", location=str(work / "empty")))
    began, differences = time.monotonic(), 0
    for number in range(seed, seed + histories):
        place = work / str(number)
        if not await history(place, work / "blank", random.Random(number)):
            differences += 1
            print(f"history {number} ended otherwise")
        shutil.rmtree(place)
    print(f"{histories} histories in {time.monotonic() - began:.0f} s, {differences} differences")


def main() -> None:
    """Read the options and run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--histories", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        asyncio.run(run(Path(work), options.histories, options.seed))


if __name__ == "__main__":
    main()
