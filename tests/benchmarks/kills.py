"""Kill syncs at random and count what is lost: `python -m tests.benchmarks.kills [--kills 500] [--git]`.

Half of the kills strike at a random arrival at a random step, half at a random moment. After each the
store is judged (every document old or new, nothing else), one sync is run, and its state is compared
with that of a clean build.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from kb.settings import FolderSource, GitSource
from tests.kb import killed

STEPS = {
    "list": 1,
    "plan": 1,
    "fetch": 16,
    "parse": 16,
    "split": 16,
    "embed": 4,
    "commit": 4,
    "flush": 4,
    "record": 4,
    "recorded": 4,
    "delete": 1,
    "deleted": 1,
    "forget": 1,
    "optimise": 1,
}


def main() -> None:
    """Run the kills and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--git", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        run(Path(work), options.kills, random.Random(options.seed), git=options.git)


def run(work: Path, kills: int, rng: random.Random, *, git: bool) -> None:
    """Make a synced base, kill its next sync again and again from there, and tell what was found."""
    source, state, seconds = prepare(work, git=git)
    died: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    began = time.monotonic()
    for _ in range(kills):
        data = work / "data"
        shutil.copytree(work / "synced", data)
        where, code = strike(rng, data, source, seconds)
        died[f"{where} ({'killed' if code == -9 else 'had ended'})"] += 1
        faults += judge(data, source, state)
        shutil.rmtree(data)
    print(f"{kills} kills in {time.monotonic() - began:.0f} s, a sync takes {seconds:.2f} s")
    for where, count in sorted(died.items()):
        print(f"  {where:24} {count:5}")
    for fault in ("lost or mixed", "stranger", "other state"):
        print(f"{fault:26} {faults[fault]:5}")


def prepare(work: Path, *, git: bool) -> tuple[killed.Source, str, float]:
    """Return the source in its new state, the state of a clean build, and how long a sync takes."""
    folder = work / "source"
    folder.mkdir()
    source: killed.Source = FolderSource(name="s", location=str(folder))
    if git:
        source = GitSource(name="s", location=folder.as_uri(), branch="main")
    put(folder, killed.before(), git=git)
    asyncio.run(killed.sync(work / "synced", source))
    put(folder, killed.after(), git=git)
    _, state = asyncio.run(killed.sync(work / "clean", source))
    shutil.copytree(work / "synced", work / "timed")
    killed.run_killed(work / "timed", source, fault="list")
    began = time.monotonic()
    killed.run_killed(work / "timed", source)
    return source, state, time.monotonic() - began


def put(folder: Path, files: killed.Files, *, git: bool) -> None:
    """Bring the source into a state."""
    killed.write_folder(folder, files)
    if git:
        killed.commit(folder)


def strike(rng: random.Random, data: Path, source: killed.Source, seconds: float) -> tuple[str, int | None]:
    """Kill one sync somewhere; return where and how it ended."""
    if rng.random() < 0.5:
        return "a moment", killed.run_killed(data, source, after=rng.uniform(0, seconds))
    step = rng.choice(list(STEPS))
    return step, killed.run_killed(data, source, fault=f"{step}:{rng.randint(1, STEPS[step])}")


def judge(data: Path, source: killed.Source, state: str) -> Counter[str]:
    """Count what is wrong after a kill, and after the sync that follows."""
    wrong = asyncio.run(killed.misfits(data, "s", killed.before(), killed.after()))
    strangers = sum(one.startswith("stranger") for one in wrong)
    for one in wrong:
        print(one)
    _, found = asyncio.run(killed.sync(data, source))
    return Counter(
        {"lost or mixed": len(wrong) - strangers, "stranger": strangers, "other state": int(found != state)}
    )


if __name__ == "__main__":
    main()
