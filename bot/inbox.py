"""The durable inbox: what happened on the platforms, until it is seen to, and for a while after.

A row is claimed by one process at a time, under a lease that is renewed; `attempt` grows with each claim and
is the fence: whoever lost a row changes nothing more of it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Incoming, Place
from bot.chat_json import read_incoming, storable, write_incoming
from bot.group_commit import shared_commits
from bot.inbox_order import Row, choose, stamp_of
from bot.ledger import MIGRATIONS, VERSION_TABLE
from bot.tables import inbox
from kb.database import inserting, migrate, reading, transaction
from kb.leases import is_held, process_identity

LEASE = 10.0
KEPT = 25 * 3600.0  # longer than any platform delivers something again
_CLAIM_LOCK = 0x696E626F  # any number, the same in every release: it names an advisory lock
_BLOCKED = 100  # rows that wait for a sibling do not keep those behind them from being seen

Also = Callable[[AsyncConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that this process sees to now.

    `posting` tells that an earlier try, or one of what it overtook, may have shown something. `alone`
    tells that nothing else about its subject has come in.
    """

    id: int
    attempt: int
    incoming: Incoming
    received: float
    posting: bool = False
    alone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The claims that are still ours, and which of them are overtaken or were stopped by someone."""

    ours: frozenset[tuple[int, int]] = frozenset()
    overtaken: frozenset[int] = frozenset()
    stopped: frozenset[int] = frozenset()


class Inbox:
    """Keeps what happened in the SQL database and hands it out, each thing to one process at a time."""

    def __init__(
        self, engine: AsyncEngine, *, lease: float = LEASE, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._lease = lease
        self._clock = clock
        self._owner = process_identity()
        self._insert = inserting(engine, inbox).on_conflict_do_nothing()
        self._writes = shared_commits(engine)

    @classmethod
    async def open(
        cls, engine: AsyncEngine, *, lease: float = LEASE, clock: Callable[[], float] = time.time
    ) -> Inbox:
        """Bring this layer's tables to this release's version and return the inbox."""
        await migrate(engine, MIGRATIONS, VERSION_TABLE)
        return cls(engine, lease=lease, clock=clock)

    @property
    def lease(self) -> float:
        """Seconds a claim lasts without being renewed."""
        return self._lease

    async def put(self, incoming: Incoming) -> bool:
        """Keep what happened, on disk; False when its key is known. Raise `StoreError` if it cannot."""
        row = _new_row(incoming, self._clock())

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(self._insert, row)).rowcount == 1

        return await self._writes.run(work)

    async def waits(self, platforms: Collection[str]) -> bool:
        """Tell whether `claim` might find something, without taking a lock."""
        now = self._clock()
        query = select(inbox.c.id).where(_open(platforms, now, self._owner)).limit(1)
        async with reading(self._engine) as connection:
            return (await connection.execute(query)).first() is not None

    async def claim(self, platforms: Collection[str], limit: int) -> list[Claim]:
        """Take up to `limit` rows that are due, oldest first, also those of processes that ended."""
        now = self._clock()
        async with transaction(self._engine) as connection:
            if self._engine.dialect.name == "postgresql":
                # Two replicas must not take two rows of one subject: they choose one after the other.
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})
            due = _open(platforms, now, self._owner)
            found = await _due(connection, due, now, limit)
            siblings = await _about(connection, found, now)
            take, overtaken = choose(found, siblings)
            if len(take) < limit <= len(found):  # rows that wait for a sibling stand before the others
                found = await _due(connection, due, now, limit + _BLOCKED)
                siblings = await _about(connection, found, now)
                take, overtaken = choose(found, siblings)
            rows = await self._take(connection, take[:limit], now)
            await _finish(connection, overtaken, "overtaken", now)
        return [_claim(row, siblings) for row in rows]

    async def renew(self, ids: Collection[int]) -> Held:
        """Extend the lease of these claims of this process; tell what became of them."""
        ours = and_(inbox.c.id.in_(ids), inbox.c.owner == self._owner, inbox.c.state == "running")
        until = self._clock() + self._lease

        async def work(connection: AsyncConnection) -> Held:
            await connection.execute(update(inbox).where(ours).values(until=until))
            columns = (inbox.c.id, inbox.c.attempt, inbox.c.subject, inbox.c.stopped)
            rows = (await connection.execute(select(*columns).where(ours))).all()
            later = select(inbox.c.subject).where(
                inbox.c.state == "new",
                inbox.c.kind.in_(("edit", "delete")),
                inbox.c.subject.in_({row.subject for row in rows}),
            )
            overtaken = set((await connection.execute(later)).scalars()) if rows else set()
            return Held(
                ours=frozenset((row.id, row.attempt) for row in rows),
                overtaken=frozenset(row.id for row in rows if row.subject in overtaken),
                stopped=frozenset(row.id for row in rows if row.stopped),
            )

        return await self._writes.run(work)

    async def posting(self, claim: Claim) -> bool:
        """Note that something is about to be shown; False when the claim is another's by now."""
        return await self._change(claim, {"posting": True, "until": self._clock() + self._lease})

    async def done(self, claim: Claim, result: str, *, also: Also | None = None) -> bool:
        """Note how it ended, with what else belongs to that, and forget the payload.

        Return False, with nothing written, when the claim is another's by now.
        """
        return await self._change(claim, _finished(result, self._clock()), also=also)

    async def later(self, claim: Claim, seconds: float) -> bool:
        """Give a row back, to be claimed again in `seconds`."""
        back = {"state": "new", "due": self._clock() + seconds, "owner": "", "until": 0.0}
        return await self._change(claim, back)

    async def count(self, claim: Claim, *, since: float, most: int) -> tuple[int, float]:
        """Count a question against its person's quota, unless they have `most` already.

        Return how many they have asked since then with it, and when they asked the first. A second try of a
        question does not count again.
        """
        others = and_(
            inbox.c.person == _person(claim.incoming),
            inbox.c.received > since,
            inbox.c.id != claim.id,
            inbox.c.counted,
        )
        query = select(func.count(), func.min(inbox.c.received)).where(others)
        this = update(inbox).where(inbox.c.id == claim.id).values(counted=True)

        async def work(connection: AsyncConnection) -> tuple[int, float]:
            before, first = (await connection.execute(query)).one()
            if before < most:
                await connection.execute(this)
            return int(before) + 1, claim.received if first is None else float(first)

        return await self._writes.run(work)

    async def stop(self, place: Place, person: str) -> bool:
        """Ask whoever sees to this conversation to stop; False when nobody does."""
        here = and_(
            inbox.c.state == "running",
            inbox.c.platform == place.platform,
            inbox.c.workspace == place.workspace,
            inbox.c.channel == place.channel,
            _in_thread(place.thread) if place.thread else inbox.c.person == _id(place, person),
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(update(inbox).where(here).values(stopped=True))).rowcount > 0

        return await self._writes.run(work)

    async def clean(self) -> int:
        """Forget what was done long ago; return how many rows went."""
        old = and_(inbox.c.state == "done", inbox.c.finished < self._clock() - KEPT)

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(delete(inbox).where(old))).rowcount

        return await self._writes.run(work)

    async def states(self) -> dict[str, int]:
        """Count the rows in each state."""
        query = select(inbox.c.state, func.count()).group_by(inbox.c.state)
        async with reading(self._engine) as connection:
            return {state: int(number) for state, number in (await connection.execute(query)).all()}

    async def _take(
        self, connection: AsyncConnection, ids: Sequence[int], now: float
    ) -> Sequence[RowMapping]:
        if not ids:
            return []
        values = {"state": "running", "owner": self._owner, "until": now + self._lease}
        await connection.execute(
            update(inbox).where(inbox.c.id.in_(ids)).values(attempt=inbox.c.attempt + 1, **values)
        )
        query = select(*_CLAIMED).where(inbox.c.id.in_(ids)).order_by(inbox.c.id)
        return (await connection.execute(query)).mappings().all()

    async def _change(self, claim: Claim, values: dict[str, Any], *, also: Also | None = None) -> bool:
        ours = and_(
            inbox.c.id == claim.id,
            inbox.c.attempt == claim.attempt,
            inbox.c.owner == self._owner,
            inbox.c.state == "running",
        )

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(update(inbox).where(ours).values(**values))).rowcount == 0:
                return False
            if also is not None:
                await also(connection)
            return True

        return await self._writes.run(work)


def _new_row(incoming: Incoming, now: float) -> dict[str, Any]:
    place = incoming.place
    return {
        "key": storable(incoming.key),
        "subject": storable(incoming.subject),
        "kind": incoming.kind,
        "stamp": storable(stamp_of(incoming.key)),
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": place.thread or incoming.message,
        "person": _person(incoming),
        "payload": write_incoming(incoming),
        "received": now,
        "state": "new",
        "result": "",
        "due": now,
        "owner": "",
        "until": 0.0,
        "attempt": 0,
        "posting": False,
        "counted": False,
        "stopped": False,
        "finished": 0.0,
    }


def _person(incoming: Incoming) -> str:
    return _id(incoming.place, incoming.person)


def _id(place: Place, person: str) -> str:
    return storable(f"{place.platform}:{place.workspace}:{person}")


def _in_thread(thread: str) -> ColumnElement[bool]:
    """Match what was said in a thread, and the message itself where the id is that of a message."""
    return or_(inbox.c.thread == thread, inbox.c.subject.endswith(f":{thread}", autoescape=True))


def _open(platforms: Collection[str], now: float, owner: str) -> ColumnElement[bool]:
    """Match what is due, and what another process has claimed: it may have ended."""
    return and_(
        inbox.c.platform.in_(platforms),
        or_(
            and_(inbox.c.state == "new", inbox.c.due <= now),
            and_(inbox.c.state == "running", inbox.c.owner != owner),
            and_(inbox.c.state == "running", inbox.c.until <= now),
        ),
    )


async def _due(connection: AsyncConnection, due: ColumnElement[bool], now: float, limit: int) -> list[Row]:
    rows = (
        await connection.execute(select(*_ORDERED).where(due).order_by(inbox.c.id).limit(limit))
    ).mappings()
    return [_order(row, now) for row in rows if not _held(row, now)]


async def _about(connection: AsyncConnection, found: Sequence[Row], now: float) -> list[Row]:
    if not found:
        return []
    subjects = {row.subject for row in found}
    query = select(*_ORDERED).where(inbox.c.subject.in_(subjects))
    return [_order(row, now) for row in (await connection.execute(query)).mappings()]


async def _finish(connection: AsyncConnection, ids: Sequence[int], result: str, now: float) -> None:
    if ids:
        await connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(**_finished(result, now)))


def _finished(result: str, now: float) -> dict[str, Any]:
    return {
        "state": "done",
        "result": result,
        "payload": "",
        "owner": "",
        "until": 0.0,
        "stopped": False,
        "finished": now,
    }


def _held(row: RowMapping, now: float) -> bool:
    return row["state"] == "running" and is_held(row["owner"], row["until"], now)


def _order(row: RowMapping, now: float) -> Row:
    names = ("id", "subject", "kind", "stamp", "state", "result", "posting")
    return Row(held=_held(row, now), **{name: row[name] for name in names})


_ORDERED = [inbox.c[name] for name in (*Row.__slots__, "owner", "until") if name != "held"]
_CLAIMED = [inbox.c[name] for name in ("id", "subject", "attempt", "payload", "received")]


def _claim(row: RowMapping, siblings: Iterable[Row]) -> Claim:
    about = [sibling for sibling in siblings if sibling.subject == row["subject"]]
    return Claim(
        id=row["id"],
        attempt=row["attempt"],
        incoming=read_incoming(row["payload"]),
        received=row["received"],
        posting=any(sibling.posting for sibling in about),
        alone=len(about) == 1,
    )
