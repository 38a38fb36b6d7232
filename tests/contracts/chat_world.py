"""What the conversation of the parity suite is held in: one surface of the bot with everything behind it.

A surface joins by a module `tests/contracts/<name>_chat_world.py` with a class `<Name>ChatWorld(ChatWorld)`.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.chatting import open_chat
from adapters.runtime import Runtime
from adapters.settings import load_settings
from bot.messages import Answer, Citation

SECONDS = 30.0  # of patience on a busy machine; whatever waits is woken as soon as it is there

Cited = tuple[int, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the ledger holds of one answer, without what differs from surface to surface by its nature."""

    question: str
    answered: bool
    text: str
    citations: tuple[Cited, ...]
    nearest: tuple[Cited, ...]
    confidence: float
    mode: str
    opinions: tuple[bool, ...]

    @classmethod
    def of(cls, answer: Answer, opinions: tuple[bool, ...]) -> Row:
        """Return an answer's row."""
        return cls(
            question=answer.question,
            answered=answer.answered,
            text=answer.text,
            citations=tuple(map(_cited, answer.citations)),
            nearest=tuple(map(_cited, answer.nearest)),
            confidence=round(answer.confidence, 3),
            mode=answer.mode,
            opinions=opinions,
        )


def _cited(citation: Citation) -> Cited:
    return citation.number, citation.source, citation.title, citation.heading, citation.quote


def words(text: str) -> str:
    """Return a text's words alone: marks, markup and citation numbers differ from surface to surface."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"\[\d+\]", " ", text))).casefold()


class ChatWorld(ABC):
    """One person who may change sources, and the bot, on one surface.

    Each method returns all that the person sees of what the bot says. What a surface has no form for is not
    among `can`: follow-up, private, feedback, save.
    """

    can: frozenset[str] = frozenset({"follow-up", "private", "feedback", "save"})

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    async def open(self, stack: AsyncExitStack) -> None:
        """Start it, with the sources of `config.toml` synced; what it opens is closed with `stack`."""

    @abstractmethod
    async def rows(self) -> list[Row]:
        """Return the ledger's rows, oldest first."""

    @abstractmethod
    async def ask(self, question: str) -> str:
        """Ask for all to see."""

    @abstractmethod
    async def add(self, location: Path, name: str) -> str:
        """Add a source."""

    @abstractmethod
    async def sync(self, name: str) -> str:
        """Sync it."""

    @abstractmethod
    async def remove(self, name: str) -> str:
        """Remove it, confirming what is asked."""

    async def follow_up(self, question: str) -> str:
        """Ask once more in the thread of the last answer."""
        raise NotImplementedError

    async def ask_privately(self, question: str) -> str:
        """Ask for oneself alone."""
        raise NotImplementedError

    async def share(self) -> str:
        """Share the last private answer; return what all see of it."""
        raise NotImplementedError

    async def rate(self) -> str:
        """Call the last answer good."""
        raise NotImplementedError

    async def save(self, text: str, title: str) -> str:
        """Let somebody say something, and save it as a document."""
        raise NotImplementedError


class ServedWorld(ChatWorld):
    """A chat platform, before the parts that `serve` puts together."""

    runtime: Runtime

    async def serve(self, stack: AsyncExitStack, settings: str, secrets: Mapping[str, str]) -> None:
        """Sync, and answer until `stack` is closed."""
        self.runtime = await stack.enter_async_context(serving(self.folder, settings, secrets))

    async def rows(self) -> list[Row]:
        """Return the ledger's rows, oldest first."""
        ledger = await self.runtime.ledger()
        found = []
        for entry in reversed(await ledger.recent(100)):
            answer = await ledger.answer(entry.id)
            assert answer is not None
            opinions = tuple(one.good for one in await ledger.ratings(entry.id))
            found.append(Row.of(answer, opinions))
        return found


@asynccontextmanager
async def serving(folder: Path, settings: str, secrets: Mapping[str, str]) -> AsyncIterator[Runtime]:
    """Run what `serve` runs, less its schedule, with further settings behind those of `config.toml`."""
    config = folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + settings, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in secrets.items():
            patch.setenv(name, value)
        async with Runtime(load_settings(config)) as runtime:
            commands = await runtime.commands()
            for source in await commands.sources():
                assert (await commands.sync(source)).status == "ok"
            chat, stop = await open_chat(runtime), asyncio.Event()
            assert chat is not None
            running = asyncio.create_task(chat.run(stop))
            try:
                yield runtime
            finally:
                stop.set()
                await running
