"""Where things happen on Discord: a channel's id becomes a place, as the gateway or the API tells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import discord

from adapters.discord.access import PLATFORM
from adapters.discord.api import DiscordApi
from bot.chat import Place, PlaceKind
from bot.texts import speaks

log = logging.getLogger(__name__)

_THREADS = frozenset({10, 11, 12})
_PRIVATE_THREAD = 12
_FORUMS = frozenset({15, 16})
_DIRECT = frozenset({1, 3})
_MOST_KNOWN = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place, and what a message there is: `forum` tells that the thread is a post of a forum.

    `threads` tells that messages there can have threads.
    """

    place: Place
    forum: bool = False
    threads: bool = True


class Places:
    """Knows the channels of all servers."""

    def __init__(self, client: Callable[[], discord.Client | None], api: DiscordApi) -> None:
        self._client = client
        self._api = api
        self._read: dict[str, Mapping[str, Any]] = {}

    async def spot(self, guild: str, channel: str) -> Spot:
        """Return where a channel or thread is; raise `SurfaceGone` or `SurfaceBusy` when it is not known."""
        if not guild:
            return Spot(
                place=Place(platform=PLATFORM, workspace="", channel=channel, kind="direct"), threads=False
            )
        spot = self._cached(guild, channel) or await self._asked(guild, channel)
        return replace(spot, place=self.at_home(spot.place))

    def at_home(self, place: Place) -> Place:
        """Return a place with the language of its server, whoever asks there."""
        server = self._server(place.workspace)
        locale = str(server.preferred_locale) if server else ""
        return replace(place, language=locale if speaks(locale) else "")

    def is_role(self, guild: str, identifier: str) -> bool:
        """Tell whether an id of the settings is a role; else it is a user."""
        server = self._server(guild)
        return bool(server and identifier.isdecimal() and server.get_role(int(identifier)))

    def own_roles(self, guild: str) -> frozenset[str]:
        """Return the roles by which the bot itself may be mentioned: the one that Discord made for it."""
        server = self._server(guild)
        role = server.self_role if server else None
        return frozenset({str(role.id)}) if role else frozenset()

    def names(self, guild: str, identifiers: Iterable[str]) -> dict[str, str]:
        """Return the names of roles and channels by their ids, of those that are known."""
        server, found = self._server(guild), dict[str, str]()
        if server is not None:
            for identifier in identifiers:
                known = server.get_role(int(identifier)) or server.get_channel_or_thread(int(identifier))
                if known is not None:
                    found[identifier] = known.name
        return found

    def _server(self, guild: str) -> discord.Guild | None:
        client = self._client()
        return client.get_guild(int(guild)) if client and guild else None

    def _cached(self, guild: str, channel: str) -> Spot | None:
        server = self._server(guild)
        found = server.get_channel_or_thread(int(channel)) if server else None
        if found is None:
            return None
        if isinstance(found, discord.Thread):
            if found.parent is None:
                return None
            return _thread_spot(
                guild,
                channel,
                parent=str(found.parent_id),
                category=str(found.category_id or ""),
                forum=isinstance(found.parent, discord.ForumChannel),
                private=_is_private(found.parent),
                closed=found.is_private(),
            )
        return _channel_spot(
            guild,
            channel,
            category=str(found.category_id or ""),
            private=_is_private(found),
            threads=isinstance(found, discord.TextChannel),
        )

    async def _asked(self, guild: str, channel: str) -> Spot:
        """Ask the API for what the gateway has not told, such as a thread that was asleep."""
        data = await self._data(channel)
        kind = data.get("type")
        if kind in _DIRECT:
            return await self.spot("", channel)
        if kind not in _THREADS:
            return _channel_spot(
                guild,
                channel,
                category=str(data.get("parent_id") or ""),
                private=_hides(guild, data),
                threads=kind in {0, 5},
            )
        parent = await self._data(str(data["parent_id"]))
        return _thread_spot(
            guild,
            channel,
            parent=str(data["parent_id"]),
            category=str(parent.get("parent_id") or ""),
            forum=parent.get("type") in _FORUMS,
            private=_hides(guild, parent),
            closed=kind == _PRIVATE_THREAD,
        )

    async def _data(self, channel: str) -> Mapping[str, Any]:
        if channel not in self._read:
            if len(self._read) >= _MOST_KNOWN:
                self._read.clear()
            self._read[channel] = await self._api.channel(channel)
        return self._read[channel]


def _channel_spot(guild: str, channel: str, *, category: str, private: bool, threads: bool) -> Spot:
    kind: PlaceKind = "private" if private else "channel"
    place = Place(platform=PLATFORM, workspace=guild, channel=channel, kind=kind, parent=category)
    return Spot(place=place, threads=threads)


def _thread_spot(
    guild: str, channel: str, *, parent: str, category: str, forum: bool, private: bool, closed: bool
) -> Spot:
    """Return a thread's place. `private` tells of its channel, `closed` that it has members of its own."""
    place = Place(
        platform=PLATFORM,
        workspace=guild,
        channel=parent,
        thread=channel,
        kind="private" if private or closed else "channel",
        parent=category,
        room=channel if closed else "",
    )
    return Spot(place=place, forum=forum, threads=False)


def _is_private(channel: Any) -> bool:  # noqa: ANN401 - any kind of channel
    """Whether a channel is hidden from everyone but its members."""
    allowed: discord.Permissions = channel.permissions_for(channel.guild.default_role)
    return not allowed.view_channel


def _hides(guild: str, data: Mapping[str, Any]) -> bool:
    """Whether a channel, as the API gives it, is denied to the role of everyone, whose id is the server's."""
    view = discord.Permissions.view_channel.flag
    return any(
        str(one.get("id")) == guild and int(one.get("deny", 0)) & view
        for one in data.get("permission_overwrites", ())
    )
