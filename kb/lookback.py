"""Looking back at runs: which one is meant, and which versions of the store they still need."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.database import reading
from kb.errors import SyncRefused
from kb.manifest import Manifest
from kb.runs import Run
from kb.store_upkeep import Marked
from kb.tables import runs

SHORT_ID = 8


async def find_run(manifest: Manifest, prefix: str) -> Run:
    """Return the run whose id begins with `prefix`; raise `SyncRefused` when none or several do."""
    found = await manifest.find_runs(prefix) if prefix else []
    if not found:
        raise SyncRefused(f"There is no run {prefix!r}. See: lorekeeper sync --history")
    if len(found) > 1:
        named = ", ".join(f"{run.id[:SHORT_ID]} ({run.source})" for run in found[:4])
        raise SyncRefused(f"{len(found)} runs begin with {prefix!r}: {named}. Write more of its id.")
    return found[0]


def version_before(run: Run, store: str) -> int:
    """Return the store's version before a run; raise `SyncRefused` when it is not known."""
    if run.store != store or run.version_before is None:
        raise SyncRefused(
            f"Run {run.id[:SHORT_ID]} of {run.source!r} wrote to an index that is no longer there (it was "
            "built again, restored or repaired). It cannot be looked back at."
        )
    return run.version_before


def versions_of(run: Run, store: str) -> tuple[int, int]:
    """Return the store's versions before and after a run; raise `SyncRefused` when they are not known."""
    before = version_before(run, store)
    if run.version_after is None:
        raise SyncRefused(
            f"Run {run.id[:SHORT_ID]} of {run.source!r} has not ended, or was broken off: what it changed "
            "is not known. Look at the run after it."
        )
    return before, run.version_after


def marked_versions(engine: AsyncEngine) -> Marked:
    """Return what tells the versions of a store that runs name: maintenance keeps them for longer."""

    async def marked(store: str) -> Collection[int]:
        statement = select(runs.c.version_before, runs.c.version_after).where(runs.c.store == store)
        async with reading(engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {version for row in rows for version in row if version is not None}

    return marked
