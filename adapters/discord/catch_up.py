"""What was said while the bot was away: Discord replays nothing to a new process, so it is read up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import discord

from adapters.discord.api import DiscordApi, Message, snowflake
from bot.errors import SurfaceBusy, SurfaceGone

log = logging.getLogger(__name__)

MOST_MESSAGES = 2_000  # of one channel; behind more of them a question is stale

_PATIENCE = (1.0, 5.0, 15.0, 30.0)  # seconds before each further try

Take = Callable[[str, Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel or thread to be read, with the id of its last message where that is known."""

    guild: str
    id: str
    last: int | None = None


class CatchUp:
    """Reads the messages of all channels since a moment and hands them over, oldest first.

    `take` is given the server and the message, as the gateway would have told it.
    """

    def __init__(self, api: DiscordApi, take: Take) -> None:
        self._api = api
        self._take = take

    async def run(self, guilds: Iterable[discord.Guild], direct: Iterable[str], *, since: float) -> int:
        """Read what was said since a moment, in seconds since the epoch; return how many messages."""
        after, number = snowflake(since), 0
        async with aclosing(self._channels(guilds, direct)) as channels:
            async for channel in channels:
                if channel.last is None or channel.last > after:
                    number += await self._read(channel, after)
        return number

    async def _channels(
        self, guilds: Iterable[discord.Guild], direct: Iterable[str]
    ) -> AsyncGenerator[Channel, None]:
        for channel in direct:
            yield Channel(guild="", id=channel)
        for guild in guilds:
            for found in guild.channels:
                if _can_be_read(found):
                    yield Channel(guild=str(guild.id), id=str(found.id), last=_last(found))
            for thread in await self._threads(guild):
                last = thread.get("last_message_id")
                yield Channel(guild=str(guild.id), id=str(thread["id"]), last=int(last) if last else None)

    async def _threads(self, guild: discord.Guild) -> Iterable[Message]:
        try:
            return await self._api.threads(str(guild.id))
        except (SurfaceBusy, SurfaceGone) as exc:
            log.warning("discord threads of server %s not read up: %s", guild.id, exc)
            return ()

    async def _read(self, channel: Channel, after: int) -> int:
        """Read one channel; when Discord is busy, go on later where it stopped."""
        reading = _Reading(after=after)
        for patience in _PATIENCE:
            try:
                await self._read_on(channel, reading)
            except SurfaceBusy as exc:
                await asyncio.sleep(max(exc.seconds or 0.0, patience))
            except SurfaceGone as exc:
                log.info("discord channel %s not read up: %s", channel.id, exc)
                return reading.number
            else:
                return reading.number
        log.warning("discord channel %s not read up: Discord stayed busy", channel.id)
        return reading.number

    async def _read_on(self, channel: Channel, reading: _Reading) -> None:
        async with aclosing(self._api.messages(channel.id, after=reading.after)) as messages:
            async for message in messages:
                await self._take(channel.guild, message)
                reading.after, reading.number = int(message["id"]), reading.number + 1
                if reading.number >= MOST_MESSAGES:
                    log.warning("discord channel %s: read up only %d messages", channel.id, reading.number)
                    return


@dataclass(slots=True, kw_only=True)
class _Reading:
    """How far a channel is read: up to which message, and how many."""

    after: int
    number: int = 0


def _can_be_read(channel: Any) -> bool:  # noqa: ANN401 - any kind of channel
    """Whether a channel holds messages itself and the bot may read them."""
    if isinstance(channel, discord.CategoryChannel | discord.ForumChannel):
        return False
    allowed: discord.Permissions = channel.permissions_for(channel.guild.me)
    return allowed.view_channel and allowed.read_message_history


def _last(channel: Any) -> int | None:  # noqa: ANN401
    """Return the id of the last message as the gateway told it; None where it told none."""
    last = getattr(channel, "last_message_id", None)
    return int(last) if last else None
