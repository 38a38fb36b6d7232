"""How quick the bot is in a chat, from outside: `python -m tests.benchmarks.chat [--platform slack|discord]`.

`lorekeeper serve` and the platform's emulator run as processes of their own, on the documents of the demo.
The first sign is what the asker sees first (a status, a typing sign or a piece of the answer); an answer
counts when it is whole. Times are the emulator's own, from the event to what is visible.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import numpy as np

from adapters.resources import documents_folder

ROOT = Path(__file__).resolve().parents[2]
LOREKEEPER = Path(sys.executable).parent / "lorekeeper"
SUBJECTS = (
    "a power cut", "removing a source", "deleting a document", "a sync that fails", "the schedule",
    "personas", "citations", "follow-up questions", "feedback", "the settings file",
)  # fmt: skip
READY_SECONDS = 180.0  # a first sync on a busy host


@dataclass(slots=True)
class Seen:
    """What became of one question: seconds to the first sign and to the whole answer, and answers."""

    sign: float | None = None
    answer: float | None = None
    answers: int = 0


@dataclass(slots=True)
class Round:
    """Some questions put at once, and the latencies of all acknowledgements, where the platform has any."""

    seen: list[Seen]
    acks: list[float] = field(default_factory=list)
    retried: int = 0


class Platform(Protocol):
    """An emulator in a process of its own, and how questions are asked there."""

    name: str

    def settings(self) -> str:
        """Return the platform's section of the settings."""

    def environment(self) -> dict[str, str]:
        """Return the secrets."""

    async def connected(self) -> None:
        """Wait until the bot hears the platform."""

    async def ask(self, questions: Sequence[str], *, seconds: float) -> Round:
        """Put all questions at once, each by somebody else, and wait until all are answered."""


@asynccontextmanager
async def emulator(module: str) -> AsyncIterator[tuple[dict[str, Any], aiohttp.ClientSession]]:
    """Run an emulator; yield its state and a session."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        state = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield state, session
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(platform: Platform, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the bot on the demo's documents; they are synced when this yields."""
    source = f'[[sources]]\nname = "docs"\ntype = "folder"\nlocation = "{documents_folder()}"\n'
    (folder / "config.toml").write_text(platform.settings() + source + 'include = ["*.md"]\n', "utf-8")
    process = await asyncio.create_subprocess_exec(
        LOREKEEPER,
        "serve",
        cwd=folder,
        env={**os.environ, **platform.environment()},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not (await process.stderr.readline()).startswith(b"docs: "):
                assert process.returncode is None, "serve has ended"
        await platform.connected()
        yield process
    finally:
        process.terminate()
        await process.wait()


def questions(number: int, begin: int = 0) -> list[str]:
    """Return questions of which no two are alike."""
    return [
        f"What happens with {SUBJECTS[one % len(SUBJECTS)]} in case {one}?"
        for one in range(begin, begin + number)
    ]


def memory(process: asyncio.subprocess.Process) -> float:
    """Return the resident memory of a process in MB."""
    text = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


async def measure(platform: Platform, *, burst: int, rounds: int) -> dict[str, float]:
    """Ask one by one, ten at once and all at once; print and return the figures."""
    with tempfile.TemporaryDirectory() as work:
        async with serving(platform, Path(work)) as process:
            figures: dict[str, float] = {}
            await platform.ask(questions(5, 90_000), seconds=60)  # warms up
            alone = [(await platform.ask(questions(1, one), seconds=30)).seen[0] for one in range(rounds)]
            _add(figures, "1 at a time", alone)
            ten: list[Seen] = []
            for one in range(rounds // 5):
                ten += (await platform.ask(questions(10, 1_000 + 10 * one), seconds=60)).seen
            _add(figures, "10 at once", ten)
            began = time.monotonic()
            most = await platform.ask(questions(burst, 10_000), seconds=120)
            figures[f"burst of {burst}: seconds"] = time.monotonic() - began
            _add(figures, f"burst of {burst}", most.seen)
            figures[f"burst of {burst}: answered once"] = sum(one.answers == 1 for one in most.seen)
            figures[f"burst of {burst}: lost"] = sum(one.answers == 0 for one in most.seen)
            if most.acks:
                figures[f"burst of {burst}: ack p99.9 ms"] = 1000 * float(np.percentile(most.acks, 99.9))
                figures[f"burst of {burst}: retried"] = most.retried
            figures["memory MB"] = memory(process)
    for name, value in figures.items():
        print(f"{name:36} {value:9.1f}")
    return figures


def _add(figures: dict[str, float], name: str, seen: Sequence[Seen]) -> None:
    for kind in ("sign", "answer"):
        taken = [value for one in seen if (value := getattr(one, kind)) is not None]
        if taken:
            figures[f"{name}: {kind} p50 ms"] = 1000 * float(np.median(taken))
            figures[f"{name}: {kind} p95 ms"] = 1000 * float(np.percentile(taken, 95))


async def run(platform: str, *, burst: int, rounds: int) -> dict[str, float]:
    """Measure one platform."""
    async with AsyncExitStack() as stack:
        module = import_module(f"tests.benchmarks.chat_{platform}")
        return await measure(await stack.enter_async_context(module.platform()), burst=burst, rounds=rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--platform", choices=("slack", "discord"), default="slack")
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    asyncio.run(run(options.platform, burst=options.burst, rounds=options.rounds))


if __name__ == "__main__":
    main()
