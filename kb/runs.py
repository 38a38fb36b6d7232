"""How each sync went: one row a run, with the store's versions around it.

A run that ended complete notes the digest of its `listing`. Whatever changes a source's rows or nodes
clears it, so that a digest that stands means: the index is as that listing left it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kb.errors import SyncRefused
from kb.tables import runs, schedules

RunStatus = Literal["running", "ok", "partial", "held", "failed", "interrupted"]
RunKind = Literal["sync", "rollback"]
KEPT_RUNS = 100
COMPLETE: tuple[RunStatus, ...] = ("ok", "partial", "held")
# How `schedules.paused` begins while a source is held; the run's id follows.
ROLLBACK = "rollback:"

_COLUMNS = (
    runs.c.id,
    runs.c.source,
    runs.c.started,
    runs.c.finished,
    runs.c.status,
    runs.c.error,
    runs.c.report,
    runs.c.kind,
    runs.c.beat,
    runs.c.store,
    runs.c.version_before,
    runs.c.version_after,
    runs.c.listing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One sync of one source, or its rollback.

    `error` is why it failed; `report` is its JSON report once it has ended. `beat` is when it was last
    seen to get on. `store` names the table that it wrote to, whose versions `version_before` and
    `version_after` are; other sources may have written between them. `listing` is the digest of what it
    listed, empty unless the index is still as that run left it.
    """

    id: str
    source: str
    started: float
    finished: float | None = None
    status: RunStatus = "running"
    error: str = ""
    report: dict[str, Any] | None = None
    kind: RunKind = "sync"
    beat: float = 0.0
    store: str = ""
    version_before: int | None = None
    version_after: int | None = None
    listing: str = ""


async def read_runs(connection: AsyncConnection, source: str | None, limit: int) -> list[Run]:
    """Return the latest runs, newest first, of one source or of all."""
    statement = select(*_COLUMNS).order_by(runs.c.started.desc()).limit(limit)
    if source is not None:
        statement = statement.where(runs.c.source == source)
    return [_run(row) for row in await connection.execute(statement)]


async def find_runs(connection: AsyncConnection, prefix: str) -> list[Run]:
    """Return the runs whose ids begin so, newest first."""
    matches = runs.c.id.startswith(prefix, autoescape=True)
    statement = select(*_COLUMNS).where(matches).order_by(runs.c.started.desc())
    return [_run(row) for row in await connection.execute(statement)]


async def last_good(connection: AsyncConnection, source: str) -> float | None:
    """Return when a sync of the source last ended complete."""
    statement = select(func.max(runs.c.finished)).where(
        runs.c.source == source, runs.c.status.in_(COMPLETE), runs.c.kind == "sync"
    )
    found: float | None = (await connection.execute(statement)).scalar()
    return found


async def refuse_if_held(connection: AsyncConnection, source: str) -> None:
    """Raise `SyncRefused` while the source is held by a rollback."""
    statement = select(schedules.c.paused).where(schedules.c.source == source)
    paused = (await connection.execute(statement)).scalar() or ""
    if paused.startswith(ROLLBACK):
        run = paused.removeprefix(ROLLBACK)[:8]
        raise SyncRefused(
            f"Source {source!r} is held at run {run} since a rollback. "
            f"Release it: lorekeeper sources resume {source}"
        )


async def unsettle(connection: AsyncConnection, source: str) -> None:
    """Note that the source's rows or nodes are about to change: no listing describes them any more."""
    settled = (runs.c.source == source) & (runs.c.listing != "")
    await connection.execute(update(runs).where(settled).values(listing=""))


async def settled_listing(connection: AsyncConnection, source: str, store: str) -> str:
    """Return the digest of the listing that the source's nodes in that store stand for, or nothing."""
    statement = (
        select(runs.c.listing)
        .where(runs.c.source == source, runs.c.store == store, runs.c.listing != "")
        .order_by(runs.c.started.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).scalar() or ""


async def highest_version(connection: AsyncConnection, store: str) -> int:
    """Return the highest version of the store that a run of any source ended with."""
    statement = select(func.max(runs.c.version_after)).where(runs.c.store == store)
    return (await connection.execute(statement)).scalar() or 0


async def forget_versions(connection: AsyncConnection, store: str, above: int) -> None:
    """Note that the store was set back to a version: later ones are gone, and no listing is settled."""
    ours = runs.c.store == store
    await connection.execute(update(runs).where(ours).values(listing=""))
    for column in (runs.c.version_before, runs.c.version_after):
        await connection.execute(update(runs).where(ours, column > above).values({column: None}))


async def prune(connection: AsyncConnection, source: str, kept: int) -> None:
    """Drop a source's oldest runs, but neither the last complete one nor those that changed something."""
    ours = runs.c.source == source
    newest = select(runs.c.id).where(ours).order_by(runs.c.started.desc()).limit(kept)
    changed = newest.where(
        or_(runs.c.version_after != runs.c.version_before, runs.c.kind != "sync"),
    )
    good = select(runs.c.id).where(ours, runs.c.status.in_(COMPLETE)).order_by(runs.c.started.desc()).limit(1)
    keep = {row[0] for one in (newest, changed, good) for row in await connection.execute(one)}
    await connection.execute(delete(runs).where(ours, runs.c.id.not_in(keep)))


def _run(row: Sequence[Any]) -> Run:
    values = dict(zip((column.name for column in _COLUMNS), row, strict=True))
    values["report"] = json.loads(values["report"]) if values["report"] else None
    return Run(**values)
