"""What stands under the bot's name: how fresh its knowledge is, as the gateway is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.languages import de, en
from kb.errors import StoreError
from tests.adapters.backstage import SECONDS
from tests.adapters.discord.whole import Team, team
from tests.emulators.discord.gateway import Session

HOUR = 3600.0


@dataclass(slots=True)
class Knowledge:
    """Knows when it was last synced, and how often it was asked."""

    synced: float | None = None
    fails: bool = False
    asked: int = 0
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def fresh(self) -> float | None:
        self.asked += 1
        async with self.looked:
            self.looked.notify_all()
        if self.fails:
            raise StoreError("The database is locked. Try again.")
        return self.synced

    async def asked_again(self, times: int = 3) -> None:
        """Wait until the bot has looked so many times more, and is done with all but the last look."""
        until = self.asked + times
        async with asyncio.timeout(SECONDS), self.looked:
            await self.looked.wait_for(lambda: self.asked >= until)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot look at once again, not after a minute."""
    monkeypatch.setattr("adapters.discord.app._PRESENCE_SECONDS", 0.01)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


def lines(session: Session) -> list[str]:
    """Return what the bot said of itself, in order; empty where it took the line away."""
    return [
        "".join(str(activity["state"]) for activity in presence["activities"])
        for presence in session.presences
    ]


async def test_the_gateway_is_told_how_fresh_the_knowledge_is(town: Team) -> None:
    """The line says when the last sync was, and is told anew when it reads differently, and only then."""
    clock = town.discord.clock
    knowledge = Knowledge(synced=clock.now() - 2 * HOUR)
    async with town.bot(app_options={"fresh": knowledge.fresh}):
        (session,) = await town.discord.ready()
        two, three, now = (
            en.TEXTS.presence.format(when=when) for when in ("2 hours ago", "3 hours ago", "just now")
        )
        await town.discord.wait_for(lambda: lines(session) == [two], SECONDS)
        assert [one["type"] for one in session.presences[0]["activities"]] == [4]
        assert session.presences[0]["status"] == "online"
        await knowledge.asked_again()
        assert lines(session) == [two]
        clock.advance(HOUR)
        await town.discord.wait_for(lambda: lines(session) == [two, three], SECONDS)
        knowledge.synced = clock.now()
        await town.discord.wait_for(lambda: lines(session) == [two, three, now], SECONDS)
        await knowledge.asked_again()
        assert lines(session) == [two, three, now]


async def test_what_knows_nothing_says_nothing(town: Team) -> None:
    """Before the first sync there is no line; when the knowledge is gone the line goes."""
    knowledge = Knowledge()
    async with town.bot(app_options={"fresh": knowledge.fresh}, language="de"):
        (session,) = await town.discord.ready()
        await knowledge.asked_again()
        assert session.presences == []
        knowledge.synced = town.discord.clock.now() - HOUR
        line = de.TEXTS.presence.format(when="vor 1 Stunde")
        await town.discord.wait_for(lambda: lines(session) == [line], SECONDS)
        knowledge.synced = None
        await town.discord.wait_for(lambda: lines(session) == [line, ""], SECONDS)


async def test_a_new_session_is_told_again(town: Team) -> None:
    """Discord forgets the line with the session, so the next one is told at once; a resumed one is not."""
    knowledge = Knowledge(synced=town.discord.clock.now() - HOUR)
    async with town.bot(app_options={"fresh": knowledge.fresh}):
        (first,) = await town.discord.ready()
        await town.discord.wait_for(lambda: len(first.presences) == 1, SECONDS)
        town.discord.faults.reconnect()
        await knowledge.asked_again()
        town.discord.faults.invalid_session(resumable=False)

        def again() -> list[Session]:
            return [one for one in town.discord.gateway.ready() if one is not first and one.presences]

        (second,) = await town.discord.wait_for(again, SECONDS)
        assert lines(second) == lines(first)
        assert len(first.presences) == 1


async def test_a_locked_database_keeps_the_line(town: Team) -> None:
    """When it cannot be known how fresh the knowledge is, the line stays and the bot goes on."""
    knowledge = Knowledge(synced=town.discord.clock.now() - HOUR)
    async with town.bot(app_options={"fresh": knowledge.fresh}) as bot:
        (session,) = await town.discord.ready()
        await town.discord.wait_for(lambda: lines(session), SECONDS)
        knowledge.fails = True
        await knowledge.asked_again()
        assert len(session.presences) == 1
        await town.once(bot, await town.say("How many?"), "Six")
