"""The emulator, held against Discord's OpenAPI document and driven by a real client."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.emulators.discord_history import BOT, GUILD, TOKEN, DiscordServer, serve_discord

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # audioop, which its voice part imports
    import discord

SPEC = Path(__file__).resolve().parents[3] / "shared/specs/discord/discord-api-spec/specs/openapi.json"
NOON = 1_772_798_400.0


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with serve_discord() as running:
        yield running


async def got(server: DiscordServer, path: str) -> Any:  # noqa: ANN401 - whatever JSON it is
    headers = {"Authorization": f"Bot {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{server.url}/{path}") as answer,
    ):
        return await answer.json()


@pytest.mark.skipif(not SPEC.exists(), reason="../shared is absent")
async def test_answers_have_the_documented_shape(server: DiscordServer) -> None:
    """Messages, threads and their lists hold every required key and none that is not documented."""
    schemas = json.loads(SPEC.read_text())["components"]["schemas"]
    root = server.post(NOON, "Root")
    thread = server.open_thread(NOON, "Name", message=root)
    server.post(NOON + 1, "Reply", thread=thread)
    active = await got(server, f"guilds/{GUILD}/threads/active")
    messages = await got(server, f"channels/{thread}/messages")
    shown = {
        "ThreadsResponse": [active],
        "ThreadResponse": active["threads"],
        "ThreadMetadataResponse": [one["thread_metadata"] for one in active["threads"]],
        "MessageResponse": [*messages, *await got(server, f"channels/{server.channel}/messages")],
        "UserResponse": [message["author"] for message in messages],
        "GuildChannelResponse": [await got(server, f"channels/{server.channel}")],
    }
    for name, values in shown.items():
        assert values
        for value in values:
            assert set(schemas[name]["required"]) <= value.keys()
            assert value.keys() <= schemas[name]["properties"].keys()


@pytest.mark.skipif(not SPEC.exists(), reason="../shared is absent")
async def test_paths_are_documented(server: DiscordServer) -> None:
    """Every path that the emulator answers is one of Discord's."""
    paths = json.loads(SPEC.read_text())["paths"]
    message = server.post(NOON, "Words")
    channel = f"channels/{server.channel}"
    asked = {
        "/channels/{channel_id}": channel,
        "/channels/{channel_id}/messages": f"{channel}/messages",
        "/channels/{channel_id}/messages/{message_id}": f"{channel}/messages/{message}",
        "/channels/{channel_id}/threads/archived/public": f"{channel}/threads/archived/public",
        "/guilds/{guild_id}/threads/active": f"guilds/{GUILD}/threads/active",
        "/guilds/{guild_id}/roles": f"guilds/{GUILD}/roles",
        "/guilds/{guild_id}/members/{user_id}": f"guilds/{GUILD}/members/{BOT}",
        "/applications/@me": "applications/@me",
        "/users/@me": "users/@me",
    }
    for path, real in asked.items():
        assert "get" in paths[path]
        assert "message" not in await got(server, real)


async def test_a_real_client_reads_it(server: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py pages through a channel and lists its threads."""
    monkeypatch.setattr(discord.http.Route, "BASE", server.url)
    sent = [server.post(NOON + number, f"Words {number}") for number in range(3)]
    thread = server.open_thread(NOON, "Name")
    server.archive(thread, NOON)
    client = discord.Client(intents=discord.Intents.none()).http
    client.loop = asyncio.get_running_loop()
    try:
        await client.static_login(TOKEN)
        newest = await client.logs_from(int(server.channel), 2)
        older = await client.logs_from(int(server.channel), 2, before=int(newest[-1]["id"]))
        archived = await client.get_public_archived_threads(int(server.channel))
    finally:
        await client.close()
    assert [message["id"] for message in (*newest, *older)] == sent[::-1]
    assert [one["id"] for one in archived["threads"]] == [thread]
