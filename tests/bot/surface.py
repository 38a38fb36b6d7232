"""A scripted chat platform: it keeps every post, and fails, waits and forgets as a test tells it to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.chat import Attachment, Choice, Incoming, IncomingKind, Outcome, Place, Posted, Shown
from bot.errors import CommandError
from kb.documents import EVERYONE, Audience

CHANNEL = Place(platform="slack", workspace="T1", channel="C1")


@dataclass(slots=True)
class Post:
    """A message that stands on the platform."""

    subject: str
    shown: Shown
    outcome: Outcome | None = None
    text: str = ""
    revised: int = 0

    @property
    def said(self) -> str:
        """What a reader sees."""
        if self.outcome is None:
            return self.text
        return self.outcome.alone or (self.outcome.answer.text if self.outcome.answer else "")


@dataclass(slots=True)
class ScriptedSurface:
    """A platform of its own. `fails` maps a method to the errors that its next calls raise, None for none."""

    platform: str = "slack"
    posts: dict[str, Post] = field(default_factory=dict)
    signs: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    tags: Callable[[Place, str, bool], Audience] = lambda place, person, private: EVERYONE
    fails: dict[str, deque[Exception | None]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    posted_first: bool = False  # a failing finish has posted all the same
    holds: asyncio.Event | None = None  # finishing waits for it
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    number: int = 0

    def fail(self, method: str, *errors: Exception | None) -> None:
        """Let the next calls of a method raise these."""
        self.fails.setdefault(method, deque()).extend(errors)

    def check(self, method: str) -> None:
        """Raise what is next for a method."""
        waiting = self.fails.get(method)
        error = waiting.popleft() if waiting else None
        if error is not None:
            raise error

    async def notice(self) -> None:
        """Wake those who wait for something to happen here."""
        async with self.changed:
            self.changed.notify_all()

    async def until(self, happened: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something holds; what happens here is looked at when it happens."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(happened)

    @property
    def said(self) -> list[str]:
        """What stands on the platform, in order."""
        return [post.said for post in self.posts.values()]

    async def working(self, incoming: Incoming) -> None:
        self.signs.append(incoming.key)
        await self.notice()

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        self.check("audience")
        return self.tags(place, person, private)

    async def found(self, incoming: Incoming) -> Posted | None:
        self.looked.append(incoming.key)
        self.check("found")
        for key, post in self.posts.items():
            if post.subject == incoming.subject:
                return Posted(channel=incoming.place.channel, messages=(key,), thread=_thread(incoming))
        return None

    async def reply(self, incoming: Incoming, *, shown: Shown, before: Posted | None = None) -> ScriptedReply:
        self.check("reply")
        return ScriptedReply(self, incoming, shown, before.messages[0] if before else "")

    async def remove(self, posted: Posted) -> None:
        self.check("remove")
        for message in posted.messages:
            self.posts.pop(message, None)
            self.removed.append(message)
        await self.notice()

    async def tell(self, incoming: Incoming, line: str) -> Posted | None:
        self.check("tell")
        self.told.append(line)
        await self.notice()
        return None

    async def call_person(self, incoming: Incoming, who: str, line: str) -> Posted:
        self.check("call_person")
        self.calls.append((who, line))
        return Posted(channel=incoming.place.channel, messages=("call",), thread=incoming.place.thread)

    async def download(self, attachment: Attachment, *, limit: int) -> bytes:
        data = self.files.get(attachment.id)
        if data is None or len(data) > limit:
            raise CommandError(f"The file {attachment.name!r} cannot be had. Send it again.")
        return data

    async def notify(self, workspace: str, channel: str, line: str, choices: Sequence[Choice] = ()) -> None:
        self.check("notify")
        self.lines.append((channel, line))
        self.choices += choices


@dataclass(slots=True)
class ScriptedReply:
    """A reply on the scripted platform: one message that is written, revised or taken away."""

    surface: ScriptedSurface
    incoming: Incoming
    shown: Shown
    message: str = ""

    async def show(self, text: str) -> None:
        self._post().text = text
        await self.surface.notice()

    async def finish(self, outcome: Outcome) -> Posted:
        if self.surface.holds is not None:
            await self.surface.holds.wait()
        if not self.surface.posted_first:
            self.surface.check("finish")
        post = self._post()
        post.outcome = outcome
        await self.surface.notice()
        if self.surface.posted_first:
            self.surface.check("finish")
        return Posted(
            channel=self.incoming.place.channel, messages=(self.message,), thread=_thread(self.incoming)
        )

    async def withdraw(self) -> None:
        self.surface.posts.pop(self.message, None)
        await self.surface.notice()

    def _post(self) -> Post:
        if not self.message:
            self.surface.number += 1
            self.message = f"m{self.surface.number}"
            self.surface.posts[self.message] = Post(subject=self.incoming.subject, shown=self.shown)
        elif self.surface.posts[self.message].outcome is not None:
            self.surface.posts[self.message].revised += 1
        return self.surface.posts[self.message]


def _thread(incoming: Incoming) -> str:
    return incoming.place.thread or incoming.message


def message(
    number: int | str,
    text: str = "How many digits has a PIN?",
    *,
    kind: IncomingKind = "message",
    stamp: str = "",
    place: Place = CHANNEL,
    person: str = "U1",
    addressed: bool = True,
    private: bool = False,
    attachments: tuple[Attachment, ...] = (),
    thread: str = "",
) -> Incoming:
    """Return something that happened: message `number`, or its edit at `stamp`, or its deletion."""
    subject = f"{place.platform}:{place.workspace}:{place.channel}:{number}"
    ends = {"edit": f":edit:{stamp}", "delete": ":delete"}
    return Incoming(
        key=subject + ends.get(kind, ""),
        subject=subject,
        kind=kind,
        place=replace(place, thread=thread),
        message=str(number),
        person=person,
        text=text,
        name="Ada",
        addressed=addressed,
        root=not thread,
        private=private,
        attachments=attachments,
        reply_to={"token": "t0ken"},
    )
