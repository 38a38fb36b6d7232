"""P14 and P15 on Discord: two serving processes are killed again and again while questions come in.

Questions reach both processes, 30 % of them a second time: at once, a minute or five minutes later by
Discord's clock, or because a killed process reads up what it may have missed. Run it whole with
`python -m tests.soak discord`.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.discord.serving import KEY, Served, Town, is_whole, serve, town_in, write
from tests.emulators.discord.messages import Message
from tests.emulators.discord.server import DiscordEmulator
from tests.soak.rows import Row

EVENTS = 10_000
KILLS = 100
TWICE = 0.3
REPLICAS = 2
LATER = (0.0, 60.0, 301.0)  # seconds between an event and its repetition
_OPEN = 12  # questions without an answer, above which nobody asks
_STUCK = 150.0  # seconds for what is left at the end
_CHANNELS = 20
_PEOPLE = 40  # none of whom asks more than a person may


@dataclass(slots=True)
class Run:
    """What was asked, how often the processes were killed, and how long an answer took after a kill."""

    town: Town
    folder: Path
    asked: list[Message] = field(default_factory=list)
    waiting: list[Message] = field(default_factory=list)
    repeated: int = 0
    killed: int = 0

    def open(self) -> list[Message]:
        """Return the questions that have no whole answer yet."""
        self.waiting = [one for one in self.waiting if not self.answers(one)]
        return self.waiting

    def answers(self, question: Message) -> list[Message]:
        return [one for one in self.town.discord.replies(question) if is_whole(one)]

    async def until(self, most: int, seconds: float) -> bool:
        """Wait until no more than `most` questions are open; False when that takes too long."""
        try:
            await self.town.discord.wait_for(lambda: len(self.open()) <= most, seconds)
        except AssertionError:
            return False
        return True


async def measure(scale: float) -> list[Row]:
    """Ask two processes that are killed meanwhile."""
    events, kills = max(20, round(EVENTS * scale)), max(2, round(KILLS * scale))
    with tempfile.TemporaryDirectory() as work:
        async with DiscordEmulator(check=False).running() as discord:
            run = Run(town_in(discord), Path(work))
            write(run.folder, run.town, in_discord="threads = false")
            began = time.monotonic()
            await _ask_all(run, events, kills, random.Random(11))
            return [_judged(run, time.monotonic() - began)]


async def _ask_all(run: Run, events: int, kills: int, rng: random.Random) -> None:
    town = run.town
    channels = [town.discord.add_channel(town.guild, f"room-{number}") for number in range(_CHANNELS)]
    crowd = [town.discord.add_member(town.guild, f"Person {number}") for number in range(_PEOPLE)]
    due = sorted(rng.sample(range(1, events), min(kills, events - 1)))
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(_replica(run)) for _ in range(REPLICAS)]
        await town.discord.ready(REPLICAS, _STUCK)
        for number in range(events):
            text = f"{town.discord.bot.mention} {KEY} ({number})"
            message = await town.discord.say(rng.choice(channels), rng.choice(crowd), text)
            run.asked.append(message)
            run.waiting.append(message)
            if rng.random() < TWICE:
                _repeat(run, rng.choice(run.asked[-5:]), rng.choice(LATER))
            if due and number >= due[0]:
                due.pop(0)
                await _kill(run, stack, replicas, rng)
            if not await run.until(_OPEN, _STUCK):
                break  # what is not answered counts as lost
        await run.until(0, _STUCK)
        _repeat(run, run.asked[0], LATER[-1])
        await _settled(run)


@asynccontextmanager
async def _replica(run: Run) -> AsyncIterator[Served]:
    async with serve(run.town, run.folder) as served:
        yield served


async def _kill(run: Run, stack: AsyncExitStack, replicas: list[Served], rng: random.Random) -> None:
    """Kill one process in the middle of what it does, and start another in its place."""
    place = rng.randrange(REPLICAS)
    replicas[place].process.kill()
    await replicas[place].process.wait()
    run.killed += 1
    replicas[place] = await stack.enter_async_context(_replica(run))


def _repeat(run: Run, message: Message, seconds: float) -> None:
    """Deliver a message once more, so much later by Discord's clock."""
    run.town.discord.clock.advance(seconds)
    run.town.discord.world.tell("MESSAGE_CREATE", message)
    run.repeated += 1


async def _settled(run: Run) -> None:
    """Wait until nothing is left in the inbox."""
    until = time.monotonic() + _STUCK
    while time.monotonic() < until:
        with closing(sqlite3.connect(run.folder / ".lorekeeper" / "lorekeeper.db", timeout=30)) as database:
            if not database.execute("SELECT count(*) FROM inbox WHERE state != 'done'").fetchone()[0]:
                return
        await asyncio.sleep(0.1)


def _judged(run: Run, seconds: float) -> Row:
    """Count the questions that were answered twice, and those that were not."""
    counts = Counter(len(run.answers(one)) for one in run.asked)
    lost, double = counts[0], sum(number for answers, number in counts.items() if answers > 1)
    early = len(run.town.discord.limits.early)
    return Row(
        promise="P14/P15 Discord: one question, one answer; no lost question",
        done=(
            f"{len(run.asked)} questions and {run.repeated} repetitions to {REPLICAS} processes, "
            f"{run.killed} kill -9, {seconds:.0f} s"
        ),
        figure=f"{double} double, {lost} lost, {early} requests inside a Retry-After",
        reach="0",
        kept=double == lost == early == 0 and run.killed > 0,
    )
