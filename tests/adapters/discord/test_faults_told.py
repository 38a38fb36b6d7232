"""What a reader in Discord sees when an answer is missing: a short line and a log id, never silence (P17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import answering
from bot.assistant import CANNOT_SEARCH
from kb.errors import StoreError
from tests.adapters.backstage import SECONDS, Assistants
from tests.adapters.discord.whole import Team, team
from tests.adapters.failing import (
    ASK,
    LOG_ID,
    QUOTE,
    SECRET,
    Broken,
    locked,
    model_down,
    modelled,
    one_line,
    silent,
    without_documents,
)
from tests.bot.desks import ScriptedAssistant
from tests.emulators.openai import NO_QUOTA, OVERLOADED, Failure, OpenAIEmulator, forever, say

POST = "POST /channels/*/messages"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


async def line(town: Team, answers: Assistants, text: str = ASK, *, command: bool = False) -> str:
    """Ask a bot, in the channel or with the command, and return what its one reply says."""
    async with town.bot(answers=answers) as bot:
        if command:
            return (await town.used(bot, await town.use(text), "")).text.strip()
        return (await town.once(bot, await town.say(text), "")).text.strip()


@pytest.mark.parametrize("command", [False, True])
async def test_an_unforeseen_failure_is_one_line(
    town: Team, command: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure that nobody foresaw is one line, with the id under which the log has its cause."""
    told = one_line(await line(town, Broken, command=command))
    found = LOG_ID.search(told)
    assert found
    assert f"turn {found[0][5:-1]}: failed" in caplog.text
    assert SECRET not in told


@pytest.mark.parametrize("command", [False, True])
async def test_a_model_that_does_not_answer_is_one_line(
    town: Team, command: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing comes for too long, one line says so."""
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    assert LOG_ID.search(one_line(await line(town, silent, command=command)))


def quoted_with_a_reason(told: str) -> str:
    """Return the one line which says why only the passage is quoted."""
    assert QUOTE in told
    (notice,) = [one for one in told.splitlines() if "log" in one]
    assert len(LOG_ID.findall(told)) == 1
    assert "Traceback" not in told
    return notice


async def test_a_model_that_is_down_is_told(town: Team) -> None:
    """Without its model the bot quotes the passage, and one line says why and where the log has more."""
    async with model_down() as answers:
        assert "model" in quoted_with_a_reason(await line(town, answers))


@pytest.mark.parametrize("failure", [NO_QUOTA, OVERLOADED], ids=["quota", "overloaded"])
async def test_a_model_that_refuses_is_told(town: Team, failure: Failure) -> None:
    """When the model's account is empty, or the model has too much to do, the passage and one line say so."""
    async with OpenAIEmulator().running() as server:
        server.reply = lambda _request: failure
        async with modelled(server.base_url, key=server.key) as answers:
            quoted_with_a_reason(await line(town, answers))


async def test_a_model_that_is_too_slow_is_told(town: Team) -> None:
    """When the model takes longer than the settings allow, the passage and one line say so."""
    async with OpenAIEmulator().running() as server:
        server.reply = lambda _request: say("Six [1].", first_token=forever)
        async with modelled(server.base_url, key=server.key, seconds=0.2) as answers:
            quoted_with_a_reason(await line(town, answers))


async def test_an_empty_index_is_told(town: Team) -> None:
    """Without documents one line says what to do."""
    assert "add one with `/kb add LOCATION`" in one_line(await line(town, without_documents))


async def test_a_locked_index_is_told(town: Team) -> None:
    """When the documents cannot be searched, two short lines say so, with the cause and a log id."""
    told = await line(town, locked)
    assert CANNOT_SEARCH in told
    assert "locked by another process" in told
    assert LOG_ID.search(told)
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize("command", [False, True])
async def test_a_quota_is_told(town: Team, command: bool) -> None:
    """Who asks too much is told so in one line."""
    async with town.bot(per_person=1) as bot:
        await town.once(bot, await town.say("How many days?"), "Six")
        if command:
            told = await town.used(bot, await town.use("How many weeks?"), "")
        else:
            told = await town.once(bot, await town.say("How many weeks?"), "")
        assert "1" in one_line(told.text.strip())
        assert len(bot.assistant.asked) == 1


@pytest.mark.parametrize("command", [False, True])
async def test_a_question_as_long_as_discord_takes_is_used_whole(town: Team, command: bool) -> None:
    """No question of Discord is too long for the bot: to its last word it is what the answer is about."""
    async with town.bot() as bot:
        room = 4_000 if command else 2_000 - len(f"{town.discord.bot.mention} ")
        question = f"{'really ' * 600}"[: room - len(ASK)] + ASK
        await (town.use(question) if command else town.say(question))
        await town.heard(bot, 1)
        await bot.settled()
        assert [one.text for one in bot.assistant.asked] == [question]


async def test_an_answer_that_discord_does_not_take_is_told(town: Team) -> None:
    """When Discord refuses the form of an answer, its bare words stand in its place."""
    town.discord.faults.add(POST, status=400, code=50035)
    assert "Six" in await line(town, ScriptedAssistant)


async def test_an_answer_that_discord_takes_in_no_form_is_told(
    town: Team, caplog: pytest.LogCaptureFixture
) -> None:
    """When Discord refuses even the bare words, one line stands in their place, and the log has the cause."""
    town.discord.faults.add(POST, status=400, code=50035, times=2)
    assert LOG_ID.search(one_line(await line(town, ScriptedAssistant)))
    assert "50035" in caplog.text


async def test_a_store_that_is_locked_at_a_command_is_told(
    town: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that cannot be kept is answered with one line, for an interaction cannot wait."""
    async with town.bot() as bot:

        async def fails(*_: object) -> bool:
            raise StoreError("The database is locked. Try again.")

        monkeypatch.setattr(bot.desk, "receive", fails)
        used = await town.use(ASK)
        await town.discord.answer(used, SECONDS)
        assert "Traceback" not in one_line(used.text.strip())
        assert used.messages[0].ephemeral_to == town.ann.id
