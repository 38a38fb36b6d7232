"""The first sign that a question was heard: Discord's "is typing", until the answer stands."""

from __future__ import annotations

import asyncio
import logging

from adapters.discord.api import DiscordApi
from bot.errors import SurfaceError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 8.0  # Discord shows one for ten
_TIMES = 15


class Signs:
    """Shows typing in every channel where a question is being answered, once for all of them there."""

    def __init__(self, api: DiscordApi) -> None:
        self._api = api
        self._channels: dict[str, str] = {}  # of each question
        self._tasks: dict[str, asyncio.Task[None]] = {}  # of each channel

    def begin(self, key: str, channel: str) -> None:
        """Show typing in a channel or thread for a question, beginning at once."""
        self._channels[key] = channel
        if channel not in self._tasks:
            self._tasks[channel] = asyncio.create_task(self._type(channel))

    def end(self, key: str) -> None:
        """Show no more of it for this question."""
        channel = self._channels.pop(key, "")
        if channel and channel not in self._channels.values():
            self._stop(channel)

    def close(self) -> None:
        """End all."""
        self._channels.clear()
        for channel in list(self._tasks):
            self._stop(channel)

    def _stop(self, channel: str) -> None:
        if task := self._tasks.pop(channel, None):
            task.cancel()

    async def _type(self, channel: str) -> None:
        for _ in range(_TIMES):
            try:
                await self._api.typing(channel)
            except SurfaceError as exc:
                log.info("discord typing not shown: %s", exc)
            await asyncio.sleep(_AGAIN_SECONDS)
        self._tasks.pop(channel, None)
