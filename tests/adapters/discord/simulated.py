"""The real app, desk and inbox inside simcord, another project's Discord without sockets.

simcord stands in for discord.py's HTTP client and gateway: each request of ours goes to its backend and is
checked by its rules, and what its people do comes as payloads that it makes. It feeds these to the parsers
of discord.py, and not as the raw text from which our client reads messages and commands: `_listen` does.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import discord
import pytest
import simcord
from discord.http import Route
from pydantic import SecretStr
from yarl import URL

from adapters.discord import connection
from adapters.discord.client import AnyClient
from adapters.discord.settings import DiscordSettings
from tests.adapters.backstage import SECONDS, Assistants, Backstage, backstage
from tests.adapters.discord.whole import app_before
from tests.bot.desks import ScriptedAssistant

Value = TypeVar("Value")


@dataclass(kw_only=True)
class Simulated:
    """A bot in simcord, with a server, a channel and somebody in it."""

    env: simcord.Env
    behind: Backstage
    guild: simcord.GuildHandle
    general: simcord.ChannelHandle
    ann: simcord.MemberActor
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, text: str, *, channel: simcord.ChannelHandle | None = None) -> discord.Message:
        """Write as Ann and return the message."""
        return await self.ann.send(channel or self.general, text)

    async def ask(self, text: str) -> discord.Message:
        """Mention the bot in the channel and return the question."""
        assert self.env.bot.user is not None
        return await self.say(f"{self.env.bot.user.mention} {text}")

    async def answers(self, channel: simcord.ChannelHandle, count: int = 1) -> list[discord.Message]:
        """Return the bot's whole answers in a channel or thread, once there are so many."""

        def found() -> list[discord.Message]:
            there = [one for one in channel.history() if one.components and one.author == self.env.bot.user]
            return there if len(there) >= count else []

        return await self.until(found)

    async def until(self, found: Callable[[], Value]) -> Value:
        """Return what `found` gives once it is truthy; it is asked after each event and each request."""
        async with asyncio.timeout(SECONDS):
            while not (value := found()):
                self.news.clear()
                await self.news.wait()
        return value


class _Started:
    """Opens our client as `Connection` does, but leaves it to simcord to start it."""

    def __init__(self, opened: Callable[..., AnyClient]) -> None:
        self._opened = opened
        self.client: asyncio.Future[AnyClient] = asyncio.get_running_loop().create_future()

    def __call__(self, *given: Any, **options: Any) -> AnyClient:  # noqa: ANN401 - as `open_client` has it
        client = self._opened(*given, **options)
        client.start = self._start  # type: ignore[method-assign, assignment]
        client.setup_hook = _nothing  # type: ignore[method-assign]
        self.client.set_result(client)
        return client

    async def _start(self, _token: str) -> None:
        await asyncio.Event().wait()


async def _nothing() -> None:
    """Do nothing: simcord's HTTP client is no `DiscordHttp`: there is no gateway to be found."""


@asynccontextmanager
async def simulated(
    folder: Path, patch: pytest.MonkeyPatch, *, answers: Assistants = ScriptedAssistant, **more: object
) -> AsyncIterator[Simulated]:
    """Run a bot in simcord until the block ends; what went wrong in its callbacks fails the block."""
    given: Any = {"enabled": True, "message_content": True, "per_person": 1_000} | more
    chosen = DiscordSettings(**given)
    opening = _Started(connection.open_client)
    patch.setattr(connection, "open_client", opening)
    async with backstage(folder, {"discord": chosen}, clock=time.time, answers=answers) as behind:
        app = app_before(behind, chosen, SecretStr("simcord"))
        behind.desk.join(app.surface)
        behind.start(app)
        client = await opening.client
        async with simcord.run(client) as env:
            guild = env.create_guild()
            general = guild.create_text_channel("general")
            ann = guild.add_member(env.create_user("ann"))
            there = Simulated(env=env, behind=behind, guild=guild, general=general, ann=ann)
            _send(client, there.news)
            _listen(env, client, there.news)
            async with asyncio.timeout(SECONDS):
                await app.connected.wait()
            await _registered(there)
            try:
                yield there
            finally:
                await behind.close()


def _send(client: AnyClient, news: asyncio.Event) -> None:
    """Give simcord each address as aiohttp writes it: it knows `@original`, and not `%40original`."""
    http: Any = client.http
    request = http.request

    async def sent(route: Route, **options: Any) -> Any:  # noqa: ANN401 - as discord.py has it
        route.url = str(URL(route.url))
        try:
            return await request(route, **options)
        finally:
            news.set()

    http.request = sent


def _listen(env: simcord.Env, client: AnyClient, news: asyncio.Event) -> None:
    """Give the client each payload as the text that a gateway would have sent."""

    def hear(event: str, payload: Mapping[str, Any]) -> None:
        text = json.dumps({"op": 0, "s": 1, "t": event, "d": payload})
        client.dispatch("socket_raw_receive", text)
        news.set()

    env.backend.subscribers.append(hear)


async def _registered(there: Simulated) -> None:
    """Wait until the bot's commands can be used."""
    async with asyncio.timeout(SECONDS):
        while "ask" not in " ".join(there.ann.available_commands(there.general)):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
