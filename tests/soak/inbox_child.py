"""A replica of the desk that is killed: it takes events from a pipe and posts into a file."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from bot.channels import ChannelRules
from bot.chat import Attachment, Choice, Incoming, Outcome, Place, Posted, Shown
from bot.chat_settings import PlatformSettings
from bot.desk import Desk
from bot.errors import CommandError
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.messages import Answer, AnswerDone, AnswerEvent, Question
from bot.replies import Replies
from kb.database import connect
from kb.documents import EVERYONE, Audience

POSTS = "posts.jsonl"
_LONGEST = 0.02  # seconds between a step of a turn and the next


def event(number: int) -> Incoming:
    """Return question `number`."""
    key = f"slack:T1:C1:{number}"
    return Incoming(
        key=key,
        subject=key,
        kind="message",
        place=Place(platform="slack", workspace="T1", channel="C1"),
        message=str(number),
        person=f"U{number % 50}",
        text=f"Question {number}?",
        addressed=True,
    )


def posts(data: Path, *, revised: bool = False) -> list[str]:
    """Return the subject of each message that was posted, or of each that was completed by a later try."""
    path = data / POSTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return [row["subject"] for row in rows if row["revised"] is revised]


@dataclass(frozen=True, slots=True)
class FileSurface:
    """A platform whose messages are lines of a file; a line is written whole or not at all."""

    data: Path
    rng: random.Random
    platform: str = "slack"

    async def working(self, incoming: Incoming) -> None:
        await self.wait()

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        return EVERYONE

    async def found(self, incoming: Incoming) -> Posted | None:
        there = incoming.subject in await asyncio.to_thread(posts, self.data)
        return _posted(incoming) if there else None

    async def reply(self, incoming: Incoming, *, shown: Shown, before: Posted | None = None) -> FileReply:
        return FileReply(self, incoming, before)

    async def remove(self, posted: Posted) -> None:
        raise NotImplementedError

    async def tell(self, incoming: Incoming, line: str) -> Posted | None:
        raise NotImplementedError

    async def call_person(self, incoming: Incoming, who: str, line: str) -> Posted:
        raise NotImplementedError

    async def download(self, attachment: Attachment, *, limit: int) -> bytes:
        raise CommandError("There are no files here. Send none.")

    async def notify(self, workspace: str, channel: str, line: str, choices: Sequence[Choice] = ()) -> None:
        raise NotImplementedError

    async def wait(self) -> None:
        """Take as long as a network call might."""
        await asyncio.sleep(self.rng.uniform(0, _LONGEST))


@dataclass(frozen=True, slots=True)
class FileReply:
    """A reply that becomes a line of its own, or one that says that it was revised."""

    surface: FileSurface
    incoming: Incoming
    before: Posted | None

    async def show(self, text: str) -> None:
        await self.surface.wait()

    async def finish(self, outcome: Outcome) -> Posted:
        await self.surface.wait()
        line = json.dumps({"subject": self.incoming.subject, "revised": self.before is not None})
        _append(self.surface.data / POSTS, f"{line}\n".encode())
        await self.surface.wait()
        return _posted(self.incoming)

    async def withdraw(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SlowAssistant:
    """Answers everything, after a while, and keeps it."""

    ledger: Ledger
    rng: random.Random

    async def stream(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        await asyncio.sleep(self.rng.uniform(0, _LONGEST))
        answer = Answer(question=question.text, answered=True, text="Six.", confidence=0.9, id=question.id)
        await self.ledger.record(question, answer, timings={}, hashes={})
        yield AnswerDone(answer=answer)


def serve(data: Path, pipe: Connection, seed: int) -> None:
    """Be a replica until killed: receive what comes through the pipe, send back what may be acknowledged."""
    asyncio.run(_serve(data, pipe, random.Random(seed)))


async def _serve(data: Path, pipe: Connection, rng: random.Random) -> None:
    engine = connect("", data)
    ledger, inbox = await Ledger.open(engine), await Inbox.open(engine)
    unused = cast("Any", None)
    desk = Desk(
        assistant=cast("Any", SlowAssistant(ledger, rng)),
        inbox=inbox,
        replies=await Replies.open(engine),
        ledger=ledger,
        rules=ChannelRules((), {"slack": PlatformSettings(per_person=1_000_000)}),
        commands=unused,
        curated=unused,
    )
    desk.join(FileSurface(data, rng))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.run(asyncio.Event()))
        while True:
            number = await asyncio.to_thread(pipe.recv)
            tasks.create_task(_receive(desk, pipe, number))


async def _receive(desk: Desk, pipe: Connection, number: int) -> None:
    await desk.receive(event(number))
    pipe.send(number)


def _posted(incoming: Incoming) -> Posted:
    return Posted(channel="C1", messages=(incoming.message,), thread=incoming.message)


def _append(path: Path, line: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)
