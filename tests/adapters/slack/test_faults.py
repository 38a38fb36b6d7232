"""What goes wrong between Slack and the bot: nothing is lost, doubled or hidden (P14, P15).

The desk, the inbox and the app are the real ones; their clock is the emulator's.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.slack import reply as reply_module
from bot.chat import Incoming
from kb.database import DATABASE_FILE
from tests.adapters.slack.serving import SECONDS, shown
from tests.adapters.slack.whole import Bot, Team, team

DELIVERY = Path(__file__).parents[4] / "shared" / "data" / "trust" / "delivery" / "faults.jsonl"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


@pytest.mark.trust
@pytest.mark.skipif(not DELIVERY.is_file(), reason="../shared/data is absent")
def test_every_fault_of_delivery_has_a_test() -> None:
    """Each known fault of delivery that Slack can have is a test of this file."""
    known = {json.loads(line)["fault"] for line in DELIVERY.read_text("utf-8").splitlines() if line.strip()}
    ours = {fault for fault in known if not fault.startswith("gateway_")}
    assert ours
    assert {f"test_{fault}" for fault in ours} <= globals().keys()


async def test_dup_same_event(town: Team) -> None:
    """The same event a second later brings no second answer."""
    async with town.bot() as bot:
        ts = await town.say("How many days?")
        await town.once(bot, ts, "Six")
        town.slack.clock.advance(1)
        await town.again()
        await town.once(bot, ts, "Six")
        assert len(bot.assistant.asked) == 1


def held_up(bot: Bot) -> asyncio.Event:
    """Let the desk take nothing in until the event that is returned is set."""
    gate, receive = asyncio.Event(), bot.desk.receive

    async def late(incoming: Incoming) -> bool:
        await gate.wait()
        return await receive(incoming)

    bot.desk.receive = late  # type: ignore[method-assign]
    return gate


async def test_dup_retry_1(town: Team) -> None:
    """An event that was acknowledged too late comes again, and is answered once."""
    async with town.bot() as bot:
        gate = held_up(bot)
        ts = await town.say("How many days?")
        await town.sent(2)
        town.slack.clock.advance(4)
        await town.slack.wait_for(lambda: any(one.attempt for one in town.slack.acks), SECONDS)
        gate.set()
        await town.once(bot, ts, "Six")
        assert len(bot.assistant.asked) == 1
        assert any(one.failed for one in town.slack.acks)


async def test_dup_retry_5min(town: Team) -> None:
    """The last repetition, five minutes and a second later, is still known."""
    async with town.bot() as bot:
        ts = await town.say("How many days?")
        await town.once(bot, ts, "Six")
        town.slack.clock.advance(301)
        await town.again(attempt=3)
        await town.once(bot, ts, "Six")
        assert len(bot.assistant.asked) == 1


async def test_dup_after_restart(town: Team) -> None:
    """What was answered before a restart is not answered again after it."""
    async with town.bot() as bot:
        ts = await town.say("How many days?")
        await town.once(bot, ts, "Six")
        await bot.crash()
    async with town.bot() as successor:
        await town.again()
        later = await town.say("How many weeks?")
        await town.once(successor, later, "weeks")
        assert len(town.replies(ts)) == 1
        assert [one.text for one in successor.assistant.asked] == ["How many weeks?"]


async def test_a_repetition_may_be_the_only_delivery(town: Team) -> None:
    """What came while no bot ran is answered when Slack tries again, after a minute."""
    ts = await town.say("How many days?")
    await town.slack.wait_for(lambda: len(town.slack.acks) == 4, SECONDS)  # each event twice, both at once
    async with town.bot() as bot:
        town.slack.clock.advance(61)
        await town.once(bot, ts, "Six")


async def test_dup_two_replicas(town: Team) -> None:
    """One event on the sockets of two replicas is answered by one of them."""
    async with town.bot(connections=1) as one, town.bot(connections=1) as other:
        questions = [await town.say(f"How many in {number}?") for number in range(5)]
        await town.again()
        await town.again(attempt=2)
        for ts in questions:
            await town.once(one, ts, "Six")
        await town.settled(other)
        asked = [question.text for bot in (one, other) for question in bot.assistant.asked]
        assert len(asked) == len(set(asked)) == 5
        assert {ack.connection for ack in town.slack.acks} == {0, 1}


@pytest.mark.parametrize("moment", ["before", "posting", "posted"])
async def test_dup_crash_between_post_and_mark(town: Team, moment: str) -> None:
    """A crash before, in or after the post leaves one answer, once a successor runs."""
    hold = asyncio.Event()
    async with town.bot() as bot:
        if moment == "before":
            bot.assistant.holds = hold
        elif moment == "posting":
            town.slack.faults.hang("chat.postMessage", accepted=True)
        else:
            bot.inbox.done = never  # type: ignore[method-assign]
        ts = await town.say("How many days?")
        if moment == "before":
            await bot.assistant.began.wait()
        else:
            await town.slack.wait_for(lambda: town.replies(ts), SECONDS)
        await town.heard()
        await bot.crash()
    town.slack.clock.advance(60)
    async with town.bot() as successor:
        await town.again()
        await town.once(successor, ts, "Six")
        assert len(town.slack.calls_of("chat.postMessage")) == 1


async def never(*_: object, **__: object) -> bool:
    """Wait for ever, as a note does that its process did not live to write."""
    await asyncio.Event().wait()
    return False


async def test_out_of_order(town: Team) -> None:
    """When an edit comes before its message, the edited question is answered, once."""
    async with town.bot() as bot:
        with town.slack.delivery.held() as held:
            ts = await town.say("How many days?")
            await town.slack.edit(town.channel, ts, f"{town.slack.mention} How many weeks?")
            *earlier, edit = held
            held.clear()
        await town.deliver(edit)
        await town.once(bot, ts, "weeks")
        await town.deliver(*earlier)
        await town.once(bot, ts, "weeks")
        assert [one.text for one in bot.assistant.asked] == ["How many weeks?"]


async def test_edit(town: Team) -> None:
    """A question that is edited while it is answered gets one answer, to its last words."""
    async with town.bot() as bot:
        bot.assistant.holds = asyncio.Event()
        ts = await town.say("How many days?")
        await bot.assistant.began.wait()
        await town.slack.edit(town.channel, ts, f"{town.slack.mention} How many weeks?")
        await bot.assistant.ended.wait()
        bot.assistant.holds.set()
        reply = await town.once(bot, ts, "weeks")
        assert "days" not in shown(reply)


async def test_app_mention_and_message(town: Team) -> None:
    """One post that comes as `message` and as `app_mention` is one question."""
    async with town.bot() as bot:
        ts = await town.say("How many days?")
        await town.once(bot, ts, "Six")
        assert {one.event_type for one in town.slack.acks} == {"message", "app_mention"}
        assert len(bot.assistant.asked) == 1


async def test_long_text(town: Team) -> None:
    """40,000 characters are taken in, and as many are answered: every word, in order, in one reply."""
    words = [f"word{number:04}" for number in range(4_400)]
    async with town.bot() as bot:
        ts = await town.say(" ".join(words))
        await town.settled(bot)
        parts = town.replies(ts)
        said = " ".join(shown(part) for part in parts)
        assert [word for word in said.split() if word.startswith("word")] == words
        assert {call.error for call in town.slack.calls} == {""}
        assert len(bot.assistant.asked) == 1


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.startStream", "chat.stopStream", "chat.update"])
async def test_5xx_after_accept(town: Team, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Slack takes a call and says 500, the reply stands once and whole."""
    monkeypatch.setattr(reply_module, "FIRST_PIECE_SECONDS", 0.0)
    async with town.bot() as bot:
        if method != "chat.postMessage":
            bot.assistant.deltas = ("How many",)
            bot.assistant.holds = asyncio.Event()
        if method == "chat.update":
            town.slack.faults.fail("chat.stopStream", "internal_error")
        town.slack.faults.status(method, 500, accepted=True)
        ts = await town.say("How many days?")
        if bot.assistant.holds is not None:
            await town.slack.wait_for(lambda: town.slack.calls_of("chat.startStream"), SECONDS)
            bot.assistant.holds.set()
        await town.once(bot, ts, "Six")
        assert not town.slack.faults.waiting


async def test_not_in_channel(town: Team) -> None:
    """Where the bot may not write the turn ends, and the next question is answered."""
    async with town.bot() as bot:
        town.slack.faults.fail("chat.postMessage", "not_in_channel", times=9)
        ts = await town.say("How many days?")
        await town.slack.wait_for(lambda: town.slack.calls_of("chat.postMessage"), SECONDS)
        await town.settled(bot)
        assert town.replies(ts) == []
        assert len(town.slack.calls_of("chat.postMessage")) == 1
        town.slack.faults.clear()
        await town.once(bot, await town.say("How many weeks?"), "weeks")


async def test_zombie_socket(town: Team) -> None:
    """What went to a socket that answers pings and is dead is answered, for a new one takes its place."""
    async with town.bot(connections=1, quiet_seconds=0.3) as bot:
        town.slack.sockets.zombie()
        ts = await town.say("How many days?")
        await town.sent(2)
        await town.slack.wait_for(
            lambda: any(not one.zombie for one in town.slack.sockets.connections), SECONDS
        )
        await town.slack.wait_for(
            lambda: not any(one.zombie for one in town.slack.sockets.connections), SECONDS
        )
        town.slack.clock.advance(4)
        await town.once(bot, ts, "Six")


async def test_event_loop_block(town: Team) -> None:
    """What comes while a handler holds everything up for a minute is repeated by Slack, and answered once."""
    async with town.bot() as bot:
        gate = held_up(bot)
        questions = [await town.say(f"How many in {number}?") for number in range(3)]
        await town.sent(6)
        town.slack.clock.advance(60)
        await town.slack.wait_for(lambda: any(one.failed for one in town.slack.acks), SECONDS)
        gate.set()
        for ts in questions:
            await town.once(bot, ts, "Six")
        assert not town.slack.delivery.lost


async def test_private_channel(town: Team) -> None:
    """In a private channel the answer may use what is limited to it; elsewhere it may not."""
    board = town.slack.add_channel("board", members=[town.ann], private=True)
    async with town.bot() as bot:
        inside = await town.say("How many days?", channel=board)
        await town.once(bot, inside, "Six", channel=board)
        await town.once(bot, await town.say("How many weeks?"), "weeks")
        first, second = (question.asker.audience for question in bot.assistant.asked)
        assert f"slack:{board}" in first.tags
        assert f"slack:{board}" not in second.tags


async def test_a_locked_database_loses_nothing(town: Team) -> None:
    """While another holds the database nothing is acknowledged; then it is answered, once."""
    async with town.bot() as bot:
        path = town.folder / DATABASE_FILE
        with closing(sqlite3.connect(path, timeout=SECONDS, check_same_thread=False)) as database:
            # In a thread: the bot needs the loop to end a transaction of its own.
            await asyncio.to_thread(database.execute, "BEGIN IMMEDIATE")
            ts = await town.say("How many days?")
            await town.sent(2)
            town.slack.clock.advance(4)
            await town.slack.wait_for(lambda: any(one.attempt for one in town.slack.acks), SECONDS)
            assert not any(one.acked for one in town.slack.acks)
        await town.once(bot, ts, "Six")


async def test_a_hundred_questions_at_once_are_acknowledged_while_all_wait(town: Team) -> None:
    """While the assistant says nothing a hundred questions are acknowledged in time, and answered later."""
    async with town.bot() as bot:
        bot.assistant.holds = asyncio.Event()
        questions = await asyncio.gather(*(town.say(f"How many in {number}?") for number in range(100)))
        await town.slack.wait_for(
            lambda: len(town.slack.acks) == 200 and all(one.acked for one in town.slack.acks), SECONDS
        )
        assert not any(one.attempt or one.failed for one in town.slack.acks)
        assert not bot.assistant.ended.is_set()
        bot.assistant.holds.set()
        await town.settled(bot)
        assert [len(town.replies(ts)) for ts in questions] == [1] * 100
        assert len(bot.assistant.asked) == 100


async def test_a_busy_channel_keeps_slacks_limits(town: Team) -> None:
    """Twelve questions at once in one channel are all answered, and no call comes inside a wait (P18)."""
    async with town.bot() as bot:
        town.slack.limits.on = True
        asked = [await town.say(f"Question {number}?") for number in range(12)]
        await town.slack.wait_for(lambda: all(town.replies(ts) for ts in asked), SECONDS)
        await town.settled(bot)
        assert [len(town.replies(ts)) for ts in asked] == [1] * 12
        assert "chat.postMessage" in town.slack.limits.refused
        assert town.slack.limits.early == []
