"""P1, a document is old or new: syncs are killed at random, and what is lost is counted.

    python -m tests.soak kills

Half of the kills strike at a random arrival at a random step, half at a random moment. After each the
store is judged (every document old or new, nothing else), one sync is run, and its state is compared
with that of a clean build. A fifth of them is of a git source.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kb.sources import FolderSource, GitSource
from tests.kb import killed
from tests.soak.rows import Row

KILLS = 500
KILLED = -9
FAULTS = ("lost or mixed", "stranger", "other state")


async def measure(scale: float) -> list[Row]:
    """Kill syncs of a folder and of a git repository."""
    kills = max(10, round(KILLS * scale))
    rows = []
    for number, git in ((kills - kills // 5, False), (kills // 5, True)):
        with tempfile.TemporaryDirectory() as work:
            rows.append(await asyncio.to_thread(run, Path(work), number, random.Random(7), git=git))
    return rows


def run(work: Path, kills: int, rng: random.Random, *, git: bool) -> Row:
    """Make a synced base and kill its next sync again and again from there."""
    source, state, seconds = prepare(work, git=git)
    died = 0
    faults: Counter[str] = Counter()
    for _ in range(kills):
        data = work / "data"
        shutil.copytree(work / "synced", data)
        died += strike(rng, data, source, seconds) == KILLED
        faults += judge(data, source, state)
        shutil.rmtree(data)
    kind = "git" if git else "folder"
    return Row(
        promise="P1 A document is old or new, never half, never missing",
        done=f"{kills} kill -9 of a sync of {seconds:.1f} s ({kind}), {died} before its end",
        figure=", ".join(f"{faults[fault]} {fault}" for fault in FAULTS),
        reach="0",
        kept=not faults.total() and died > 0,
    )


def prepare(work: Path, *, git: bool) -> tuple[killed.Source, str, float]:
    """Return the source in its new state, the state of a clean build, and how long a sync takes."""
    folder = work / "source"
    source: killed.Source = FolderSource(name="s", location=str(folder))
    if git:
        source = GitSource(name="s", location=folder.as_uri(), branch="main")
    for files in (killed.first(), killed.before()):
        killed.put(source, files)
        asyncio.run(killed.sync(work / "synced", source))
    killed.put(source, killed.after())
    _, state = asyncio.run(killed.sync(work / "clean", source))
    shutil.copytree(work / "synced", work / "timed")
    killed.run_killed(work / "timed", source, fault="list")
    began = time.monotonic()
    killed.run_killed(work / "timed", source)
    return source, state, time.monotonic() - began


def strike(rng: random.Random, data: Path, source: killed.Source, seconds: float) -> int | None:
    """Kill one sync somewhere; return its exit code."""
    if rng.random() < 0.5:
        return killed.run_killed(data, source, after=rng.uniform(0, seconds))
    step = rng.choice(list(killed.STEPS))
    return killed.run_killed(data, source, fault=f"{step}:{rng.randint(1, killed.STEPS[step])}")


def judge(data: Path, source: killed.Source, state: str) -> Counter[str]:
    """Count what is wrong after a kill, and after the sync that follows."""
    wrong = asyncio.run(killed.misfits(data, "s", killed.before(), killed.after()))
    strangers = sum(one.startswith("stranger") for one in wrong)
    for one in wrong:
        sys.stderr.write(f"{one}\n")
    _, found = asyncio.run(killed.sync(data, source))
    return Counter(
        {"lost or mixed": len(wrong) - strangers, "stranger": strangers, "other state": int(found != state)}
    )
