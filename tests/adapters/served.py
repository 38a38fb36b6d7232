"""A `lorekeeper serve` process in tests: what it has written, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.command import LOREKEEPER

SECONDS = 40.0  # of patience on a busy machine; whatever waits is woken as soon as it is there


@dataclass(kw_only=True)
class ServedProcess:
    """A serving process and the lines that it has written so far."""

    folder: Path
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: bool = False

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self.more:
                self.lines.append(line.decode())
                self.more.notify_all()
        async with self.more:
            self.closed = True
            self.more.notify_all()

    async def line(self, containing: str, *, after: int = 0) -> str:
        """Return the first line that holds a text, once it is written."""

        def found() -> str:
            return next((line for line in self.lines[after:] if containing in line), "")

        async with asyncio.timeout(SECONDS), self.more:
            await self.more.wait_for(lambda: self.closed or found())
        assert found(), f"{containing!r} is in no line of {self.lines}"
        return found()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return how the process ended."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    @property
    def log(self) -> str:
        """What the process wrote into its log files."""
        return "".join(one.read_text("utf-8") for one in self.folder.glob(".lorekeeper/logs/*"))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Read what it writes; at the end it is killed if it still runs."""
        reading = asyncio.create_task(self.read())
        try:
            yield
        finally:
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()
            await reading


async def start(folder: Path, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start `lorekeeper serve` in a folder."""
    return await asyncio.create_subprocess_exec(
        LOREKEEPER,
        "serve",
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
