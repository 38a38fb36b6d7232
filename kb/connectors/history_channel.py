"""The port of a chat channel, and what it is read into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that is kept, its text as Markdown.

    `at` and `changed` are seconds since the epoch, written and last edited. `asking` says that it speaks to
    the bot itself.
    """

    id: str
    at: float
    changed: float
    author: str
    text: str
    asking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A thread as a listing of the channel shows it, without its messages.

    `at` is the time that orders it among what is listed, `last` that of its last message. Equal stamps mean
    that no message came, went or was edited as far as the listing tells; None: the listing does not tell.
    `root` is the like of the message it began with, where the platform shows that apart.
    """

    id: str
    at: float
    last: float
    stamp: str | None
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A thread that was read: its head now, and the messages that are kept, oldest first."""

    head: Head
    messages: tuple[Message, ...]
    title: str = ""


class Channel(Protocol):
    """One channel of a platform.

    Every method may raise `SourceUnavailable`. A listing that ends has shown everything: a page that is
    missing raises.
    """

    async def open(self, remembered: Mapping[str, str]) -> None:
        """Check that the channel can be read; `remembered` holds what `learned` gave in earlier runs.

        Raise `SourceInvalid` when the definition cannot work.
        """
        ...

    def items(self, oldest: float) -> AsyncIterator[Head | Message]:
        """Yield every message since then that is in no thread, newest first, and among them the threads.

        No thread whose `at` is not before `oldest` is missing; older ones may be shown too.
        """
        ...

    def talk(self, oldest: float, latest: float) -> AsyncIterator[Message]:
        """Yield the messages in no thread between two times, both included, newest first."""
        ...

    async def thread(self, identity: str) -> Thread | None:
        """Read a thread, or return None when there is none of that id in this channel."""
        ...

    def moment(self, identity: str) -> float | None:
        """Return when the message or thread of an id began; None when it can be no id."""
        ...

    def link(self, identity: str, *, thread: bool) -> str | None:
        """Return the address at which a person reads it."""
        ...

    def learned(self) -> dict[str, str]:
        """Return what is to be remembered for `open`, by key, and was not given out before."""
        ...
