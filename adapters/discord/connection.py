"""Stays connected to Discord's gateway: whatever breaks, a new connection is up within a minute.

discord.py resumes after short breaks by itself. Here it is watched: an outage that it would wait out for
minutes, and a connection that looks alive and brings nothing, end in a new connection.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import aiohttp
import discord
from discord.gateway import KeepAliveHandler
from discord.ui import DynamicItem
from pydantic import SecretStr

from adapters.discord.client import (
    HEARTBEAT_SECONDS,
    SETTLE_SECONDS,
    AnyClient,
    Breaker,
    DiscordHttp,
    Hear,
    open_client,
)
from adapters.discord.settings import DiscordSettings
from adapters.errors import PlatformRefused
from adapters.figures import count
from adapters.shown import SHOWN

log = logging.getLogger(__name__)

OUTAGE_SECONDS = 40.0  # that discord.py has to be connected again
QUIET_SECONDS = 45.0  # without an event, after which the gateway is asked for one
PROBE_SECONDS = 10.0
_LONGEST_PAUSE = 15.0
_REFUSED = {
    4004: "Discord refused the token. Set the variable of [discord] token_env to the bot's token.",
    4010: "Discord refused the shard. Check [discord] shards.",
    4011: "Discord wants several gateway connections for so many servers. Set [discord] shards.",
    4013: "Discord refused the intents of this release. Update Lorekeeper.",
    4014: (
        "Discord refused the message content intent. Switch it on in the Developer Portal under Bot, or set "
        "[discord] message_content = false."
    ),
}


class Connection:
    """One bot's connection. `hear` gets each message of the gateway, `ready` is called for a new session.

    `button` is the class that serves the bot's own buttons.
    """

    def __init__(
        self,
        settings: DiscordSettings,
        token: SecretStr,
        *,
        hear: Hear,
        ready: Callable[[AnyClient], Awaitable[None]],
        button: type[DynamicItem[Any]] | None = None,
        heartbeat: float = HEARTBEAT_SECONDS,
        outage: float = OUTAGE_SECONDS,
        quiet: float = QUIET_SECONDS,
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self._settings = settings
        self._token = token
        self._hear = hear
        self._ready = ready
        self._button = button
        self._heartbeat = heartbeat
        self._outage = outage
        self._quiet = quiet
        self._settle = settle
        self._breaker = Breaker()
        self._client: AnyClient | None = None
        self._heard = time.monotonic()
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._refused = asyncio.Event()

    @property
    def client(self) -> AnyClient | None:
        """The client, None while there is no connection."""
        return self._client

    def http(self) -> DiscordHttp | None:
        """Return what sends requests, None while there is no connection."""
        return self._client.http if self._client else None

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; raise `PlatformRefused` when Discord does not let the bot in."""
        pause = 1.0
        while not stop.is_set():
            began = time.monotonic()
            await self._once(stop)
            pause = 1.0 if time.monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _once(self, stop: asyncio.Event) -> None:
        """Connect, and return when the connection is lost or `stop` is set."""
        self._up.clear()
        self._down.set()
        self._heard = time.monotonic()
        client = open_client(
            self._settings,
            breaker=self._breaker,
            hear=self._listen,
            refused=self._refused.set,
            heartbeat=self._heartbeat,
            settle=self._settle,
        )
        if self._button is not None:
            client.add_dynamic_items(self._button)
        self._follow(client)
        self._client = client
        running = asyncio.create_task(client.start(self._token.get_secret_value()))
        others = [
            asyncio.create_task(wait)
            for wait in (stop.wait(), self._refused.wait(), self._watch_outage(), self._watch_silence(client))
        ]
        try:
            await asyncio.wait({running, *others}, return_when=asyncio.FIRST_COMPLETED)
            self._judge(running)
        finally:
            self._client = None
            await _ended(client, [running, *others])

    def _listen(self, text: str) -> None:
        if '"op":11' not in text.replace(" ", "")[:80]:  # an acknowledged heartbeat brings nothing
            self._heard = time.monotonic()
        self._hear(text)

    def _follow(self, client: AnyClient) -> None:
        """Note when the connection is up and when it is down."""

        async def up() -> None:
            self._down.clear()
            self._up.set()

        async def down() -> None:
            self._up.clear()
            self._down.set()

        async def ready() -> None:
            await up()
            log.info("Discord is connected to %s.", count(len(client.guilds), "server"), extra=SHOWN)
            await self._ready(client)

        for name, listener in (("connect", up), ("resumed", up), ("disconnect", down), ("ready", ready)):
            setattr(client, f"on_{name}", listener)

    def _judge(self, running: asyncio.Task[None]) -> None:
        """Raise `PlatformRefused` when trying again changes nothing, else log why the connection ended."""
        if self._refused.is_set():
            raise PlatformRefused(_REFUSED[4004])
        failure = running.exception() if running.done() and not running.cancelled() else None
        if isinstance(failure, discord.LoginFailure):
            raise PlatformRefused(_REFUSED[4004]) from failure
        if isinstance(failure, discord.PrivilegedIntentsRequired):
            raise PlatformRefused(_REFUSED[4014]) from failure
        if isinstance(failure, discord.ConnectionClosed) and failure.code in _REFUSED:
            raise PlatformRefused(_REFUSED[failure.code]) from failure
        if failure is not None:
            # discord.py fails with an AttributeError where its very first connection breaks.
            log.info("discord connection ended: %s: %s", type(failure).__name__, failure)
            log.warning("Discord is out of reach (%s); connecting anew.", type(failure).__name__, extra=SHOWN)

    async def _watch_outage(self) -> None:
        """Return when the connection has been down for too long."""
        while True:
            await self._down.wait()
            try:
                async with asyncio.timeout(self._outage):
                    await self._up.wait()
            except TimeoutError:
                seconds = self._outage
                log.warning("Discord is out of reach for %.0f s; connecting anew.", seconds, extra=SHOWN)
                return

    async def _watch_silence(self, client: AnyClient) -> None:
        """Return when the gateway answers heartbeats and nothing else."""
        while True:
            left = self._heard + self._quiet - time.monotonic()
            if left > 0 or not self._up.is_set() or not client.guilds:
                await asyncio.sleep(max(left, self._quiet / 3))
            elif not await self._answers(client):
                log.warning("Discord's gateway is silent; connecting anew.", extra=SHOWN)
                return

    async def _answers(self, client: AnyClient) -> bool:
        """Ask the gateway for the bot itself as a member, which it answers by an event."""
        assert client.user is not None  # it is known since the login
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await client.guilds[0].query_members(user_ids=[client.user.id], cache=False)
        except (TimeoutError, discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError):
            return False
        return True


async def _ended(client: AnyClient, tasks: list[asyncio.Task[Any]]) -> None:
    """Close the client and end what belongs to it."""
    with suppress(discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(5.0):
            await client.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for thread in threading.enumerate():
        # One of a connection that was given up while it was opened is stopped by nobody else.
        if isinstance(thread, KeepAliveHandler) and thread.ws._connection is client._connection:
            thread.stop()


def in_background(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Run work beside the rest; whatever it fails with is logged."""

    def done(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("discord event failed", exc_info=failure)

    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(done)
