"""One runner a source among any number of processes: a row with an owner, an end and a fence.

The fence grows by one with every owner. Whoever writes shows it in the same transaction, so that a
runner that was paused for longer than its lease cannot write over its successor's work.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.database import reading, transaction
from kb.errors import LeaseLost, StoreError, SyncRefused
from kb.tables import leases

log = logging.getLogger(__name__)

# A killed runner's source goes on elsewhere within a minute: this, and the time until it is looked for.
TTL = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to change one source's documents."""

    source: str
    owner: str
    fence: int


class Leases:
    """Hands out leases; `ttl` is how many seconds one lasts without being renewed."""

    def __init__(
        self, engine: AsyncEngine, *, ttl: float = TTL, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._ttl = ttl
        self._clock = clock

    @asynccontextmanager
    async def hold(self, source: str) -> AsyncIterator[Lease]:
        """Hold the source's lease, renewed by a task. Raise `SyncRefused` when another holds it."""
        lease = await self.acquire(source)
        renewing = asyncio.create_task(self._renew_for_ever(lease))
        try:
            yield lease
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            await asyncio.shield(self._let_go(lease))

    async def acquire(self, source: str) -> Lease:
        """Take the source's lease: a new one, an expired one, or one whose owner is dead."""
        owner, now = process_identity(), self._clock()
        async with transaction(self._engine) as connection:
            row = (
                await connection.execute(select(leases).where(leases.c.source == source).with_for_update())
            ).first()
            if row is not None and is_held(row.owner, row.until, now):
                raise SyncRefused(_refusal(source, row.owner, row.since))
            fence = row.fence + 1 if row is not None else 1
            values = {"owner": owner, "since": now, "until": now + self._ttl, "fence": fence}
            if row is None:
                await _insert(connection, source, values)
            else:
                await connection.execute(update(leases).where(leases.c.source == source).values(values))
        return Lease(source=source, owner=owner, fence=fence)

    async def renew(self, lease: Lease) -> bool:
        """Extend the lease; return False when it is another's by now."""
        async with transaction(self._engine) as connection:
            result = await connection.execute(
                update(leases).where(_ours(lease)).values(until=self._clock() + self._ttl)
            )
        return result.rowcount == 1

    async def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens when it is another's by now."""
        async with transaction(self._engine) as connection:
            await connection.execute(update(leases).where(_ours(lease)).values(owner=None, until=0.0))

    async def held(self) -> set[str]:
        """Return the sources whose lease a process holds now."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(leases.c.source, leases.c.owner, leases.c.until))).all()
        now = self._clock()
        return {source for source, owner, until in rows if is_held(owner, until, now)}

    async def _let_go(self, lease: Lease) -> None:
        try:
            await self.release(lease)
        except StoreError as exc:
            log.warning("lease not released, it expires source=%s reason=%s", lease.source, exc)

    async def _renew_for_ever(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._ttl / 3)
            try:
                if not await self.renew(lease):
                    log.warning("lease lost source=%s fence=%d", lease.source, lease.fence)
                    return
            except StoreError as exc:
                # The next round tries again; the fence is checked before every write anyway.
                log.warning("lease not renewed source=%s reason=%s", lease.source, exc)


async def check(connection: AsyncConnection, lease: Lease) -> None:
    """Raise `LeaseLost` unless the lease still holds, seen from inside a writing transaction."""
    held = await connection.execute(select(leases.c.fence).where(_ours(lease)).with_for_update())
    if held.first() is None:
        raise LeaseLost(
            f"The sync of {lease.source!r} was taken over by another process while this one was paused. "
            "Nothing more is written here; the other sync goes on."
        )


def is_held(owner: str | None, until: float | None, now: float) -> bool:
    """Tell whether a lease's row says that a process holds it: it is not over and its owner not dead."""
    return bool(owner and until and until > now and not _dead(owner))


def process_identity() -> str:
    """Return `host:pid:start:random`: enough to tell later whether that very process still lives."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid)}:{uuid.uuid4().hex[:12]}"


async def _insert(connection: AsyncConnection, source: str, values: dict[str, object]) -> None:
    try:
        await connection.execute(insert(leases).values(source=source, **values))
    except IntegrityError as exc:
        raise SyncRefused(f"Another sync of {source!r} has just started. Wait until it is done.") from exc


def _ours(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.source == lease.source, leases.c.fence == lease.fence, leases.c.owner == lease.owner)


def _refusal(source: str, owner: str, since: float) -> str:
    host, pid, *_ = owner.split(":")
    place = "" if host == _host() else f" on {host.split('/')[0]}"
    started = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"Another sync of {source!r} is running (pid {pid}{place}, since {started}). Wait until it is done."
    )


def _dead(owner: str) -> bool:
    """Tell whether the owner is a process of this machine that has ended; False when unsure."""
    host, pid, start, *_ = owner.split(":")
    if host != _host():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) != start


def _host() -> str:
    """Name the machine and, where there is one, the space in which its process ids count."""
    name = socket.gethostname().replace(":", "-").replace("/", "-")
    try:
        return f"{name}/{Path('/proc/self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:
        return name


def _started(pid: int) -> str:
    """Return when a process began, as the kernel counts; nothing when it has ended or cannot be read."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = status.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
