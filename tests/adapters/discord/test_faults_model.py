"""A model that takes a minute while a hundred people ask at once: all are acknowledged and kept (P13)."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.adapters.discord.serving import KEY, Served, is_whole, serve, town_in, write
from tests.emulators.discord.interactions import ACKNOWLEDGE_SECONDS, Interaction
from tests.emulators.discord.messages import Message
from tests.emulators.discord.server import DiscordEmulator
from tests.emulators.openai import OpenAIEmulator, say

HALF = 50  # messages, and as many commands
MODEL = """
[llm]
provider = "openai"
model = "test-model"
base_url = "{base_url}"
api_key_env = "KEY_OF_THE_MODEL"
timeout = 180
"""
CALLBACKS = "POST /interactions/*/callback"
ANSWERING = 150.0  # seconds that a hundred answers may take on a busy machine


async def test_a_hundred_questions_are_acknowledged_while_the_model_thinks(tmp_path: Path) -> None:
    """Each is acknowledged in time and kept at once, none comes twice, and each is answered once."""
    released = asyncio.Event()
    async with OpenAIEmulator().running() as model, DiscordEmulator().running() as discord:
        model.reply = lambda _request: say("A lost door key costs 40 euros [1].", first_token=released.wait)
        town = town_in(discord)
        write(tmp_path, town, more=MODEL.format(base_url=model.base_url))
        async with serve(town, tmp_path, KEY_OF_THE_MODEL=model.key) as served:
            await served.ready()
            asked, used = await everybody_asks(served)
            await served.until(lambda: all(one.acknowledged for one in used))
            await served.until(lambda: len(kept(served)) == 2 * HALF)
            assert max(one.latency for one in used) < ACKNOWLEDGE_SECONDS
            await served.until(model.chats)
            discord.clock.advance(60)
            assert not [one for one in used if one.answered or one.failed or one.expired]
            assert not [one for message in asked for one in discord.replies(message) if is_whole(one)]
            assert "done" not in kept(served)
            released.set()
            await discord.wait_for(lambda: all(map(discord.replies, asked)), ANSWERING)
            await discord.wait_for(lambda: all(one.answered for one in used), ANSWERING)
            await served.until(lambda: set(kept(served)) == {"done"})
            assert await served.end() == 0
        for message in asked:
            (reply,) = discord.replies(message)
            assert "40 euros" in reply.text
        for interaction in used:
            (answer,) = interaction.messages
            assert "40 euros" in answer.text
        assert set(Counter(call.path for call in discord.made(CALLBACKS)).values()) == {1}
        assert [call for call in discord.calls if call.status >= 400] == []


async def everybody_asks(served: Served) -> tuple[list[Message], list[Interaction]]:
    """Ask by message and by command, all at the same moment."""
    town = served.town
    messages = (
        town.discord.say(town.flat, town.ann, f"{town.discord.bot.mention} {KEY}") for _ in range(HALF)
    )
    commands = (
        town.discord.command("ask", {"question": KEY}, user=town.bob, channel=town.flat) for _ in range(HALF)
    )
    return await asyncio.gather(*messages), await asyncio.gather(*commands)


def kept(served: Served) -> list[str]:
    """Return the state of each row of the inbox."""
    return [state for (state,) in served.rows("SELECT state FROM inbox")]
