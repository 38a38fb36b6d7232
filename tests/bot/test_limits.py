from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.inbox import Inbox
from bot.limits import REFUSALS, WINDOW, Limits
from kb.database import close_database, open_database
from tests.bot.inboxes import PLATFORMS, Clock
from tests.bot.surface import message


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


async def test_the_window_slides(engine: AsyncEngine) -> None:
    """Who has asked enough for ten minutes is told how long to wait, and may ask again then."""
    clock = Clock()
    inbox = await Inbox.open(engine, clock=clock)
    limits = Limits(inbox, {"slack": 2}, clock=clock)

    async def ask(number: int) -> tuple[str, float]:
        await inbox.put(message(number))
        (claim,) = await inbox.claim(PLATFORMS, 1)
        judgement = await limits.judge(claim)
        await inbox.done(claim, "answered")
        return judgement.verdict, judgement.wait

    assert [await ask(1), await ask(2)] == [("answer", 0.0)] * 2
    clock.now += 100
    refused = [await ask(number) for number in range(3, 6 + REFUSALS)]
    assert refused[:REFUSALS] == [("refuse", WINDOW - 100)] * REFUSALS
    assert {verdict for verdict, _ in refused[REFUSALS:]} == {"ignore"}
    clock.now += WINDOW
    assert (await ask(99))[0] == "answer"


async def test_a_second_try_is_not_a_second_question(engine: AsyncEngine) -> None:
    """A question that is tried again is counted once, also by another process."""
    inbox = await Inbox.open(engine)
    await inbox.put(message(1))
    (claim,) = await inbox.claim(PLATFORMS, 1)
    for _ in range(5):
        assert (await Limits(inbox, {"slack": 1}).judge(claim)).verdict == "answer"


async def test_no_limit(engine: AsyncEngine) -> None:
    """A platform without a quota has none."""
    inbox = await Inbox.open(engine)
    await inbox.put(message(1))
    (claim,) = await inbox.claim(PLATFORMS, 1)
    assert (await Limits(inbox, {}).judge(claim)).verdict == "answer"
