"""What a reader in Slack sees of a broken network, a limit, or a missing answer (P16, P17, P18)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from adapters.slack import reply as reply_module
from bot import answering
from bot.assistant import CANNOT_SEARCH
from bot.ledger import Ledger
from bot.messages import AnswerDelta, AnswerEvent, Question
from tests.adapters.failing import (
    ASK,
    LOG_ID,
    QUOTE,
    SECRET,
    Broken,
    knowing,
    locked,
    model_down,
    one_line,
    silent,
    without_documents,
)
from tests.adapters.slack.serving import ANN, GENERAL, LEAVE, SECONDS, people, serve, shown, write
from tests.adapters.slack.whole import Team, team
from tests.bot.desks import ScriptedAssistant
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.socket_mode import Reason
from tests.emulators.slack.workspace import Message


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("trouble", ["cut", "refresh_requested", "warning", "link_disabled"])
async def test_what_comes_in_a_break_is_answered(town: Team, trouble: Literal["cut"] | Reason) -> None:
    """After a cut and after any goodbye, what was said before, meanwhile and after is answered once."""
    async with town.bot() as bot:
        bot.assistant.holds = asyncio.Event()
        questions = [await town.say("How many days?")]
        await bot.assistant.began.wait()
        opened = town.slack.sockets.opened
        if trouble == "cut":
            town.slack.sockets.cut()
        else:
            await town.slack.sockets.disconnect(trouble)
        questions.append(await town.say("How many weeks?"))
        await town.slack.wait_for(lambda: town.slack.sockets.opened >= opened + 2, SECONDS)
        town.slack.clock.advance(61)  # what found no connection comes again
        questions.append(await town.say("How many months?"))
        bot.assistant.holds.set()
        for ts, word in zip(questions, ("days", "weeks", "months"), strict=True):
            await town.once(bot, ts, word)


async def test_a_killed_process_leaves_no_question_and_answers_none_twice(tmp_path: Path) -> None:
    """`serve` is killed with its post accepted and no reply read: its successor finds the post."""
    async with SlackEmulator().running() as slack:
        people(slack)
        write(tmp_path, slack)
        async with serve(slack, tmp_path) as served:
            await served.ready()
            slack.faults.hang("chat.postMessage", accepted=True)
            ts = await slack.say(GENERAL, ANN, f"{slack.mention} {LEAVE}")
            await served.until(lambda: slack.messages(GENERAL, ts))
            assert await served.end(signal.SIGKILL) == -signal.SIGKILL
        town = Team(slack=slack, folder=tmp_path / ".lorekeeper", ann=ANN, channel=GENERAL)
        async with town.bot() as successor:
            await town.again()
            await town.once(successor, await town.say("How many weeks?"), "weeks")
            assert "28 days" in shown(await town.once(successor, ts, ""))
        assert len(slack.calls_of("chat.postMessage")) == 2


async def line(town: Team, answers: Callable[[Ledger], Any], text: str = ASK, **settings: object) -> Message:
    """Ask a bot and return its one reply."""
    async with town.bot(answers=answers, **settings) as bot:
        ts = await town.say(text)
        return await town.once(bot, ts, "")


def words(message: Message) -> str:
    """Return what a message says, without its buttons."""
    blocks = [block for block in message.blocks if block["type"] != "actions"]
    return shown(replace(message, blocks=blocks)).strip()


async def test_an_unforeseen_failure_is_one_line(town: Team, caplog: pytest.LogCaptureFixture) -> None:
    """A failure that nobody foresaw is one line, with the id under which the log has its cause."""
    said = one_line(words(await line(town, Broken)))
    found = LOG_ID.search(said)
    assert found
    assert f"turn {found[0][5:-1]}: failed" in caplog.text
    assert SECRET not in said


async def test_a_model_that_does_not_answer_is_one_line(town: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing comes for too long, one line says so."""
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    assert LOG_ID.search(one_line(words(await line(town, silent))))


async def test_a_model_that_is_down_is_told(town: Team) -> None:
    """Without its model the bot quotes the passage, and one line says why and where the log has more."""
    async with model_down() as answers:
        said = shown(await line(town, answers))
    assert QUOTE in said
    (notice,) = [one for one in said.splitlines() if "log" in one]
    assert "model" in notice
    assert len(LOG_ID.findall(said)) == 1


async def test_an_empty_index_is_told(town: Team) -> None:
    """Without documents one line says what to do."""
    said = one_line(words(await line(town, without_documents)))
    assert "add one with `/kb add LOCATION`" in said


async def test_a_locked_index_is_told(town: Team) -> None:
    """When the documents cannot be searched, two short lines say so, with the cause and a log id."""
    said = words(await line(town, locked))
    assert CANNOT_SEARCH in said
    assert "locked by another process. (log " in said
    assert LOG_ID.search(said)
    assert len(said.splitlines()) == 2


async def test_a_quota_is_told(town: Team) -> None:
    """Who asks too much is told so in one line."""
    async with town.bot(per_person=1) as bot:
        await town.once(bot, await town.say("How many days?"), "Six")
        assert "1" in one_line(words(await town.once(bot, await town.say("How many weeks?"), "")))
        assert len(bot.assistant.asked) == 1


async def test_a_question_that_is_too_long_is_told(town: Team) -> None:
    """Of a very long question the beginning is used, and a line says so."""
    said = shown(await line(town, knowing, f"{ASK} {'really ' * 5_000}"))
    assert "very long" in said
    assert QUOTE in said


@pytest.mark.parametrize("code", ["msg_too_long", "invalid_blocks"])
async def test_an_answer_that_slack_does_not_take_is_told(town: Team, code: str) -> None:
    """When Slack refuses the form of an answer, one line stands in its place."""
    town.slack.faults.fail("chat.postMessage", code)
    assert LOG_ID.search(one_line(words(await line(town, ScriptedAssistant))))


@dataclass(slots=True)
class Writing(ScriptedAssistant):
    """An assistant that writes a first piece, another one when `more` is set, and the end when `holds` is."""

    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        yield AnswerDelta(text="How many")
        await self.more.wait()
        yield AnswerDelta(text=" in")
        async with aclosing(ScriptedAssistant.stream(self, question)) as rest:
            async for event in rest:
                yield event


@pytest.mark.parametrize(
    "method", ["chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"]
)
async def test_no_call_comes_before_its_time(
    town: Team, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever Slack limits, no call is made inside its `Retry-After`, and each answer stands once."""
    monkeypatch.setattr(reply_module, "FIRST_PIECE_SECONDS", 0.0)
    monkeypatch.setattr(reply_module, "PIECE_SECONDS", 0.01)
    slack, streams = town.slack, method != "chat.postMessage"
    if method == "chat.update":
        slack.faults.fail("chat.stopStream", "internal_error", times=3)
    times = 1 if streams else 2
    slack.faults.rate_limit(method, 1, times=times)
    async with town.bot(answers=Writing if streams else ScriptedAssistant) as bot:
        if streams:
            bot.assistant.holds = asyncio.Event()
        questions = [await town.say("How many in 0?")]
        if streams:
            await slack.wait_for(lambda: slack.calls_of("chat.startStream"), SECONDS)
            bot.assistant.more.set()
        if method in {"chat.stopStream", "chat.update"}:
            bot.assistant.holds.set()
        await slack.wait_for(lambda: slack.limits.refused, SECONDS)
        questions += [await town.say(f"How many in {number}?") for number in (1, 2)]
        if streams:
            bot.assistant.holds.set()
        for number, ts in enumerate(questions):
            await town.once(bot, ts, f"How many in {number}? Six")
    assert slack.limits.refused == [method] * times
    assert slack.limits.early == []
