"""`lorekeeper repair`: makes store and manifest fit again, whatever was lost of either.

The store mends itself when it is opened (`kb/store_repair.py`). Here the two are compared document by
document: what differs is read again by the next sync, and rows that are missing are made from the nodes,
so that a lost database costs reading and no embedding.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.database import DATABASE_FILE, open_database, reading
from kb.errors import StoreError, SyncRefused
from kb.leases import Leases
from kb.manifest import Manifest
from kb.planning import Known
from kb.store import NodeStore
from kb.store_snapshots import Print

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 1_000
_DAMAGED = ("malformed", "not a database", "disk image", "file is encrypted")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRepair:
    """What was done for one source: documents to be read again, and rows made from the store.

    `skipped` says why nothing was done.
    """

    source: str
    documents: int = 0
    requeued: int = 0
    rebuilt: int = 0
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What a repair did: a line for each thing that was mended, and each source."""

    mended: tuple[str, ...] = ()
    sources: tuple[SourceRepair, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether there was nothing to repair."""
        touched = any(one.requeued or one.rebuilt or one.skipped for one in self.sources)
        return not (self.mended or touched)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `lorekeeper repair`."""
        return {"mended": list(self.mended), "sources": [asdict(one) for one in self.sources]}


async def mend_database(url: str, data: Path) -> list[str]:
    """Move a SQLite database aside that cannot be read, so that a new one takes its place; say so.

    Raise `StoreError` when it cannot be used for another reason, or is a server's.
    """
    engine: AsyncEngine | None = None
    try:
        engine = await open_database(url, data)
        await _check(engine)
    except StoreError as exc:
        damaged = any(sign in str(exc).lower() for sign in _DAMAGED)
        if url or not damaged:
            raise
        if engine is not None:
            await engine.dispose()
        return [await asyncio.to_thread(_move_aside, data)]
    else:
        await engine.dispose()
    return []


async def repair(
    store: NodeStore, manifest: Manifest, *, leases: Leases | None = None, mended: list[str] | None = None
) -> RepairReport:
    """Compare store and manifest, note what differs, and return what was done.

    A source that is being synced meanwhile is left alone.
    """
    version = await store.version()
    await manifest.distrust(store.name, version)
    by_source: defaultdict[str, dict[str, Print]] = defaultdict(dict)
    async with store.at(version) as snapshot:
        for identity, one in (await snapshot.prints()).items():
            by_source[one.source][identity] = one
    names = sorted({*by_source, *(await manifest.states())})
    leases = leases or Leases(manifest.engine)
    sources = [await _repair_source(manifest, leases, name, by_source[name]) for name in names]
    upkeep = await store.maintain(force=True)
    lines = [*(mended or []), *store.repairs, *([upkeep.error] if upkeep.error else [])]
    return RepairReport(mended=tuple(lines), sources=tuple(sources))


async def _repair_source(
    manifest: Manifest, leases: Leases, name: str, stored: Mapping[str, Print]
) -> SourceRepair:
    try:
        async with leases.hold(name) as lease:
            known = await manifest.known(name)
            rebuilt = [_row(key, one) for key, one in stored.items() if key not in known]
            for rows in _parts(rebuilt):
                await manifest.record(lease, rows)
            differing = {key for key, row in known.items() if not _fits(row, stored.get(key))}
            await manifest.doubt(name, differing)
    except SyncRefused as exc:
        return SourceRepair(source=name, skipped=str(exc))
    done = SourceRepair(source=name, documents=len(stored), requeued=len(differing), rebuilt=len(rebuilt))
    log.info("repaired source=%s requeued=%d rebuilt=%d", name, done.requeued, done.rebuilt)
    return done


def _fits(row: Known, stored: Print | None) -> bool:
    if stored is None:
        return row.nodes == 0
    return row.nodes == stored.nodes and bool(row.hidden) == stored.hidden


def _row(identity: str, stored: Print) -> Known:
    """Return the row of a document of which only the nodes are left: it is read again when it is listed."""
    return Known(
        document_id=identity,
        uri=stored.uri,
        version="",
        nodes=stored.nodes,
        audience=() if stored.hidden else stored.audience,
        hidden=time.time() if stored.hidden else 0.0,
    )


async def _check(engine: AsyncEngine) -> None:
    """Raise `StoreError` when SQLite finds its file damaged."""
    if engine.dialect.name != "sqlite":
        return
    async with reading(engine) as connection:
        found = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar()
    if found != "ok":
        raise StoreError(f"The database is malformed: {found}")


def _move_aside(data: Path) -> str:
    aside = data / f"damaged-database-{time.time_ns()}"
    aside.mkdir()
    for path in sorted(data.glob(f"{DATABASE_FILE}*")):
        path.rename(aside / path.name)
    return (
        f"the database could not be read and was moved to {str(aside)!r}: history, answers and sources "
        "that were added by a command are in it; add those again"
    )


def _parts(rows: list[Known]) -> Iterator[list[Known]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[start : start + _ROWS_AT_ONCE]
