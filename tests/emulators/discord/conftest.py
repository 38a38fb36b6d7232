"""The real client, connected to the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands, gateway, http

from tests.emulators.discord.places import Channel, Guild, Member
from tests.emulators.discord.server import DiscordEmulator

Connect = Callable[..., AbstractAsyncContextManager["Bot"]]


class Bot(discord.Client):
    """discord.py with its waits for the live service taken out; it queues what it hears."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the client's own
        intents = options.pop("intents", None) or discord.Intents(1 << 0 | 1 << 9 | 1 << 12 | 1 << 15)
        defaults: dict[str, Any] = {
            "allowed_mentions": discord.AllowedMentions.none(),
            "guild_ready_timeout": 0.05,
        }
        super().__init__(intents=intents, **(defaults | options))
        self.running: asyncio.Future[None] = asyncio.Future()
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.edits: asyncio.Queue[discord.RawMessageUpdateEvent] = asyncio.Queue()
        self.deletions: asyncio.Queue[discord.RawMessageDeleteEvent] = asyncio.Queue()
        self.threads_made: asyncio.Queue[discord.Thread] = asyncio.Queue()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait between identifies."""

    async def on_message(self, message: discord.Message) -> None:
        if message.author != self.user:
            await self.heard.put(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        await self.edits.put(event)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self.deletions.put(event)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        await self.threads_made.put(thread)


class Place:
    """A server with a channel and a person."""

    def __init__(self, emulator: DiscordEmulator) -> None:
        self.guild: Guild = emulator.add_guild()
        self.general: Channel = emulator.add_channel(self.guild)
        self.ann: Member = emulator.add_member(self.guild, "Ann")


class Http:
    """Plain requests with the bot's token."""

    def __init__(self, emulator: DiscordEmulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session

    async def __call__(
        self, method: str, path: str, body: object = None, *, token: str = ""
    ) -> tuple[int, Any, dict[str, str]]:
        headers = {"Authorization": f"Bot {token or self.emulator.token}"}
        url = f"{self.emulator.api_url}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            is_json = response.headers.get("Content-Type") == "application/json"
            content = await response.json() if is_json else await response.text()
            return response.status, content, dict(response.headers)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return what connects a `Bot` to an emulator for the length of a block."""

    @asynccontextmanager
    async def connected(server: DiscordEmulator, bot: Bot | None = None) -> AsyncIterator[Bot]:
        monkeypatch.setattr(http.Route, "BASE", server.api_url)
        monkeypatch.setattr(gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        async with bot or Bot() as client:
            client.running = asyncio.create_task(client.start(server.token))
            try:
                await asyncio.wait_for(client.wait_until_ready(), 10)
                yield client
            finally:
                await client.close()
                await asyncio.gather(client.running, return_exceptions=True)

    return connected
