"""Messages between people and the real client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.emulators.discord.conftest import Connect, Place
from tests.emulators.discord.server import DiscordEmulator


async def test_a_message_reaches_the_client_and_its_reply_comes_back(connect: Connect) -> None:
    """The client hears a mention, replies to it, and the reply refers to the message."""
    async with DiscordEmulator().running() as discord:
        place = Place(discord)
        async with connect(discord) as bot:
            asked = await discord.say(place.general, place.ann, f"{discord.bot.mention} hello?")
            heard = await asyncio.wait_for(bot.heard.get(), 5)
            assert heard.content == f"{discord.bot.mention} hello?"
            assert heard.author.name == "ann"
            await heard.reply("Hello.")
            (reply,) = await discord.wait_for(lambda: discord.replies(asked))
    assert reply.content == "Hello."
    assert not reply.pings


async def test_what_is_no_question_comes_as_what_it_is(connect: Connect) -> None:
    """Other bots, webhooks and messages of the system are told apart by the client."""
    async with DiscordEmulator().running() as discord:
        place = Place(discord)
        other = discord.add_member(place.guild, "Other", bot=True)
        async with connect(discord) as bot:
            await discord.say(place.general, other, "from a bot")
            await discord.say(place.general, place.ann, "from a webhook", webhook=True)
            await discord.say(place.general, place.ann, kind=7)
            heard = [await asyncio.wait_for(bot.heard.get(), 5) for _ in range(3)]
    assert heard[0].author.bot
    assert heard[1].webhook_id
    assert heard[2].is_system()


async def test_a_private_thread_is_heard_once_the_bot_is_in_it(connect: Connect) -> None:
    """Before the bot is brought in, it hears nothing of the thread; then it hears and may write."""
    async with DiscordEmulator().running() as discord:
        place = Place(discord)
        async with connect(discord) as bot:
            thread = await discord.open_thread(place.general, place.ann, "between us", private=True)
            await discord.say(thread, place.ann, "unheard")
            await discord.add_to_thread(thread, discord.bot)
            await discord.say(thread, place.ann, "heard")
            heard = await asyncio.wait_for(bot.heard.get(), 5)
            await heard.channel.send("Here.")
    assert heard.content == "heard"
    assert [one.content for one in discord.answers(thread)] == ["Here."]


async def test_channels_and_servers_can_be_lost(connect: Connect) -> None:
    """A deleted channel and a server that the bot was taken out of are gone for the client."""
    async with DiscordEmulator().running() as discord:
        place = Place(discord)
        extra = discord.add_channel(place.guild, "extra")
        async with connect(discord) as bot:
            gone: asyncio.Queue[str] = asyncio.Queue()
            bot.event(_named("on_guild_channel_delete", lambda channel: gone.put(channel.name)))
            bot.event(_named("on_guild_remove", lambda guild: gone.put(guild.name)))
            await discord.remove_channel(extra)
            discord.kick_bot(place.guild)
            names = [await asyncio.wait_for(gone.get(), 5) for _ in range(2)]
    assert names == ["extra", "Acme"]


Listener = Callable[[Any], Coroutine[Any, Any, None]]


def _named(name: str, act: Listener) -> Listener:
    """Return a listener under the name by which the client finds it."""

    async def listener(about: Any) -> None:  # noqa: ANN401 - what the event is about
        await act(about)

    listener.__name__ = name
    return listener
