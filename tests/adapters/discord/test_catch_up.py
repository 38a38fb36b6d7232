"""What was said while the bot was away, and what happens when the connection breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from bot.tables import inbox
from kb.database import close_database, transaction
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import ScriptedDesk, bot, database


async def heard_before(folder: Path, channel: str, at: float, *, workspace: str = "") -> None:
    """Note that an event of this channel was put into the inbox at this time."""
    row = dict.fromkeys((column.name for column in inbox.columns if column.name != "id"), "")
    numbers = ("received", "due", "until", "attempt", "finished")
    flags = ("posting", "counted", "stopped")
    row |= dict.fromkeys(numbers, 0) | dict.fromkeys(flags, False)
    row |= {"platform": "discord", "workspace": workspace, "channel": channel, "key": "k", "received": at}
    engine = await database(folder)
    async with transaction(engine) as connection:
        await connection.execute(insert(inbox), row)
    await close_database(engine)


async def test_questions_asked_meanwhile_are_answered(town: Town, tmp_path: Path) -> None:
    """A mention, a thread's and a direct message from before the start are taken in; older ones are not."""
    discord = town.discord
    await discord.say(town.general, town.ann, f"{discord.bot.mention} too old?")
    discord.clock.advance(7 * 3600)
    direct = discord.dm(town.ann)
    await heard_before(tmp_path, direct.id, discord.clock.now() - 3600)
    mention = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
    thread = await discord.open_thread(mention, town.ann, "How")
    inside = await discord.say(thread, town.ann, f"{discord.bot.mention} and why?")
    said = await discord.say(direct, town.ann, "hello?")
    desk = ScriptedDesk().answers()
    async with bot(discord, tmp_path, desk=desk, app_options={"clock": discord.clock.now}):
        for asked in (mention, inside, said):
            await discord.wait_for(lambda asked=asked: discord.replies(asked))
    assert {one.message for one in desk.incoming} == {mention.id, inside.id, said.id}


async def test_a_new_bot_does_not_answer_history(town: Town, tmp_path: Path) -> None:
    """At the very first start what was not said to the bot is left alone."""
    discord = town.discord
    await discord.say(town.general, town.ann, "How do I restart the router?")
    mention = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
    desk = ScriptedDesk()
    async with bot(discord, tmp_path, desk=desk):
        await desk.until(heard=1)
    assert [one.message for one in desk.incoming] == [mention.id]


async def test_what_was_said_in_the_channel_since_is_heard(town: Town, tmp_path: Path) -> None:
    """Once the bot was there, unaddressed messages of its absence count, too."""
    discord = town.discord
    await heard_before(tmp_path, town.general.id, discord.clock.now() - 5, workspace=town.guild.id)
    said = await discord.say(town.general, town.ann, "How do I restart the router?")
    desk = ScriptedDesk()
    async with bot(discord, tmp_path, desk=desk):
        await desk.until(heard=1)
    assert [one.message for one in desk.incoming] == [said.id]


async def test_quiet_channels_are_not_read(town: Town, tmp_path: Path) -> None:
    """A channel whose last message is older than the absence costs no request."""
    discord = town.discord
    await discord.say(town.general, town.ann, "old")
    discord.clock.advance(7 * 3600)
    async with bot(discord, tmp_path, app_options={"clock": discord.clock.now}):
        await discord.wait_for(lambda: discord.made("GET /guilds/*/threads/active"))
    assert not discord.made(f"GET /channels/{town.general.id}/messages")


@pytest.mark.parametrize("fault", ["reconnect", "cut", "resumable", "invalid", "forgotten", "closed"])
async def test_events_flow_again_after_a_fault(town: Town, tmp_path: Path, fault: str) -> None:
    """Op 7, a cut connection, op 9 of both kinds, a lost session and a closed socket lose no question."""
    discord, desk = town.discord, ScriptedDesk().answers()
    async with bot(discord, tmp_path, desk=desk):
        match fault:
            case "reconnect":
                discord.faults.reconnect()
            case "cut":
                discord.faults.cut()
            case "resumable" | "invalid":
                discord.faults.invalid_session(resumable=fault == "resumable")
            case "forgotten":
                discord.faults.forget_sessions()
                discord.faults.cut()
            case _:
                await discord.faults.close(4000)
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked), 20)
    assert len(desk.incoming) == 1


async def test_an_outage_ends_when_the_network_is_back(town: Town, tmp_path: Path) -> None:
    """Questions asked during an outage are answered after it, once."""
    discord, desk = town.discord, ScriptedDesk().answers()
    async with bot(discord, tmp_path, desk=desk, app_options={"outage": 1.0}):
        discord.faults.offline()
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        discord.faults.online()
        await discord.wait_for(lambda: discord.replies(asked), 30)
        assert len(discord.replies(asked)) == 1


@pytest.mark.parametrize("kind", ["dead", "deaf"])
async def test_a_connection_that_brings_nothing_is_left(town: Town, tmp_path: Path, kind: str) -> None:
    """A silent gateway, and one that only acknowledges heartbeats, are left; what was missed is read up."""
    discord, desk = town.discord, ScriptedDesk().answers()
    options = {"heartbeat": 2.0, "quiet": 1.0}
    async with bot(discord, tmp_path, desk=desk, app_options=options):
        discord.faults.zombie(kind)  # type: ignore[arg-type]
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how?")
        await discord.wait_for(lambda: discord.replies(asked), 30)
    assert len(desk.incoming) == 1
