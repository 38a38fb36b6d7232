"""The command line as a surface of the parity suite."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapters.runtime import Runtime
from adapters.settings import load_settings
from tests.adapters.command import Done, Shell
from tests.contracts.chat_world import ChatWorld, Row


class TerminalChatWorld(ChatWorld):
    """One person at a terminal: whatever is asked there is asked alone, and a thread has no form there."""

    can = frozenset()

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder)
        self._shell = Shell(folder=folder, capture=capture)

    async def open(self, stack: AsyncExitStack) -> None:
        """Sync."""
        await self._run("sync")

    async def ask(self, question: str) -> str:
        """Type the question."""
        return (await self._run("ask", question)).out

    async def add(self, location: Path, name: str) -> str:
        """Type the command; it does not sync by itself."""
        return (await self._run("sources", "add", str(location), "--name", name)).out

    async def sync(self, name: str) -> str:
        """Type the command."""
        return (await self._run("sync", name)).out

    async def remove(self, name: str) -> str:
        """Type the command."""
        return (await self._run("sources", "remove", name, "--yes")).out

    async def rows(self) -> list[Row]:
        """Return the ledger's rows, oldest first."""
        async with Runtime(load_settings(self.folder / "config.toml")) as runtime:
            ledger = await runtime.ledger()
            kept = [await ledger.answer(one.id) for one in reversed(await ledger.recent(100))]
        return [Row.of(answer, ()) for answer in kept if answer is not None]

    async def _run(self, *arguments: str) -> Done:
        done = await asyncio.to_thread(self._shell, *arguments)
        assert done.code == 0, done.err
        return done
