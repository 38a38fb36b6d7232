"""Guilds, channels, threads, roles and people as the emulator keeps them, and as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.discord.clock import iso
from tests.emulators.discord.errors import Payload

if TYPE_CHECKING:
    from tests.emulators.discord.messages import Message

TEXT, DM, CATEGORY, NEWS, FORUM = 0, 1, 4, 5, 15
PUBLIC_THREAD, PRIVATE_THREAD, NEWS_THREAD = 11, 12, 10


@dataclass(slots=True, kw_only=True, eq=False)
class User:
    """An account. A person who takes no direct messages has `closed` set."""

    id: str
    name: str
    bot: bool = False
    closed: bool = False
    locale: str = "en-US"

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def payload(self) -> Payload:
        shown: Payload = {
            "id": self.id,
            "username": self.name.lower().replace(" ", "."),
            "global_name": None if self.bot else self.name,
            "discriminator": "0000" if self.bot else "0",
            "avatar": None,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }
        return shown | {"bot": True} if self.bot else shown


@dataclass(slots=True, kw_only=True, eq=False)
class Role:
    """A role of a guild; the one with the guild's id is @everyone."""

    id: str
    name: str
    permissions: int = 0
    position: int = 0
    managed: bool = False
    mentionable: bool = False
    bot_id: str = ""

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"

    def payload(self) -> Payload:
        shown: Payload = {
            "id": self.id,
            "name": self.name,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.managed,
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        return shown | {"tags": {"bot_id": self.bot_id}} if self.bot_id else shown


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A user in a guild."""

    user: User
    joined: float
    roles: list[str] = field(default_factory=list)
    nick: str | None = None

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def mention(self) -> str:
        return self.user.mention

    def payload(self, *, user: bool = True) -> Payload:
        shown: Payload = {
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": 0,
            "joined_at": iso(self.joined),
            "nick": self.nick,
            "pending": False,
            "premium_since": None,
            "roles": list(self.roles),
            "mute": False,
            "deaf": False,
        }
        return shown | {"user": self.user.payload()} if user else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """What a channel allows and denies a role (type 0) or a member (type 1)."""

    type: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """A channel, category, forum, thread or direct conversation."""

    id: str
    type: int
    made: float
    name: str = ""
    guild_id: str = ""
    parent_id: str | None = None
    position: int = 0
    topic: str | None = None
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    last_message_id: str | None = None
    # of threads
    owner_id: str = ""
    archived: bool = False
    archived_at: float = 0.0
    locked: bool = False
    auto_archive: int = 4320
    members: dict[str, float] = field(default_factory=dict)
    message_count: int = 0
    total_sent: int = 0
    tags: list[str] = field(default_factory=list)
    # of forums, and of direct conversations
    available_tags: list[Payload] = field(default_factory=list)
    recipients: list[User] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        return self.type in {PUBLIC_THREAD, PRIVATE_THREAD, NEWS_THREAD}

    @property
    def is_direct(self) -> bool:
        return self.type == DM

    @property
    def holds_text(self) -> bool:
        return self.type not in {CATEGORY, FORUM}

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    def payload(self) -> Payload:
        shown: Payload = {"id": self.id, "type": self.type, "flags": 0}
        if self.type != CATEGORY:
            shown["last_message_id"] = self.last_message_id
        if self.is_direct:
            return shown | {"recipients": [user.payload() for user in self.recipients if not user.bot]}
        shown |= {"guild_id": self.guild_id, "name": self.name, "parent_id": self.parent_id}
        shown["rate_limit_per_user"] = 0
        if self.is_thread:
            return shown | self._thread()
        shown |= {"position": self.position, "nsfw": False, "permission_overwrites": self._overwrites()}
        if self.type != CATEGORY:
            shown["topic"] = self.topic
        if self.type == FORUM:
            shown |= {
                "available_tags": self.available_tags,
                "default_reaction_emoji": None,
                "default_sort_order": None,
                "default_forum_layout": 0,
            }
        return shown

    def _overwrites(self) -> list[Payload]:
        return [
            {"id": key, "type": one.type, "allow": str(one.allow), "deny": str(one.deny)}
            for key, one in self.overwrites.items()
        ]

    def _thread(self) -> Payload:
        state: Payload = {
            "archived": self.archived,
            "archive_timestamp": iso(self.archived_at or self.made),
            "auto_archive_duration": self.auto_archive,
            "locked": self.locked,
            "create_timestamp": iso(self.made),
        }
        if self.type == PRIVATE_THREAD:
            state["invitable"] = True
        return {
            "owner_id": self.owner_id,
            "thread_metadata": state,
            "message_count": self.message_count,
            "total_message_sent": self.total_sent,
            "member_count": min(len(self.members), 50),
            "applied_tags": list(self.tags),
        }

    def member(self, user: str) -> Payload:
        return {"id": self.id, "user_id": user, "join_timestamp": iso(self.members[user]), "flags": 1}


@dataclass(slots=True, kw_only=True, eq=False)
class Guild:
    """A server."""

    id: str
    name: str
    owner_id: str
    made: float
    locale: str = "en-US"
    roles: dict[str, Role] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def everyone(self) -> Role:
        return self.roles[self.id]

    def payload(self) -> Payload:
        """Return the guild as GET /guilds shows it."""
        return (
            {
                "id": self.id,
                "name": self.name,
                "owner_id": self.owner_id,
                "roles": [role.payload() for role in self.roles.values()],
                "emojis": [],
                "stickers": [],
                "features": [],
                "region": "us-east",
                "preferred_locale": self.locale,
                "max_members": 500_000,
                "max_video_channel_users": 25,
                "max_stage_video_channel_users": 50,
                "afk_timeout": 300,
                "nsfw": False,
                "widget_enabled": False,
                "premium_progress_bar_enabled": False,
            }
            | dict.fromkeys(_NOTHING)
            | dict.fromkeys(_ZERO, 0)
        )

    def created(self, me: Member, threads: list[Channel], *, everyone: bool) -> Payload:
        """Return the guild as GUILD_CREATE shows it to a bot, with all members or with itself alone."""
        channels = [one.payload() for one in self.channels.values() if not one.is_thread]
        members = list(self.members.values()) if everyone else [me]
        return self.payload() | {
            "joined_at": iso(me.joined),
            "large": len(self.members) > 250,
            "unavailable": False,
            "member_count": len(self.members),
            "channels": channels,
            "threads": [
                one.payload() | {"member": one.member(me.id)} if me.id in one.members else one.payload()
                for one in threads
            ],
            "members": [one.payload() for one in members],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


_NOTHING = (
    "icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id",
    "afk_channel_id", "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code",
    "rules_channel_id", "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data",
)  # fmt: skip
_ZERO = (
    "system_channel_flags", "verification_level", "default_message_notifications", "mfa_level",
    "explicit_content_filter", "premium_tier", "premium_subscription_count", "nsfw_level",
)  # fmt: skip
