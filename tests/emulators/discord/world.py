"""All that the emulator keeps, and what changes it. Each change is told to the gateway as an event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.discord import permissions
from tests.emulators.discord.clock import Clock
from tests.emulators.discord.errors import ApiError, Payload
from tests.emulators.discord.messages import (
    HAS_THREAD,
    THREAD_CREATED,
    THREAD_STARTER,
    Message,
    Pings,
    Upload,
)
from tests.emulators.discord.places import (
    DM,
    NEWS,
    NEWS_THREAD,
    PUBLIC_THREAD,
    Channel,
    Guild,
    Member,
    User,
)
from tests.emulators.discord.pulse import Pulse

if TYPE_CHECKING:
    from tests.emulators.discord.interactions import Interaction

GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS, GUILD_TYPING = 1 << 9, 1 << 10, 1 << 11
DIRECT_MESSAGES, DIRECT_REACTIONS, DIRECT_TYPING = 1 << 12, 1 << 13, 1 << 14
MESSAGE_CONTENT = 1 << 15
NONCE_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What sessions with one of the intents are sent; `bare` goes to those without message text."""

    name: str
    data: Payload
    guild_id: str = ""
    intent: int = 0
    bare: Payload | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """A message's body before it is posted."""

    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Payload] = field(default_factory=list)
    flags: int = 0
    tts: bool = False
    nonce: str | int | None = None
    enforce_nonce: bool = False
    referenced: Message | None = None
    named: Pings = field(default_factory=Pings)
    pings: Pings = field(default_factory=Pings)

    @property
    def empty(self) -> bool:
        return not (self.content.strip() or self.embeds or self.components or self.attachments)


class World:
    """The state behind the API and the gateway. `base` is the address of the CDN, set when it serves."""

    def __init__(self, *, token: str, message_content: bool, members: bool) -> None:
        self.clock = Clock()
        self.pulse = Pulse()
        self.token = token
        self.message_content = message_content
        self.see_members = members
        self.base = self.gateway_url = ""
        self.shards = 1
        self.me = User(id=self.clock.snowflake(), name="Lorekeeper", bot=True)
        self.owner = User(id=self.clock.snowflake(), name="Olive Owner")
        self.users: dict[str, User] = {self.me.id: self.me, self.owner.id: self.owner}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.direct: dict[str, Channel] = {}
        self.commands: dict[str, list[Payload]] = {}
        self.interactions: dict[str, Interaction] = {}
        self.creates: dict[str, list[float]] = {}
        self.uploads: dict[str, Upload] = {}
        self.typing: list[tuple[float, str]] = []
        self.nonces: dict[str | int, tuple[float, Message]] = {}
        self.listener: Callable[[Event], None] = lambda _event: None

    @property
    def application(self) -> str:
        """The id of the application, which is its bot's too."""
        return self.me.id

    @property
    def application_flags(self) -> int:
        return (1 << 19 if self.message_content else 0) | (1 << 15 if self.see_members else 0)

    # Looking things up

    def channel(self, key: str) -> Channel:
        """Return a channel that the bot may look at; raise `ApiError` otherwise."""
        channel = self.channels.get(key)
        if channel is None:
            raise ApiError(10003)
        if not self.may(channel, permissions.VIEW_CHANNEL):
            raise ApiError(50001)
        return channel

    def message(self, channel: Channel, key: str) -> Message:
        message = channel.messages.get(key)
        if message is None or message.ephemeral:
            raise ApiError(10008)
        return message

    def guild(self, key: str) -> Guild:
        guild = self.guilds.get(key)
        if guild is None or self.me.id not in guild.members:
            raise ApiError(10004)
        return guild

    def allowed(self, channel: Channel, user: str = "") -> int:
        """Return the permission bits of someone, the bot if nobody is named, in a channel."""
        user = user or self.me.id
        if channel.is_direct:
            return permissions.DIRECT if any(one.id == user for one in channel.recipients) else 0
        guild = self.guilds[channel.guild_id]
        member = guild.members.get(user)
        return permissions.of(guild, member, channel) if member else 0

    def may(self, channel: Channel, wanted: int, user: str = "") -> bool:
        return self.allowed(channel, user) & wanted == wanted

    def need(self, channel: Channel, wanted: int) -> None:
        """Raise `ApiError` unless the bot has all these permissions."""
        if not self.may(channel, permissions.VIEW_CHANNEL):
            raise ApiError(50001)
        if not self.may(channel, wanted):
            raise ApiError(50013)

    # Changing them

    def emit(self, name: str, data: Payload, **more: object) -> None:
        self.listener(Event(name=name, data=data, **more))  # type: ignore[arg-type]
        self.pulse.beat()

    def direct_channel(self, user: User) -> Channel:
        """Return the direct conversation of the bot with someone."""
        if user.id not in self.direct:
            made = self.clock.now()
            channel = Channel(id=self.clock.snowflake(), type=DM, made=made, recipients=[user, self.me])
            self.direct[user.id] = self.channels[channel.id] = channel
        return self.direct[user.id]

    def post(self, channel: Channel, author: User, draft: Draft, **more: object) -> Message:
        """Post a message and tell the gateway."""
        message = Message(
            id=str(more.pop("id", "")) or self.clock.snowflake(),
            channel=channel,
            author=author,
            at=self.clock.now(),
            nonce=draft.nonce,
            tts=draft.tts,
            **more,  # type: ignore[arg-type]
        )
        self.fill(message, draft)
        if draft.referenced is not None:
            message.referenced = draft.referenced
            message.reference = self._pointing(draft.referenced)
            draft.referenced.replied.append(message)
        channel.messages[message.id] = self.messages[message.id] = message
        if not message.ephemeral:
            channel.last_message_id = message.id
            self._count(channel, message)
        if draft.nonce is not None:
            self.nonces[draft.nonce] = (message.at, message)
        if not message.ephemeral:
            self.tell("MESSAGE_CREATE", message)
        self.pulse.beat()
        return message

    def posted_before(self, draft: Draft) -> Message | None:
        """Return the bot's message with the same nonce of the last minutes, where the draft asks for that."""
        if not draft.enforce_nonce or draft.nonce is None:
            return None
        at, message = self.nonces.get(draft.nonce, (0.0, None))
        if message is None or message.deleted or self.clock.now() - at > NONCE_SECONDS:
            return None
        return message

    def fill(self, message: Message, draft: Draft) -> None:
        """Give a message a draft's body."""
        message.content = draft.content
        message.embeds = draft.embeds
        message.components = draft.components
        message.attachments = draft.attachments
        message.flags = draft.flags | message.flags & HAS_THREAD
        named = draft.named
        message.mentions = [self.users[one] for one in sorted(named.users) if one in self.users]
        message.mention_roles = sorted(named.roles)
        message.mention_everyone = draft.pings.everyone
        message.pings.add(draft.pings)

    def revise(self, message: Message, draft: Draft) -> None:
        """Change a message's body and tell the gateway."""
        message.versions.append((self.clock.now(), message.text))
        self.fill(message, draft)
        message.edited_at = self.clock.now()
        if not message.ephemeral:
            self.tell("MESSAGE_UPDATE", message)
        self.pulse.beat()

    def remove(self, message: Message) -> None:
        """Delete a message and tell the gateway."""
        message.deleted = True
        channel = message.channel
        channel.messages.pop(message.id, None)
        if channel.is_thread and channel.message_count:
            channel.message_count -= 1
        if message.ephemeral:
            self.pulse.beat()
            return
        data: Payload = {"id": message.id, "channel_id": channel.id}
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
        self.emit("MESSAGE_DELETE", data, guild_id=channel.guild_id, intent=_messages(channel))

    def open_thread(
        self, parent: Channel, owner: User, name: str, *, message: Message | None = None, kind: int = 0
    ) -> Channel:
        """Open a thread, on a message if one is given; a forum's first message is posted by the caller."""
        thread = Channel(
            id=message.id if message else self.clock.snowflake(),
            type=kind or (NEWS_THREAD if parent.type == NEWS else PUBLIC_THREAD),
            made=self.clock.now(),
            name=name,
            guild_id=parent.guild_id,
            parent_id=parent.id,
            owner_id=owner.id,
            members={owner.id: self.clock.now()},
        )
        self.guilds[parent.guild_id].channels[thread.id] = self.channels[thread.id] = thread
        self.tell_thread("THREAD_CREATE", thread)
        if message is not None:
            message.thread = thread
            message.flags |= HAS_THREAD
            self.tell("MESSAGE_UPDATE", message)
            self.post(thread, message.author, Draft(referenced=message), type=THREAD_STARTER)
        elif parent.type in {0, NEWS} and thread.type != 12:
            opened = self.post(parent, owner, Draft(content=name), type=THREAD_CREATED)
            opened.reference = {"type": 0, "channel_id": thread.id, "guild_id": thread.guild_id}
        return thread

    def leave(self, guild: Guild) -> None:
        """Take the bot out of a guild, and tell the gateway."""
        del guild.members[self.me.id]
        self.emit("GUILD_DELETE", {"id": guild.id}, guild_id=guild.id, intent=GUILDS)

    def set_archived(self, thread: Channel, *, archived: bool, locked: bool | None = None) -> None:
        """Archive a thread, or take it back, and tell the gateway."""
        thread.archived, thread.archived_at = archived, self.clock.now()
        thread.locked = thread.locked if locked is None else locked
        self.tell_thread("THREAD_UPDATE", thread)

    def tell_thread(self, name: str, thread: Channel, *, newly_created: bool = True) -> None:
        """Tell of a thread, to sessions whose bot may see it."""
        if not self.may(thread, permissions.VIEW_CHANNEL):
            return
        data = thread.payload()
        if name == "THREAD_CREATE" and newly_created:
            data["newly_created"] = True
        if self.me.id in thread.members:
            data["member"] = thread.member(self.me.id)
        self.emit(name, data, guild_id=thread.guild_id, intent=GUILDS)

    def tell(self, name: str, message: Message) -> None:
        """Tell of a message, to sessions whose bot may see its channel."""
        channel = message.channel
        if not self.may(channel, permissions.VIEW_CHANNEL):
            return
        more: Payload = {"channel_type": channel.type}
        if channel.guild_id:
            more["guild_id"] = channel.guild_id
            member = self.guilds[channel.guild_id].members.get(message.author.id)
            if member is not None:
                more["member"] = member.payload(user=False)
        data = message.payload() | more
        bare = None if self.readable(message) else message.payload(text=False) | more
        self.emit(name, data, guild_id=channel.guild_id, intent=_messages(channel), bare=bare)

    def readable(self, message: Message) -> bool:
        """Whether a bot sees this message's text without the message content intent."""
        mine = message.author is self.me or message.channel.is_direct
        return mine or self.me in message.mentions

    def shown(self, message: Message) -> Payload:
        """Return a message as the HTTP API shows it to the bot."""
        return message.payload(text=self.message_content or self.readable(message))

    def upload(self, channel: Channel, upload: Upload) -> Payload:
        """Keep a file and return it as an attachment."""
        key = self.clock.snowflake()
        self.uploads[key] = upload
        ends = int(self.clock.now()) + 86_400
        url = f"{self.base}/attachments/{channel.id}/{key}/{upload.name}"
        signed = f"{url}?ex={ends:x}&is={ends - 86_400:x}&hm={signature(key, ends)}&"
        attachment: Payload = {
            "id": key,
            "filename": upload.name,
            "size": len(upload.data),
            "url": signed,
            "proxy_url": signed,
            "content_type": upload.media_type,
        }
        if upload.description:
            attachment["description"] = upload.description
        return attachment

    def _count(self, channel: Channel, message: Message) -> None:
        if not channel.is_thread:
            return
        if channel.archived:
            self.set_archived(channel, archived=False)
        channel.members.setdefault(message.author.id, self.clock.now())
        if message.type != THREAD_STARTER and message.id != channel.id:
            channel.message_count += 1
            channel.total_sent += 1

    def _pointing(self, message: Message) -> Payload:
        reference: Payload = {"type": 0, "message_id": message.id, "channel_id": message.channel.id}
        if message.channel.guild_id:
            reference["guild_id"] = message.channel.guild_id
        return reference

    def member(self, guild: Guild, user: str) -> Member:
        member = guild.members.get(user)
        if member is None:
            raise ApiError(10007 if user in self.users else 10013)
        return member


def signature(key: str, ends: int) -> str:
    """Return what signs an attachment's address until it ends."""
    return hashlib.sha256(f"emulator {key} {ends}".encode()).hexdigest()


def _messages(channel: Channel) -> int:
    return GUILD_MESSAGES if channel.guild_id else DIRECT_MESSAGES
