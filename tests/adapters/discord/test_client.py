"""The client: its addresses, its breaker, its shards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.client import Breaker, Pace, intents
from adapters.discord.settings import DiscordSettings
from bot.errors import SurfaceBusy
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import ScriptedDesk, bot
from tests.emulators.discord.server import DiscordEmulator


async def test_two_bots_with_two_addresses_run_in_one_process(town: Town, tmp_path: Path) -> None:
    """Each client talks to its own address, and the library's are as they were."""
    async with DiscordEmulator().running() as other:
        guild = other.add_guild()
        general, bob = other.add_channel(guild), other.add_member(guild, "Bob")
        first, second = ScriptedDesk().answers(), ScriptedDesk().answers("Buy another [1].")
        async with bot(town.discord, tmp_path / "a", desk=first), bot(other, tmp_path / "b", desk=second):
            asked = await town.discord.say(town.general, town.ann, f"{town.discord.bot.mention} how?")
            also = await other.say(general, bob, f"{other.bot.mention} how?")
            (reply,) = await town.discord.wait_for(lambda: town.discord.replies(asked))
            (another,) = await other.wait_for(lambda: other.replies(also))
    assert "Restart" in reply.text
    assert "another" in another.text
    assert Route.BASE == "https://discord.com/api/v10"
    assert DiscordWebSocket.DEFAULT_GATEWAY.host == "gateway.discord.gg"


async def test_the_settings_name_the_gateway(town: Town, tmp_path: Path) -> None:
    """With `gateway_url` the API is not asked for it."""
    async with bot(town.discord, tmp_path, gateway_url=town.discord.gateway_url):
        assert not town.discord.made("GET /gateway/bot")


async def test_shards_answer_like_one_connection(town: Town, tmp_path: Path) -> None:
    """With `shards = 2` there are two gateway sessions, and questions are answered."""
    discord = town.discord
    async with bot(discord, tmp_path, desk=ScriptedDesk().answers(), shards=2, wait=False):
        await discord.ready(2, 30)
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked))


def test_the_breaker_opens_long_before_a_ban() -> None:
    """After too many invalid answers nothing is sent until the oldest is ten minutes old."""
    now = 0.0
    breaker = Breaker(limit=3, window=600, clock=lambda: now)
    for status in (401, 403, 404, 500):
        breaker.note(status)
    breaker.note(429, shared=True)
    breaker.check()
    breaker.note(429)
    with pytest.raises(SurfaceBusy) as busy:
        breaker.check()
    assert busy.value.seconds == 600
    now = 600.0
    breaker.check()


async def test_requests_keep_the_global_limit_and_signs_go_first() -> None:
    """A request above the limit waits for the next second, and one that goes first overtakes it."""
    pace, order = Pace(most=2), list[str]()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def send(name: str, *, first: bool = False) -> None:
        await pace.wait(first=first)
        order.append(name)

    waiting = [asyncio.create_task(send(name)) for name in "abcd"]
    await asyncio.gather(*waiting, send("sign", first=True))
    assert order.index("sign") < order.index("d")
    assert loop.time() - began >= 1.9


@pytest.mark.parametrize("content", [True, False])
def test_message_content_is_asked_for_only_where_it_is_used(content: bool) -> None:
    """The one privileged intent is that of the settings."""
    asked = intents(DiscordSettings(message_content=content))
    assert asked.message_content is content
    assert not asked.members
    assert not asked.presences


async def test_an_outright_refusal_by_the_edge_is_waited_out(town: Town, tmp_path: Path) -> None:
    """A 429 that does not come from Discord's API is not repeated at once."""
    discord = town.discord
    async with bot(discord, tmp_path) as scripted:
        discord.faults.rate_limit("POST /channels/*/messages", 1.0, via=False)
        with pytest.raises(SurfaceBusy) as busy:
            await scripted.app.surface.notify(town.guild.id, town.general.id, "x")
    assert busy.value.seconds == 60
