"""P2, no cursor runs ahead of the data: each step of a sync is killed once for each kind of connector.

    python -m tests.soak boundaries

The base has documents to add, change, move, hide, remove and leave. After a kill every document is old or
new; one sync later the state is that of a clean build, and another one later nothing is left over.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kb.sources import FolderSource, GitSource
from tests.kb import killed
from tests.kb.hosted import FileHost
from tests.soak.rows import Row

_LEAST = 3


@dataclass(frozen=True)
class Scene:
    """A synced base whose source has changed since, and the state of a clean build of that."""

    name: str
    source: killed.Source
    data: Path
    state: str


async def measure(scale: float) -> list[Row]:
    """Kill a share of all steps of all connectors and judge what is left."""
    return await asyncio.to_thread(_measure, scale)


def _measure(scale: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        cases = [(name, step) for name in _sources(work) for step in killed.STEPS]
        number = min(len(cases), max(_LEAST, round(len(cases) * scale)))
        chosen = random.Random(2).sample(cases, number)
        scenes = {name: _scene(work, name) for name in dict.fromkeys(name for name, _ in chosen)}
        found: Counter[str] = Counter()
        for name, step in chosen:
            for fault in _strike(work / "struck", scenes[name], step):
                found[fault] += 1
                sys.stderr.write(f"{name}, killed at {step}: {fault}\n")
    kinds, steps = (len(set(parts)) for parts in zip(*chosen, strict=True))
    return [
        Row(
            promise="P2 No cursor runs ahead of the data",
            done=f"{number} kills: {steps} steps, {kinds} kinds of connectors",
            figure=", ".join(f"{count} {fault}" for fault, count in found.items()) or "0 faults",
            reach="all converge in one sync",
            kept=not found,
        )
    ]


def _sources(work: Path) -> dict[str, killed.Source]:
    sources: dict[str, killed.Source] = {
        "folder": FolderSource(name="s", location=str(work / "folder")),
        "git": GitSource(name="s", location=(work / "git").as_uri(), branch="main"),
    }
    for style in ("versions", "plain", "cursor"):
        sources[style] = FileHost(name="s", location=str(work / f"{style}.json"), style=style)
    return sources


def _scene(work: Path, name: str) -> Scene:
    source, data = _sources(work)[name], work / f"data-{name}"
    for files in (killed.first(), killed.before()):
        killed.put(source, files)
        asyncio.run(killed.sync(data, source))
    killed.put(source, killed.after())
    _, state = asyncio.run(killed.sync(work / f"clean-{name}", source))
    return Scene(name=name, source=source, data=data, state=state)


def _strike(data: Path, scene: Scene, step: str) -> list[str]:
    """Kill one sync at a step; return what is wrong then, after the next sync, and after one more."""
    shutil.copytree(scene.data, data)
    faults = []
    if killed.run_killed(data, scene.source, fault=killed.midway(step)) != -9:
        faults.append("step not reached")
    faults += [
        "lost or mixed" for _ in asyncio.run(killed.misfits(data, "s", killed.before(), killed.after()))
    ]
    report, state = asyncio.run(killed.sync(data, scene.source))
    if (report.status, state) != ("ok", scene.state):
        faults.append("not converged")
    _, state = asyncio.run(killed.sync(data, scene.source))
    if state != scene.state or asyncio.run(killed.hidden(data, "s")):
        faults.append("left over")
    shutil.rmtree(data)
    return faults
