"""What goes wrong between Discord and the real app, desk and inbox: nothing is lost or doubled (P14 to P16).

Their clock is the emulator's. `test_faults.py` has the faults that are better seen at `lorekeeper serve`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.discord import connection
from bot.chat import Incoming
from bot.messages import Answer, Question
from kb.database import DATABASE_FILE
from tests.adapters.backstage import SECONDS, held_up, never
from tests.adapters.discord.serving import is_whole
from tests.adapters.discord.whole import Team, team
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.gateway import Hearing

POST = "POST /channels/*/messages"
EDIT = "PATCH /channels/*/messages/*"
OPEN = "POST /channels/*/messages/*/threads"
CALLBACK = "POST /interactions/*/callback"
ANSWER = "PATCH /webhooks/*/messages/@original"
WORDS = [f"word{number:04}" for number in range(4_400)]
KNOWN = frozenset(WORDS)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


async def test_a_restart_answers_nothing_again(town: Team) -> None:
    """What was answered before a crash is not answered again after it, whoever tells of it."""
    async with town.bot() as bot:
        asked, used = await town.say("How many days?"), await town.use("How many hours?")
        await town.once(bot, asked, "days")
        await town.used(bot, used, "hours")
        await bot.crash()
    async with town.bot() as successor:
        await town.again(successor, asked)
        later = await town.say("How many weeks?")
        await town.once(successor, later, "weeks")
        assert len(town.replies(asked)) == len(used.messages) == 1
        assert [one.text for one in successor.assistant.asked] == ["How many weeks?"]


async def test_two_replicas_answer_once(town: Team) -> None:
    """What two processes with one database both hear, one of them answers: messages and commands."""
    async with town.bot() as one, town.bot() as other:
        asked = [await town.say(f"How many in {number}?") for number in range(5)]
        used = [await town.use(f"How many at {number}?") for number in range(5)]
        await town.again(one, *asked)
        for message in asked:
            await town.once(one, message, "Six")
        for interaction in used:
            await town.used(one, interaction, "Six")
        await town.heard(other, len(asked) + len(used))
        texts = [question.text for bot in (one, other) for question in bot.assistant.asked]
        assert len(texts) == len(set(texts)) == 10
        assert len(town.discord.gateway.ready()) == 2
        assert not any(interaction.failed for interaction in used)


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize("moment", ["before", "posting", "posted"])
async def test_a_crash_between_post_and_mark_doubles_nothing(town: Team, moment: str, threads: bool) -> None:
    """A crash before, in or after the post leaves one answer, once a successor runs."""
    async with town.bot(threads=threads) as bot:
        if moment == "before":
            bot.assistant.holds = asyncio.Event()
        elif moment == "posting":
            town.discord.faults.add(POST, hang=True, after=True)
        else:
            bot.inbox.done = never  # type: ignore[method-assign]
        asked = await town.say("How many days?")
        if moment == "before":
            await bot.assistant.began.wait()
        else:
            await town.discord.wait_for(lambda: town.replies(asked), SECONDS)
        await bot.crash()
    town.discord.faults.clear()
    town.discord.clock.advance(60)
    async with town.bot(threads=threads) as successor:
        await town.again(successor, asked)
        reply = await town.once(successor, asked, "days")
        assert reply.nonce


@pytest.mark.parametrize("moment", ["before", "posted"])
async def test_a_crash_while_a_command_is_answered_doubles_nothing(town: Team, moment: str) -> None:
    """After a crash the answer to a command is edited in, once, by the successor."""
    async with town.bot() as bot:
        if moment == "before":
            bot.assistant.holds = asyncio.Event()
        else:
            bot.inbox.done = never  # type: ignore[method-assign]
        used = await town.use("How many days?")
        if moment == "before":
            await bot.assistant.began.wait()
        else:
            await town.discord.wait_for(lambda: used.answered, SECONDS)
        await bot.crash()
    town.discord.clock.advance(60)
    async with town.bot() as successor:
        answer = await town.used(successor, used, "days")
        said = [one for one in town.discord.answers(town.general) if "days" in one.text]
        assert said == [answer]


async def test_a_crash_after_which_the_nonce_is_forgotten_doubles_nothing(town: Team) -> None:
    """Minutes later Discord does not know the nonce any more: the successor finds the post itself."""
    async with town.bot() as bot:
        bot.inbox.done = never  # type: ignore[method-assign]
        asked = await town.say("How many days?")
        await town.discord.wait_for(lambda: town.replies(asked), SECONDS)
        await bot.crash()
    town.discord.clock.advance(1_800)
    town.discord.world.nonces.clear()
    async with town.bot() as successor:
        await town.once(successor, asked, "days")


@pytest.mark.parametrize("threads", [True, False])
async def test_an_edit_while_the_answer_is_computed_counts(town: Team, threads: bool) -> None:
    """A question that is edited while it is answered gets one answer, to its last words."""
    async with town.bot(threads=threads) as bot:
        bot.assistant.deltas = ("How many",)
        bot.assistant.holds = asyncio.Event()
        asked = await town.say("How many days?")
        await bot.assistant.began.wait()
        await town.discord.edit(asked, f"{town.discord.bot.mention} How many weeks?")
        await bot.assistant.ended.wait()
        bot.assistant.holds.set()
        reply = await town.once(bot, asked, "weeks")
        assert "days" not in reply.text


async def test_an_edit_before_its_message_counts(town: Team) -> None:
    """When an edit comes before its message, the edited question is answered, once."""
    world, tell = town.discord.world, town.discord.world.tell
    async with town.bot() as bot:
        held: list[str] = []
        world.tell = lambda name, _message: held.append(name)  # type: ignore[method-assign]
        try:
            asked = await town.say("How many days?")
            await town.discord.edit(asked, f"{town.discord.bot.mention} How many weeks?")
        finally:
            world.tell = tell  # type: ignore[method-assign]
        assert held == ["MESSAGE_CREATE", "MESSAGE_UPDATE"]
        tell("MESSAGE_UPDATE", asked)
        await town.once(bot, asked, "weeks")
        await town.again(bot, asked)
        await town.once(bot, asked, "weeks")
        assert [one.text for one in bot.assistant.asked] == ["How many weeks?"]


async def test_a_message_that_is_heard_and_read_up_is_one_question(town: Team) -> None:
    """What comes over the gateway and is read up besides, after a new session, is answered once."""
    async with town.bot() as bot:
        asked = await town.say("How many days?")
        await town.once(bot, asked, "days")
        town.discord.faults.forget_sessions()
        town.discord.faults.cut()
        await town.heard(bot, 2)
        await town.once(bot, asked, "days")
        assert set(bot.heard) == {bot.heard[0]}
        assert len(bot.assistant.asked) == 1


@dataclass(slots=True)
class Wordy(ScriptedAssistant):
    """An assistant whose answer is as long as what Slack takes at most."""

    def made(self, question: Question) -> Answer:
        return replace(ScriptedAssistant.made(self, question), text=f"{' '.join(WORDS)} [1]")


async def test_a_very_long_answer_is_shown(town: Team) -> None:
    """Of 40,000 characters each word that is shown stands once and in order, and no message is refused."""
    async with town.bot(answers=Wordy) as bot:
        asked = await town.say("word " * 390)
        await town.discord.wait_for(lambda: town.replies(asked), SECONDS)
        await bot.settled()
        said = " ".join(part.text for part in town.replies(asked)).split()
        assert [word for word in said if word in KNOWN] == WORDS
        assert not [call for call in town.discord.calls if call.status >= 400]


@pytest.mark.parametrize("status", [0, 500, 502, 503])
@pytest.mark.parametrize("route", [POST, EDIT, OPEN])
async def test_a_reply_to_a_message_that_is_lost_doubles_nothing(town: Team, route: str, status: int) -> None:
    """Discord takes a call and its reply is lost or says 5xx: the answer stands once and whole."""
    async with town.bot() as bot:
        if route == EDIT:
            bot.assistant.deltas = ("How many",)
            bot.assistant.holds = asyncio.Event()
        fault = town.discord.faults.lose_answer(route, status=status)
        asked = await town.say("How many days?")
        if bot.assistant.holds is not None:
            await town.discord.wait_for(lambda: town.discord.made(POST), SECONDS)
            bot.assistant.holds.set()
        reply = await town.once(bot, asked, "days")
        assert fault.used == 1
        assert reply.channel is asked.thread
        assert len(town.discord.threads(town.general)) == 1
        assert not [one for one in town.discord.answers(town.general) if is_whole(one)]


@pytest.mark.parametrize("status", [0, 500, 503])
@pytest.mark.parametrize("route", [CALLBACK, ANSWER])
async def test_a_reply_to_a_command_that_is_lost_doubles_nothing(town: Team, route: str, status: int) -> None:
    """Discord takes the acknowledgement or the answer and its reply is lost: one answer stands."""
    async with town.bot() as bot:
        fault = town.discord.faults.lose_answer(route, status=status)
        used = await town.use("How many days?")
        await town.used(bot, used, "days")
        assert fault.used == 1
        assert not used.failed


@pytest.mark.parametrize("status", [0, 500, 503])
async def test_a_lost_reply_in_a_long_answer_to_a_command_doubles_nothing(town: Team, status: int) -> None:
    """Of an answer to a command that takes several messages, each stands once though a reply was lost."""
    async with town.bot(answers=Wordy) as bot:
        fault = town.discord.faults.lose_answer(POST, status=status)
        used = await town.use("How many days?")
        await town.discord.answer(used, SECONDS)
        await bot.settled()
        assert fault.used == 1
        assert words_in(town) == WORDS


async def test_a_long_answer_to_a_command_needs_no_right_to_write(town: Team) -> None:
    """Where the bot may not write, the further messages of an answer are those of its command."""
    async with town.bot(answers=Wordy) as bot:
        town.discord.faults.add(POST, status=403, code=50013, times=99)
        used = await town.use("How many days?")
        await town.discord.answer(used, SECONDS)
        await bot.settled()
        assert len(used.messages) == 12
        assert words_in(town) == WORDS


def words_in(town: Team) -> list[str]:
    """Return the words of a wordy answer that stand in the channel."""
    said = " ".join(message.text for message in town.discord.answers(town.general)).split()
    return [word for word in said if word in KNOWN]


async def test_a_missing_permission_ends_the_turn(town: Team) -> None:
    """Where the bot may not write, one post is refused, the turn ends, and the next question is answered."""
    async with town.bot(threads=False) as bot:
        fault = town.discord.faults.add(POST, status=403, code=50013, times=9)
        asked = await town.say("How many days?")
        await town.discord.wait_for(lambda: fault.used, SECONDS)
        await bot.settled()
        assert town.replies(asked) == []
        assert fault.used == 1
        town.discord.faults.clear()
        await town.once(bot, await town.say("How many weeks?"), "weeks")


@pytest.mark.parametrize("fault", ["op7", "op9_false", "op9_true", "cut", "forgotten", "closed"])
async def test_what_comes_in_a_break_is_answered(town: Team, fault: str) -> None:
    """Whatever breaks the gateway, what was asked before, meanwhile and after is answered, once (P16)."""
    discord, faults = town.discord, town.discord.faults
    async with town.bot() as bot:
        bot.assistant.holds = asyncio.Event()
        asked = [await town.say("How many days?")]
        await bot.assistant.began.wait()
        before = list(discord.gateway.connections)
        match fault:
            case "op7":
                faults.reconnect()
            case "op9_false" | "op9_true":
                faults.invalid_session(resumable=fault == "op9_true")
            case "closed":
                await faults.close(4000)
            case _:
                if fault == "forgotten":
                    faults.forget_sessions()
                faults.cut()
        asked.append(await town.say("How many weeks?"))
        await discord.wait_for(
            lambda: [one for one in discord.gateway.connections if one not in before and one.session], SECONDS
        )
        asked.append(await town.say("How many months?"))
        bot.assistant.holds.set()
        for message, word in zip(asked, ("days", "weeks", "months"), strict=True):
            await discord.wait_for(lambda asked=message: town.replies(asked), SECONDS)  # type: ignore[misc]
            await town.once(bot, message, word)


@pytest.mark.parametrize("hearing", ["dead", "deaf"])
async def test_a_zombie_connection_is_left(
    town: Team, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is open and brings nothing is found out; what it did not bring is answered, once."""
    monkeypatch.setattr(connection, "PROBE_SECONDS", 0.5)
    options = {"quiet": 0.5, "heartbeat": 2.0}
    async with town.bot(app_options=options) as bot:
        (before,) = town.discord.gateway.connections
        before.hearing = hearing
        asked = await town.say("How many days?")
        await town.once(bot, asked, "days")
        await town.discord.wait_for(lambda: before not in town.discord.gateway.connections, SECONDS)
        await town.once(bot, await town.say("How many weeks?"), "weeks")


async def test_a_locked_database_loses_nothing(town: Team) -> None:
    """While another holds the database nothing can be kept; then it is, and is answered once."""
    async with town.bot() as bot:
        trying, put = asyncio.Event(), bot.inbox.put

        async def tried(incoming: Incoming) -> bool:
            trying.set()
            return await put(incoming)

        bot.inbox.put = tried  # type: ignore[method-assign]
        with closing(sqlite3.connect(town.folder / DATABASE_FILE)) as database:
            database.execute("BEGIN IMMEDIATE")
            asked = await town.say("How many days?")
            await trying.wait()
            assert not town.replies(asked)
        await town.once(bot, asked, "days")


async def test_a_handler_that_is_held_up_loses_nothing(town: Team) -> None:
    """What comes while the desk takes nothing in for a minute is answered once, messages and commands."""
    async with town.bot() as bot:
        gate = held_up(bot)
        asked = [await town.say(f"How many in {number}?") for number in range(3)]
        used = await town.use("How many hours?")
        town.discord.clock.advance(60)
        gate.set()
        for message in asked:
            await town.once(bot, message, "Six")
        await bot.settled()
        assert len(bot.assistant.asked) == 4
        assert used.failed or used.answered
