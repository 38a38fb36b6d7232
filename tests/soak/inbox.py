"""P14 and P15: two replicas of the desk are killed again and again while events come in, many of them twice.

What is not acknowledged is delivered again, as the platforms do. Run it whole with
`python -m tests.soak inbox`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot.ledger import Ledger
from kb.database import close_database, open_database
from tests.soak import inbox_child
from tests.soak.rows import Row

EVENTS = 10_000
KILLS = 100
TWICE = 0.3
REPLICAS = 2
_AT_ONCE = 20  # events that are not acknowledged yet
_STUCK = 120.0


@dataclass(slots=True)
class Replica:
    """A child process, and what was delivered to it and not acknowledged."""

    process: ForkServerProcess
    pipe: Connection
    open: Counter[int] = field(default_factory=Counter)

    def take_acks(self) -> set[int]:
        """Return what was acknowledged meanwhile."""
        acknowledged: set[int] = set()
        with suppress(EOFError, ConnectionError):
            while self.pipe.poll():
                acknowledged.add(self.pipe.recv())
        for number in acknowledged:
            del self.open[number]
        return acknowledged

    def kill(self) -> list[int]:
        """Kill it with nothing said; return what it did not acknowledge."""
        self.process.kill()
        self.process.join()
        self.take_acks()
        self.pipe.close()
        return list(self.open.elements())


async def measure(scale: float) -> list[Row]:
    """Deliver events to two replicas that are killed meanwhile."""
    events, kills = max(60, round(EVENTS * scale)), max(20, round(KILLS * scale))
    with tempfile.TemporaryDirectory() as work:
        data = Path(work)
        engine = await open_database("", data)
        await Ledger.open(engine)
        await close_database(engine)
        return [await asyncio.to_thread(run, data, events, kills, random.Random(7))]


def run(data: Path, events: int, kills: int, rng: random.Random) -> Row:
    """Deliver all, kill so often, and count what was posted."""
    deliveries = list(range(events)) + rng.sample(range(events), round(events * TWICE))
    rng.shuffle(deliveries)
    sent = len(deliveries)
    replicas = [start(data, number) for number in range(REPLICAS)]
    every = max(1, sent // kills)
    killed = 0
    began = time.monotonic()
    while deliveries or any(replica.open for replica in replicas):
        if time.monotonic() - began > _STUCK + sent / 20:
            break
        deliver(deliveries, replicas, rng)
        if killed < kills and sent - len(deliveries) > (killed + 1) * every - rng.randrange(every):
            killed += 1
            place = rng.randrange(REPLICAS)
            deliveries += replicas[place].kill()
            replicas[place] = start(data, 100 + killed)
    finish(data, began + 2 * _STUCK + sent / 10)
    for replica in replicas:
        replica.kill()
    return judge(data, events, sent, killed, time.monotonic() - began)


def start(data: Path, seed: int) -> Replica:
    """Start a replica; the fork server has its modules loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.soak.inbox_child"])
    ours, theirs = context.Pipe()
    process = context.Process(target=inbox_child.serve, args=(data, theirs, seed), daemon=True)
    process.start()
    theirs.close()
    return Replica(process, ours)


def deliver(deliveries: list[int], replicas: list[Replica], rng: random.Random) -> None:
    """Send the next event to one of the replicas, or wait for an acknowledgement when many are open."""
    waiting = sum(replica.open.total() for replica in replicas)
    if deliveries and waiting < _AT_ONCE:
        replica = rng.choice(replicas)
        number = deliveries.pop()
        replica.open[number] += 1
        with suppress(ConnectionError):
            replica.pipe.send(number)
    else:
        multiprocessing.connection.wait([replica.pipe for replica in replicas], timeout=0.2)
    for replica in replicas:
        replica.take_acks()


def finish(data: Path, deadline: float) -> None:
    """Wait until nothing is left in the inbox, at most until the monotonic clock says `deadline`."""
    with sqlite3.connect(data / "lorekeeper.db", timeout=30) as database:
        while time.monotonic() < deadline:
            left = database.execute("SELECT count(*) FROM inbox WHERE state != 'done'").fetchone()[0]
            if not left:
                return
            time.sleep(0.05)


def judge(data: Path, events: int, sent: int, killed: int, seconds: float) -> Row:
    """Count the events that were answered twice, and those that were not."""
    counts = Counter(inbox_child.posts(data))
    completed = len(inbox_child.posts(data, revised=True))
    double = sum(number > 1 for number in counts.values())
    lost = sum(not counts[inbox_child.event(number).subject] for number in range(events))
    with sqlite3.connect(data / "lorekeeper.db") as database:
        kept = database.execute("SELECT count(*) FROM answers").fetchone()[0]
    return Row(
        promise="P14/P15 One question, one answer; no lost question",
        done=(
            f"{sent} deliveries of {events} events to {REPLICAS} replicas, {killed} kill -9, "
            f"{completed} of them between post and record, {seconds:.0f} s"
        ),
        figure=f"{double} double, {lost} lost, {kept - events:+d} in the ledger",
        reach="0",
        kept=double == lost == kept - events == 0 and killed > 0,
    )
