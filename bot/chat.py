"""The language between a chat platform and the desk: what happened there, and what is shown there.

Level 0 of the chat side: it knows no platform and no library. An adapter turns its platform's events into
an `Incoming` and puts it into the inbox before it acknowledges the event; the desk takes it from there
and speaks to the platform through `Surface` and `Reply` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.messages import Answer, Asker
from kb.documents import Audience

PlaceKind = Literal["channel", "private", "direct"]
IncomingKind = Literal["message", "edit", "delete", "command"]
Shown = Literal["public", "private", "draft"]
Control = Literal["feedback", "sources", "person", "resolved", "share", "approve", "discard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something happens.

    `workspace` is the Slack team or the Discord server, empty in a Discord direct message. `channel` is
    the channel that holds the thread; `thread` names the thread, empty outside one. `parent` is what
    settings may name instead of the channel, such as a Discord category or forum. A "private" channel has
    members; a "direct" place is seen by one person alone. `shared` tells that people of other
    organisations are in the channel. `language` is what its readers speak as far as the platform tells,
    for where no setting says it; empty: unknown. `room` names a part of the channel that has members of
    its own, such as a private thread; empty: who sees the channel sees all.
    """

    platform: str
    workspace: str
    channel: str
    thread: str = ""
    kind: PlaceKind = "channel"
    parent: str = ""
    shared: bool = False
    language: str = ""
    room: str = ""

    @property
    def seen_by(self) -> str:
        """The tag of those who see what is said here."""
        return f"{self.platform}:{self.room or self.channel}"

    @property
    def key(self) -> str:
        """The id of the channel for what is kept about it."""
        return f"{self.platform}:{self.workspace}:{self.channel}"

    @property
    def conversation(self) -> str:
        """The id under which the ledger keeps this place's turns."""
        return f"{self.platform}:{self.workspace}:{self.channel}:{self.thread}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message. `url` is where the platform hands its bytes to the bot."""

    id: str
    name: str
    media_type: str = ""
    size: int = 0
    url: str = ""

    @property
    def image(self) -> bool:
        """Whether it is a picture, which the bot does not read."""
        return self.media_type.startswith("image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing that happened in a chat and that the bot must see to, exactly once.

    `key` tells it from all others, whatever is delivered twice: for a message platform, workspace,
    channel and message id joined with ":", with ":edit:STAMP" or ":delete" behind for what happens to it
    later. `subject` is the key of the message it is about; things about one subject are seen to in order.
    `text` has the bot's own mention taken out and other mentions written as names. `addressed` tells that it
    was asked by mention, by a reply to it, in a direct message or by a command. `root` tells that the message
    begins a conversation: it is in no thread, or it is a forum's first post. `private` asks for an answer
    that the asker alone sees. `reply_to` is what the adapter needs to answer, such as an interaction's token;
    it is forgotten as soon as the answer is shown. `received` is in seconds since the epoch.
    """

    key: str
    subject: str
    kind: IncomingKind
    place: Place
    message: str
    person: str
    text: str = ""
    name: str = ""
    addressed: bool = False
    root: bool = True
    private: bool = False
    persona: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: Mapping[str, str] = field(default_factory=dict, repr=False)
    received: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message of the bot as the platform knows it: several ids when a long answer was split."""

    channel: str
    messages: tuple[str, ...]
    thread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is shown at the end of a turn.

    `controls` are the buttons that belong under it. `notes` are short lines for the reader, such as that an
    image was not read. A "private" outcome is for the asker alone, a "draft" for the reviewers.
    `alone` holds what is said instead of an answer: one line that says why there is none.
    """

    answer: Answer | None = None
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()
    shown: Shown = "public"
    alone: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button under a line in a channel. Everyone may press it, so it asks for nobody's rights.

    `command` goes to `ChatCommands.run` for who pressed it, and what that tells is for them alone.
    """

    label: str
    command: str


class Reply(Protocol):
    """One answer as it appears on the platform."""

    async def show(self, text: str) -> None:
        """Show all Markdown that is written so far.

        It returns at once; the adapter shows it when its platform's limits allow, or not at all. It raises
        nothing.
        """

    async def finish(self, outcome: Outcome) -> Posted:
        """Show the outcome, whole, in place of what was shown; return where it stands.

        Raise `SurfaceGone` when the place or the right to write there is gone, `SurfaceBusy` when the
        platform cannot take it now and it should be tried again later.
        """

    async def withdraw(self) -> None:
        """Take away what was shown so far: the turn was stopped or its question deleted."""


class Surface(Protocol):
    """One chat platform, as the desk speaks to it."""

    platform: str

    async def working(self, incoming: Incoming) -> None:
        """Give the asker a first sign at once. It raises nothing."""

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        """Return all tags that an answer may use.

        A public answer uses only what every member of the place may see; a private one what the person may
        see. That holds what the settings let the members of a channel see, of channels whose member the
        person is. Raise `SurfaceBusy` when the platform cannot tell now: a guess could leak.
        """

    async def found(self, incoming: Incoming) -> Posted | None:
        """Look on the platform for a reply to this that an earlier try has posted already."""

    async def reply(self, incoming: Incoming, *, shown: Shown, before: Posted | None = None) -> Reply:
        """Begin a reply. With `before`, that reply is revised instead of a new one posted."""

    async def remove(self, posted: Posted) -> None:
        """Take a reply away; nothing happens when it is gone already."""

    async def tell(self, incoming: Incoming, line: str) -> Posted | None:
        """Say one line where the incoming came from, in place of an answer."""

    async def call_person(self, incoming: Incoming, who: str, line: str) -> Posted:
        """Post a line where the incoming came from that really mentions `who`, a user or a group."""

    async def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """Return a file's bytes; raise `CommandError` when it is larger than `limit` or cannot be had."""

    async def notify(self, workspace: str, channel: str, line: str, choices: Sequence[Choice] = ()) -> None:
        """Post Markdown into a channel, whole; raise `SurfaceGone` or `SurfaceBusy`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who presses a button or types a command, with what the platform knows of their rights.

    `groups` are ids of user groups or roles. `admin` tells that the platform itself makes them one.
    """

    platform: str
    workspace: str
    id: str
    name: str = ""
    groups: frozenset[str] = frozenset()
    admin: bool = False

    def asker(self, audience: Audience) -> Asker:
        """Return this person as the assistant knows them."""
        return Asker(id=f"{self.platform}:{self.workspace}:{self.id}", name=self.name, audience=audience)
