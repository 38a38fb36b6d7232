"""A desk over a scripted platform and a scripted assistant, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels import ChannelRules
from bot.chat import Incoming, Person, Place
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.desk import Desk
from bot.errors import NotAllowed
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.limits import Limits
from bot.messages import Answer, AnswerDelta, AnswerDone, AnswerEvent, Citation, Question
from bot.replies import Replies
from tests.bot.surface import ScriptedSurface


def cited(node: str = "n1", document: str = "a.md") -> Citation:
    return Citation(
        number=1,
        document=document,
        title="A",
        heading="",
        url="",
        quote="q",
        updated="",
        source="docs",
        node=node,
    )


@dataclass(slots=True)
class ScriptedAssistant:
    """Answers every question in the same way, after `holds`, and keeps what it was asked.

    A question with "unknown" in it has no answer.
    """

    ledger: Ledger
    deltas: tuple[str, ...] = ()
    holds: asyncio.Event | None = None
    fails: list[Exception] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    running: int = 0
    most: int = 0
    confidence: float = 0.9
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.set()
        try:
            for delta in self.deltas:
                yield AnswerDelta(text=delta)
            if self.holds is not None:
                await self.holds.wait()
            if self.fails:
                raise self.fails.pop(0)
            answer = self.made(question)
            if answer.answered or question.bar is None:
                await self.ledger.record(question, answer, timings={}, hashes={})
            yield AnswerDone(answer=answer)
        finally:
            self.running -= 1
            self.ended.set()

    async def answer(self, question: Question) -> Answer:
        async for event in self.stream(question):
            if isinstance(event, AnswerDone):
                return event.answer
        raise AssertionError("a turn always ends with an answer")

    def made(self, question: Question) -> Answer:
        high = question.bar is None or self.confidence >= question.bar
        answered = high and "unknown" not in question.text
        return Answer(
            id=question.id,
            question=question.text,
            answered=answered,
            text=f"{question.text} Six. [1]" if answered else "I could not find this in my documents.",
            confidence=self.confidence,
            citations=(cited(),) if answered else (),
            nearest=() if answered else (cited(),),
        )


@dataclass(slots=True)
class Shelf:
    """Keeps files of those who may add any."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def add_file(
        self, name: str, data: bytes, person: Person, place: Place, *, language: str = ""
    ) -> str:
        if "G1" not in person.groups:
            raise NotAllowed("Only G1 may add files.")
        self.files[name] = data
        return f"Kept {name}."


@dataclass(slots=True)
class Bench:
    """Everything a test of the desk looks at."""

    engine: AsyncEngine
    desk: Desk
    surface: ScriptedSurface
    assistant: ScriptedAssistant
    inbox: Inbox
    replies: Replies
    ledger: Ledger
    rules: ChannelRules
    shelf: Shelf
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, *incoming: Incoming) -> None:
        """Deliver events and wait until nothing of them is left to do."""
        for one in incoming:
            await self.desk.receive(one)
        await self.idle()

    async def idle(self) -> None:
        """Wait until every row of the inbox is done."""
        await until_done(self.inbox, seconds=15.0)

    async def results(self) -> dict[str, str]:
        """Return how each row ended."""
        from sqlalchemy import select

        from bot.tables import inbox
        from kb.database import reading

        async with reading(self.engine) as connection:
            rows = await connection.execute(select(inbox.c.key, inbox.c.result).order_by(inbox.c.id))
            return {row.key: row.result for row in rows}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        """Let the desk run meanwhile."""
        task = asyncio.create_task(self.desk.run(self.stop, drain_seconds=5))
        try:
            yield self
        finally:
            self.stop.set()
            await task


async def until_done(inbox: Inbox, *, seconds: float) -> None:
    """Wait until an inbox holds nothing but what is done."""
    async with asyncio.timeout(seconds):
        while set(await inbox.states()) - {"done"}:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


async def bench(
    engine: AsyncEngine,
    *,
    channels: Sequence[ChannelSettings] = (),
    platform: PlatformSettings | None = None,
    clock: Callable[[], float] | None = None,
    surface: ScriptedSurface | None = None,
    limits: Callable[[Inbox], Limits] | None = None,
    concurrent: int = 8,
    lease: float = 10.0,
) -> Bench:
    """Return a desk that has joined a scripted platform."""
    timed: dict[str, Any] = {"clock": clock} if clock else {}
    ledger = await Ledger.open(engine)
    inbox = await Inbox.open(engine, lease=lease, **timed)
    replies = await Replies.open(engine, **timed)
    rules = ChannelRules(channels, {"slack": platform or PlatformSettings()})
    assistant, shelf = ScriptedAssistant(ledger), Shelf()
    desk = Desk(
        assistant=cast("Any", assistant),
        inbox=inbox,
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=cast("Any", None),
        curated=cast("Any", shelf),
        limits=limits(inbox) if limits else None,
        concurrent=concurrent,
        **timed,
    )
    joined = surface or ScriptedSurface()
    desk.join(joined)
    return Bench(engine, desk, joined, assistant, inbox, replies, ledger, rules, shelf)
