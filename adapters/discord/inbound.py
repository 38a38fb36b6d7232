"""What people write on Discord goes into the durable inbox, before anything else is done with it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from adapters.discord import events
from bot.chat import Incoming
from bot.errors import SurfaceBusy, SurfaceGone
from kb.errors import StoreError

if TYPE_CHECKING:
    from adapters.discord.places import Places
    from bot.desk import Desk

log = logging.getLogger(__name__)

BULK = "MESSAGE_DELETE_BULK"
HEARD = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", BULK})
# Discord sends no event twice to a connection that is up, so one that cannot be kept is tried again here.
_PAUSES = (0.1, 0.5, 2.0, 5.0, 15.0, 30.0)
_CHANNELS = re.compile(r"<#(\d{1,20})>")


class Inbound:
    """Turns gateway events into what the desk receives. `bot` returns the bot's own id."""

    def __init__(
        self,
        desk: Desk,
        places: Places,
        *,
        bot: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._desk = desk
        self._places = places
        self._bot = bot
        self._clock = clock

    async def take(self, event: str, data: Mapping[str, Any]) -> None:
        """Take in one event; what is none of the bot's business is left out."""
        if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and self._is_machine(data):
            return
        for incoming in await self._understood(event, data):
            await self._keep(incoming)

    async def missed(self, guild: str, message: Mapping[str, Any], *, heard_until: float | None) -> None:
        """Take in a message that was written while the bot may have been away.

        What was not said to the bot counts only behind `heard_until`, when it was last there: a new bot
        does not answer the history of a channel.
        """
        if self._is_machine(message):
            return
        data = {**message, "guild_id": guild} if guild else message
        for incoming in await self._understood("MESSAGE_CREATE", data):
            if incoming.addressed or (heard_until is not None and incoming.received >= heard_until):
                await self._keep(incoming)

    def _is_machine(self, data: Mapping[str, Any]) -> bool:
        author = data.get("author") or {}
        return (
            bool(not author or author.get("bot") or data.get("webhook_id")) or author.get("id") == self._bot()
        )

    async def _understood(self, event: str, data: Mapping[str, Any]) -> tuple[Incoming, ...]:
        guild, channel = str(data.get("guild_id") or ""), str(data["channel_id"])
        try:
            spot = await self._places.spot(guild, channel)
        except (SurfaceGone, SurfaceBusy) as exc:
            log.warning("discord event in an unknown channel %s left out: %s", channel, exc)
            return ()
        if event == BULK:
            return events.bulk_deleted(data, place=spot.place, now=self._clock())
        incoming = events.to_incoming(
            cast("events.Event", event),
            data,
            place=spot.place,
            bot=self._bot(),
            roles=self._places.own_roles(guild),
            forum_post=spot.forum and str(data["id"]) == channel,
            names=self._places.names(guild, _named(data)),
            now=self._clock(),
        )
        return (incoming,) if incoming is not None else ()

    async def _keep(self, incoming: Incoming) -> None:
        for pause in _PAUSES:
            try:
                await self._desk.receive(incoming)
            except StoreError as exc:
                log.warning("discord event %s not kept yet: %s", incoming.key, exc)
            else:
                return
            await asyncio.sleep(pause)
        log.error("discord event %s could not be kept; it is read up after the next start", incoming.key)


def _named(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the roles and channels that a message names."""
    roles = tuple(map(str, data.get("mention_roles") or ()))
    return (*roles, *_CHANNELS.findall(str(data.get("content") or "")))
