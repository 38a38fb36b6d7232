"""A message: its state, how the API shows it, and what a test asks about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.discord.clock import iso
from tests.emulators.discord.components import walk
from tests.emulators.discord.errors import Payload

if TYPE_CHECKING:
    from tests.emulators.discord.places import Channel, User

SUPPRESS_EMBEDS, HAS_THREAD, EPHEMERAL, LOADING = 1 << 2, 1 << 5, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 12, 1 << 15
DEFAULT, THREAD_CREATED, REPLY, CHAT_COMMAND, THREAD_STARTER, MENU_COMMAND = 0, 18, 19, 20, 21, 23
_LINK = re.compile(r"(?<!<)\bhttps?://[^\s<>]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a person or the bot sends."""

    name: str
    data: bytes
    media_type: str = "application/octet-stream"
    description: str = ""


@dataclass(slots=True, kw_only=True)
class Pings:
    """Whom a message notifies."""

    users: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)

    def add(self, other: Pings) -> None:
        self.users |= other.users
        self.roles |= other.roles
        self.everyone |= other.everyone


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message. `ephemeral_to` is the only person who sees it; `versions` are its earlier states.

    `pings` holds everyone whom it would notify in a server that lets the bot mention anyone, over all its
    versions.
    """

    id: str
    channel: Channel
    author: User
    at: float
    type: int = DEFAULT
    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Payload] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    edited_at: float | None = None
    nonce: str | int | None = None
    reference: Payload | None = None
    referenced: Message | None = None
    replied: list[Message] = field(default_factory=list)
    interaction: Payload | None = None
    thread: Channel | None = None
    webhook_id: str = ""
    member: Payload | None = None
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    pings: Pings = field(default_factory=Pings)
    reactions: dict[str, set[str]] = field(default_factory=dict)
    reacted: set[str] = field(default_factory=set)
    ephemeral_to: str = ""
    deleted: bool = False
    versions: list[tuple[float, str]] = field(default_factory=list)

    @property
    def channel_id(self) -> str:
        return self.channel.id

    @property
    def loading(self) -> bool:
        """Whether it says "… is thinking"."""
        return bool(self.flags & LOADING)

    @property
    def ephemeral(self) -> bool:
        return bool(self.ephemeral_to)

    @property
    def is_v2(self) -> bool:
        return bool(self.flags & COMPONENTS_V2)

    @property
    def text(self) -> str:
        """All words a reader sees: content, embeds, text displays; not labels of buttons."""
        parts = [self.content]
        for embed in self.embeds:
            parts += [str(embed.get(key, "")) for key in ("title", "description")]
            parts += [f"{one['name']}\n{one['value']}" for one in embed.get("fields", ())]
        parts += [one["content"] for one in self.walk() if one["type"] == 10]
        return "\n".join(part for part in parts if part)

    @property
    def previews(self) -> list[str]:
        """The links that Discord would unfurl under it."""
        if self.flags & (SUPPRESS_EMBEDS | COMPONENTS_V2):
            return []
        return _LINK.findall(self.content)

    def walk(self) -> Iterator[Payload]:
        """Give each component, outer before inner."""
        yield from walk(self.components)

    def buttons(self) -> list[Payload]:
        return [one for one in self.walk() if one["type"] == 2]

    def component(self, wanted: str) -> Payload:
        """Return the component whose custom_id is, or begins with, `wanted`, or whose label is."""
        found = [one for one in self.walk() if wanted in {one.get("custom_id"), one.get("label")}]
        found += [one for one in self.walk() if str(one.get("custom_id", "")).startswith(wanted)]
        if not found:
            offered = [one.get("custom_id") or one.get("label") for one in self.walk()]
            raise LookupError(f"message {self.id} has no component {wanted!r}; it has {offered}")
        return found[0]

    def payload(self, *, text: bool = True, nested: bool = False) -> Payload:
        """Return the message as the API shows it; without `text`, as a bot without the intent sees it."""
        shown: Payload = {
            "id": self.id,
            "channel_id": self.channel.id,
            "type": self.type,
            "content": self.content if text else "",
            "author": self.author.payload(),
            "timestamp": iso(self.at),
            "edited_timestamp": None if self.edited_at is None else iso(self.edited_at),
            "tts": self.tts,
            "pinned": False,
            "mention_everyone": self.mention_everyone,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": list(self.mention_roles),
            "attachments": self.attachments if text else [],
            "embeds": self.embeds if text else [],
            "components": self.components if text else [],
            "flags": self.flags,
        }
        self._more(shown, text=text, nested=nested)
        return shown

    def _more(self, shown: Payload, *, text: bool, nested: bool) -> None:
        if self.nonce is not None:
            shown["nonce"] = self.nonce
        if self.webhook_id:
            shown["webhook_id"] = self.webhook_id
            if self.webhook_id == self.author.id:
                shown["application_id"] = self.webhook_id
        if self.interaction:
            shown["interaction_metadata"] = self.interaction
        if self.reactions:
            shown["reactions"] = [
                _reaction(emoji, len(who), mine=emoji in self.reacted)
                for emoji, who in self.reactions.items()
            ]
        if self.thread is not None:
            shown["thread"] = self.thread.payload()
        if self.reference is not None:
            shown["message_reference"] = self.reference
            if not nested:
                held = self.referenced
                shown["referenced_message"] = (
                    None if held is None or held.deleted else held.payload(text=text, nested=True)
                )

    def facts(self) -> Payload:
        """Return what a test in another process asks about."""
        return {
            "id": self.id,
            "channel": self.channel.id,
            "author": self.author.id,
            "content": self.content,
            "text": self.text,
            "flags": self.flags,
            "loading": self.loading,
            "ephemeral_to": self.ephemeral_to,
            "deleted": self.deleted,
            "nonce": self.nonce,
            "reference": self.reference,
            "components": self.components,
            "at": self.at,
            "edited_at": self.edited_at,
            "versions": len(self.versions),
            "pings": {
                "users": sorted(self.pings.users),
                "roles": sorted(self.pings.roles),
                "everyone": self.pings.everyone,
            },
        }


def _reaction(emoji: str, count: int, *, mine: bool) -> Payload:
    return {
        "emoji": {"id": None, "name": emoji},
        "count": count,
        "count_details": {"burst": 0, "normal": count},
        "burst_colors": [],
        "me_burst": False,
        "burst_me": False,
        "burst_count": 0,
        "me": mine,
    }
