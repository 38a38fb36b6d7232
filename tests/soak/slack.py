"""P14 and P15 on Slack: two serving processes are killed again and again while questions come in.

A question is a mention: it comes as two events, `message` and `app_mention`. 30 % of the events are delivered
a second time: at once, a minute or five minutes later by Slack's clock; what a killed process did not
acknowledge is delivered again, as Slack does. Half of the kills come at any moment, the other half are aimed:
the answer stands in the thread, and the process that posted it dies before it knows. Run it whole with
`python -m tests.soak slack`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.command import LOREKEEPER
from tests.adapters.slack.serving import KEY, environment, people, shown, write
from tests.emulators.slack.faults import Fault
from tests.emulators.slack.server import SlackEmulator
from tests.emulators.slack.workspace import Message, Payload
from tests.soak.rows import Row

EVENTS = 10_000
KILLS = 100
TWICE = 0.3
REPLICAS = 2
LATER = (0.0, 60.0, 301.0)  # seconds between a delivery and its repetition
ANSWER = "40 euros"
_CONNECTIONS = 2  # of each process, as `[slack]` has it
_OPEN = 12  # questions without an answer, above which nobody asks
_BATCH = 50  # questions after which a minute passes by Slack's clock
_STUCK = 90.0
_ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Run:
    """What was asked, which processes serve, and how they were killed."""

    slack: SlackEmulator
    folder: Path
    nursery: asyncio.subprocess.Process
    rng: random.Random
    rooms: list[str]
    crowd: list[str]
    replicas: list[int] = field(default_factory=list)  # by process id
    asked: list[tuple[str, str]] = field(default_factory=list)  # by channel and ts
    waiting: set[tuple[str, str]] = field(default_factory=set)
    killed: int = 0
    between: int = 0  # of them between post and record

    async def start(self) -> None:
        """Start a serving process."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(b"\n")
        self.replicas.append(int(await self.nursery.stdout.readline()))

    async def connected(self) -> None:
        """Wait until all processes hear Slack."""
        await self.slack.connected(_CONNECTIONS * len(self.replicas), _STUCK)

    async def ask(self, number: int) -> None:
        """Ask a question, when not too many are open."""
        room, person = self.rng.choice(self.rooms), self.rng.choice(self.crowd)
        ts = await self.slack.say(room, person, f"{self.slack.mention} {KEY} ({number})")
        self.asked.append((room, ts))
        self.waiting.add((room, ts))
        await self.slack.bell.until(lambda: self.open() < _OPEN, _STUCK)

    def open(self) -> int:
        """Count the questions that have no whole answer yet."""
        self.waiting = {one for one in self.waiting if not any(whole(reply) for reply in self.replies(*one))}
        return len(self.waiting)

    def replies(self, room: str, ts: str) -> list[Message]:
        return self.slack.messages(room, ts)

    async def kill(self, process: int) -> None:
        """Kill a process with nothing said, start another in its place and wait until that one hears."""
        os.kill(process, signal.SIGKILL)
        self.killed += 1
        self.replicas.remove(process)
        await self.slack.wait_for(
            lambda: len(self.slack.sockets.connections) <= _CONNECTIONS * len(self.replicas), _STUCK
        )
        await self.start()
        await self.connected()

    async def kill_any(self) -> None:
        """Kill one of the processes at any moment."""
        await asyncio.sleep(self.rng.uniform(0, 0.2))
        await self.kill(self.rng.choice(self.replicas))

    async def kill_poster(self) -> None:
        """Kill a process whose answer stands in the thread before Slack has told it so."""
        posted: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def seen(arguments: Payload) -> bool:
            if not posted.done():
                posted.set_result(str(arguments["thread_ts"]))
            return True

        self.slack.faults.waiting.append(
            Fault(method="chat.postMessage", hang=True, accepted=True, only=seen)
        )
        thread = await posted
        process = self.seeing_to(thread)
        self.between += len(self.slack.messages(self.room_of(thread), thread))
        await self.kill(process)

    def room_of(self, thread: str) -> str:
        return next(room for room, ts in reversed(self.asked) if ts == thread)

    def seeing_to(self, thread: str) -> int:
        """Return the process that has claimed a question."""
        query = "SELECT owner FROM inbox WHERE thread = ? AND state = 'running' AND posting"
        return int(self.select(query, thread)[0][0].split(":")[1])

    def unseen(self) -> int:
        """Count what is left in the inbox."""
        return int(self.select("SELECT count(*) FROM inbox WHERE state != 'done'")[0][0])

    def select(self, query: str, *values: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.folder / ".lorekeeper" / "lorekeeper.db", timeout=30)) as database:
            return database.execute(query, values).fetchall()


def whole(message: Message) -> bool:
    """Tell whether a message is a finished answer."""
    return not message.streaming and ANSWER in shown(message)


async def measure(scale: float) -> list[Row]:
    """Ask two processes that are killed meanwhile."""
    events, kills = max(40, round(EVENTS * scale)), max(4, round(KILLS * scale))
    with tempfile.TemporaryDirectory() as work:
        async with SlackEmulator().running() as slack, prepared(slack, Path(work)) as run:
            began = time.monotonic()
            slack.faults.duplicates, slack.faults.duplicate_delays = TWICE, LATER
            killing = asyncio.create_task(kill_all(run, events, kills))
            for number in range(events):
                await run.ask(number)
                if number % _BATCH == _BATCH - 1:
                    slack.clock.advance(61)
            await killing
            await settle(run)
            return judged(run, time.monotonic() - began)


@asynccontextmanager
async def prepared(slack: SlackEmulator, folder: Path) -> AsyncIterator[Run]:
    """Fill a workspace and serve it; whoever still serves at the end is killed."""
    people(slack)
    crowd = [slack.add_user(f"Person {number}") for number in range(40)]
    rooms = [slack.add_channel(f"room-{number}", members=crowd) for number in range(80)]
    write(folder, slack)
    given = environment(slack, folder) | {"PYTHONPATH": str(_ROOT)}
    nursery = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.slack_child", cwd=folder,
        env=given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    run = Run(slack, folder, nursery, random.Random(17), rooms, crowd)
    try:
        silent = asyncio.subprocess.DEVNULL
        sync = await asyncio.create_subprocess_exec(
            LOREKEEPER, "sync", cwd=folder, env=given, stdout=silent, stderr=silent
        )
        assert await sync.wait() == 0
        for _ in range(REPLICAS):
            await run.start()
        await run.connected()
        yield run
    finally:
        for process in run.replicas:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert nursery.stdin is not None
        nursery.stdin.close()
        await nursery.wait()


async def kill_all(run: Run, events: int, kills: int) -> None:
    """Kill so often while the questions come in, every second time in the middle of an answer."""
    due = sorted(run.rng.sample(range(1, events - events // 20), kills))
    for number, after in enumerate(due):
        await run.slack.bell.until(lambda after=after: len(run.asked) > after, _STUCK)  # type: ignore[misc]
        await (run.kill_poster() if number % 2 else run.kill_any())


async def settle(run: Run) -> None:
    """Let Slack's clock go on until nothing is left to be delivered, and what came is seen to."""
    end = time.monotonic() + _STUCK
    while (run.slack.delivering or run.open() or run.unseen()) and time.monotonic() < end:
        run.slack.clock.advance(61)
        await asyncio.sleep(0.5)


def judged(run: Run, seconds: float) -> list[Row]:
    """Count the questions that were answered twice, and those that were not."""
    replies = [run.replies(*one) for one in run.asked]
    double = sum(len(found) > 1 for found in replies)
    lost = sum(not any(whole(one) for one in found) for found in replies)
    given_up = len(run.slack.delivery.lost)
    tries = Counter(one.event_id for one in run.slack.acks)
    again = sum(number - 1 for number in tries.values())
    late = sum(one.acked is None for one in run.slack.acks)
    done = (
        f"{len(run.asked)} questions in {len(tries)} events, {again} of them delivered again ({late} not "
        f"acknowledged), {REPLICAS} processes, {run.killed} kill -9, {run.between} of them between post and "
        f"record, {seconds:.0f} s"
    )
    return [
        Row(
            promise="P14 Slack: one question, one answer",
            done=done,
            figure=f"{double} double",
            reach="0, and 1 in 100 kills between post and record",
            kept=double * 100 <= run.between and run.killed > 0,
        ),
        Row(
            promise="P15 Slack: no lost question",
            done=done,
            figure=f"{lost} lost, {given_up} events given up by Slack, {run.unseen()} left in the inbox",
            reach="0",
            kept=lost == given_up == run.unseen() == 0 and run.killed > 0,
        ),
    ]
