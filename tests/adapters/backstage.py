"""What stands behind a chat app in tests: the real desk, inbox and notes of replies over one database.

Only the assistant is chosen by the test, and the clock is the emulator's. A bot that is opened again over the
same folder is its own successor; two that are open at once are replicas.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.aftercare import Aftercare
from bot.channels import ChannelRules
from bot.chat import Incoming
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.desk import Desk
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.replies import Replies
from kb.database import close_database, open_database
from tests.bot.desks import ScriptedAssistant, until_done

Assistants = Callable[[Ledger], Any]
SECONDS = 40.0  # of patience on a busy machine; whatever waits is woken as soon as it is there


class App(Protocol):
    """A chat app, which is connected while `run` runs."""

    async def run(self, ended: asyncio.Event, /) -> None: ...


@dataclass(kw_only=True)
class Backstage:
    """The parts behind an app. `heard` are the keys of what the desk took in or knew already, in order."""

    engine: AsyncEngine
    rules: ChannelRules
    assistant: Any
    inbox: Inbox
    desk: Desk
    aftercare: Aftercare
    heard: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, app: App) -> None:
        """Begin to serve."""
        self.tasks = [
            asyncio.create_task(self.desk.run(self.stop, drain_seconds=5)),
            asyncio.create_task(app.run(self.ended)),
        ]

    async def settled(self) -> None:
        """Wait until nothing is left in the inbox."""
        await until_done(self.inbox, seconds=SECONDS)

    async def close(self) -> None:
        """End in order, as `serve` does: first the desk, then what it speaks through."""
        self.stop.set()
        await asyncio.wait(self.tasks[:1])
        self.ended.set()
        await asyncio.wait(self.tasks)
        await self._let_go()

    async def crash(self) -> None:
        """End without giving anything back: what was claimed stays claimed until its lease is over."""
        turns = [turn.task for turn in self.desk._running.values() if turn.task is not None]
        for task in turns:
            task.cancel()
        if turns:
            await asyncio.wait(turns)
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)
        await self._let_go()

    async def _let_go(self) -> None:
        tasks, self.tasks = self.tasks, []
        await close_database(self.engine)
        for task in tasks:
            if not task.cancelled():
                task.result()


@asynccontextmanager
async def backstage(
    folder: Path,
    platforms: dict[str, PlatformSettings],
    *,
    clock: Callable[[], float],
    answers: Assistants = ScriptedAssistant,
    channels: Sequence[ChannelSettings] = (),
    concurrent: int = 8,
    beat: Callable[[], None] = lambda: None,
) -> AsyncIterator[Backstage]:
    """Set up what stands behind an app; `beat` is called whenever the desk has heard something."""
    engine = await open_database("", folder)
    ledger, inbox = await Ledger.open(engine), await Inbox.open(engine, clock=clock)
    replies = await Replies.open(engine, clock=clock)
    rules = ChannelRules(channels, platforms)
    assistant, unused = answers(ledger), cast("Any", None)
    desk = Desk(
        assistant=assistant,
        inbox=inbox,
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=unused,
        curated=unused,
        concurrent=concurrent,
        clock=clock,
    )
    aftercare = Aftercare(assistant=assistant, ledger=ledger, replies=replies, rules=rules, nodes=unused)
    behind = Backstage(
        engine=engine, rules=rules, assistant=assistant, inbox=inbox, desk=desk, aftercare=aftercare
    )
    _listen(behind, beat)
    try:
        yield behind
    finally:
        if behind.tasks:
            await behind.close()
        else:
            await close_database(engine)


def _listen(behind: Backstage, beat: Callable[[], None]) -> None:
    receive = behind.desk.receive

    async def heard(incoming: Incoming) -> bool:
        new = await receive(incoming)
        behind.heard.append(incoming.key)
        beat()
        return new

    behind.desk.receive = heard  # type: ignore[method-assign]


async def never(*_: object, **__: object) -> bool:
    """Wait for ever, as a note does that its process did not live to write."""
    await asyncio.Event().wait()
    return False


def held_up(behind: Backstage) -> asyncio.Event:
    """Let the desk take nothing in until the event that is returned is set."""
    gate, receive = asyncio.Event(), behind.desk.receive

    async def late(incoming: Incoming) -> bool:
        await gate.wait()
        return await receive(incoming)

    behind.desk.receive = late  # type: ignore[method-assign]
    return gate
