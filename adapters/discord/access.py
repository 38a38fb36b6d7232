"""Who may see what on Discord: the tags that an answer may use in a place, or for one person.

A public answer uses what everyone in its channel may see, in a private thread also what its members may
see; a private one what the person may see: their own tag, those of their roles, and those of the channels
that they may read, as Discord's permissions say now.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import discord

from bot.chat import Person, Place
from bot.errors import SurfaceBusy
from kb.documents import Audience

if TYPE_CHECKING:
    from bot.channels import ChannelRules

log = logging.getLogger(__name__)

PLATFORM = "discord"
SEEN_SECONDS = 60.0  # what is known of a member is used this long
ABSENT_SECONDS = 600.0  # that someone is no member may be known for longer: it only hides
MOST_KNOWN = 10_000
AT_ONCE = 8


class Guilds(Protocol):
    """What the gateway has told of the servers that the bot is in."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """All of them."""
        ...

    def get_guild(self, id: int, /) -> discord.Guild | None:  # noqa: A002 - discord.py's name
        """Return one of them."""
        ...


class Access:
    """Answers who may see what, from the permissions as the gateway and the API tell them."""

    def __init__(
        self,
        guilds: Callable[[], Guilds | None],
        rules: ChannelRules,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guilds = guilds
        self._rules = rules
        self._clock = clock
        self._known: dict[tuple[int, str], tuple[float, frozenset[str]]] = {}

    async def audience(self, place: Place, person: str, *, private: bool) -> Audience:
        """Return the tags that an answer may use; raise `SurfaceBusy` when they cannot be known now."""
        if not private and place.kind != "direct":
            return Audience(self._of_channel(place))
        tags: frozenset[str] = frozenset({f"{PLATFORM}:user:{person}"})
        if place.room:
            tags |= {place.seen_by}  # who asks or presses there is there
        for found in await self._everywhere(self._servers(place), person):
            tags |= found
        return Audience(tags)

    async def person(self, place: Place, person: str) -> Person:
        """Return a person with their roles and whether they manage the server."""
        guild = self._server(place.workspace) if place.workspace else None
        member = await self._member(guild, person) if guild else None
        if member is None:
            return Person(platform=PLATFORM, workspace=place.workspace, id=person)
        return Person(
            platform=PLATFORM,
            workspace=place.workspace,
            id=person,
            name=member.display_name,
            groups=frozenset(str(role.id) for role in member.roles),
            admin=member.guild_permissions.manage_guild,
        )

    def forget(self, guild: int, person: str | None = None) -> None:
        """Look again at the next question: a role or a channel has changed."""
        for key in [key for key in self._known if key[0] == guild and person in {None, key[1]}]:
            del self._known[key]

    def _of_channel(self, place: Place) -> frozenset[str]:
        rule = self._rules.of(place)
        return frozenset(rule.audience) | {f"{PLATFORM}:{place.channel}", place.seen_by}

    def _servers(self, place: Place) -> Sequence[discord.Guild]:
        if place.workspace:
            return (self._server(place.workspace),)
        guilds = self._guilds()
        if guilds is None:
            raise SurfaceBusy("Discord is not connected, so it is not known what the asker may see.")
        return guilds.guilds

    def _server(self, workspace: str) -> discord.Guild:
        guilds = self._guilds()
        guild = guilds.get_guild(int(workspace)) if guilds else None
        if guild is None or guild.unavailable:
            raise SurfaceBusy(f"Discord has not told about the server {workspace!r} yet.")
        return guild

    async def _everywhere(self, guilds: Sequence[discord.Guild], person: str) -> list[frozenset[str]]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(guild: discord.Guild) -> frozenset[str]:
            async with gate:
                return await self._in_server(guild, person)

        return await asyncio.gather(*map(one, guilds))

    async def _in_server(self, guild: discord.Guild, person: str) -> frozenset[str]:
        key = (guild.id, person)
        until, tags = self._known.get(key, (0.0, frozenset()))
        if until > self._clock():
            return tags
        if guild.unavailable:
            raise SurfaceBusy(f"Discord does not tell about the server {str(guild.id)!r} now.")
        member = await self._member(guild, person)
        tags = self._of_member(guild, member) if member else frozenset()
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = (self._clock() + (SEEN_SECONDS if member else ABSENT_SECONDS), tags)
        return tags

    async def _member(self, guild: discord.Guild, person: str) -> discord.Member | None:
        try:
            return await guild.fetch_member(int(person))
        except discord.NotFound:
            return None
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError) as exc:
            raise SurfaceBusy(
                f"Discord does not tell about the member {person!r}: {type(exc).__name__}."
            ) from exc

    def _of_member(self, guild: discord.Guild, member: discord.Member) -> frozenset[str]:
        tags = {f"{PLATFORM}:group:{role.id}" for role in member.roles if not role.is_default()}
        for channel in guild.channels:
            if not isinstance(channel, discord.CategoryChannel) and _reads(channel, member):
                tags |= self._of_channel(_place(guild, channel))
        return frozenset(tags)


def _reads(channel: Any, member: discord.Member) -> bool:  # noqa: ANN401 - any kind of channel
    allowed: discord.Permissions = channel.permissions_for(member)
    return allowed.view_channel and allowed.read_message_history


def _place(guild: discord.Guild, channel: Any) -> Place:  # noqa: ANN401
    parent = str(channel.category_id) if channel.category_id else ""
    return Place(platform=PLATFORM, workspace=str(guild.id), channel=str(channel.id), parent=parent)
