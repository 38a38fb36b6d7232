"""What is stored for each document, which sources there are, and how each sync went: rows in SQL.

Nothing here is the truth about the index: the store is. A document in `pending` was about to change in
the store; until it is recorded, its row says nothing for certain.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.database import inserting, reading, transaction
from kb.definitions import add_definition, read_definitions
from kb.document_rows import KNOWN, VISIBLE, from_text, of_source, retagged, settled, to_known, to_values
from kb.errors import NO_FAILURE, DocumentStatus, SourceUnknown
from kb.leases import Lease, check
from kb.planning import Known
from kb.runs import (
    KEPT_RUNS,
    Run,
    RunKind,
    RunStatus,
    find_runs,
    forget_versions,
    highest_version,
    last_good,
    prune,
    read_runs,
    refuse_if_held,
    settled_listing,
    unsettle,
)
from kb.sources import AnySource
from kb.tables import documents, pending, runs, schedules, source_memory, sources

__all__ = ["Failure", "Manifest", "Run", "SourceState", "Standing"]

_LOOKUP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A document that could not be read or has no text, and why."""

    uri: str
    status: DocumentStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rows of a source add up to.

    `documents` are those that are not hidden, `nodes` those of all. `due` are failures whose time for
    another attempt has come; `retagged` have nodes with another audience than the source's; `doubtful`
    were announced and not recorded since.
    """

    documents: int = 0
    nodes: int = 0
    hidden: int = 0
    due: int = 0
    retagged: int = 0
    doubtful: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is stored of a source and how its syncs go. `last_good` is when one last ended complete."""

    source: str
    documents: int = 0
    failed: int = 0
    nodes: int = 0
    last_good: float | None = None
    last_run: Run | None = None


class Manifest:
    """Reads and writes the manifest. Every method may raise `StoreError`."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.clock = clock

    # Documents

    async def known(self, source: str) -> dict[str, Known]:
        """Return the rows of a source's documents by document id, the hidden ones too."""
        return {row.document_id: row for row in await self._select(of_source(source))}

    async def rows(self, ids: Collection[str]) -> dict[str, Known]:
        """Return the rows of these documents by document id; those without one are left out."""
        found: dict[str, Known] = {}
        wanted = list(ids)
        for start in range(0, len(wanted), _LOOKUP):
            some = documents.c.document_id.in_(wanted[start : start + _LOOKUP])
            found |= {row.document_id: row for row in await self._select(some)}
        return found

    async def settled(
        self, source: str, pipeline: str, audience: Sequence[str]
    ) -> tuple[dict[str, str | None], dict[str, Known]]:
        """Return the versions of the documents that are well, and the rows of all others, by document id.

        A document is well when an equal version token means that there is nothing to do or to say of it.
        """
        well = settled(pipeline, audience)
        statement = select(documents.c.document_id, documents.c.version).where(of_source(source), well)
        async with reading(self.engine) as connection:
            found = (await connection.execute(statement)).all()
        versions: dict[str, str | None] = {identity: from_text(version) for identity, version in found}
        return versions, {row.document_id: row for row in await self._select(of_source(source) & not_(well))}

    async def standing(self, source: str, audience: Sequence[str]) -> Standing:
        """Return what a source's rows add up to."""
        due = (documents.c.retry_at > 0) & (documents.c.retry_at <= self.clock())
        sums = select(
            func.count(),
            func.coalesce(func.sum(documents.c.nodes), 0),
            func.coalesce(func.sum(case((VISIBLE, 0), else_=1)), 0),
            func.coalesce(func.sum(case((due, 1), else_=0)), 0),
            func.coalesce(func.sum(case((retagged(audience), 1), else_=0)), 0),
        ).where(of_source(source))
        doubts = select(func.count()).select_from(pending).where(pending.c.source == source)
        async with reading(self.engine) as connection:
            number, nodes, hidden, overdue, stale = (await connection.execute(sums)).one()
            doubtful = (await connection.execute(doubts)).scalar_one()
        return Standing(
            documents=number - hidden,
            nodes=int(nodes),
            hidden=hidden,
            due=overdue,
            retagged=stale,
            doubtful=doubtful,
        )

    async def troubled(self, source: str) -> list[Known]:
        """Return the rows of the documents that there is something to say of."""
        said = (documents.c.reason != "") | documents.c.status.not_in(NO_FAILURE)
        return await self._select(of_source(source) & VISIBLE & said)

    async def retagged(self, source: str, audience: Sequence[str], limit: int) -> list[Known]:
        """Return rows of documents whose stored nodes have another audience than this one."""
        return await self._select(of_source(source) & retagged(audience), limit)

    async def holders(self, source: str) -> tuple[set[str], set[str]]:
        """Return the ids of all documents of a source, and of those that have nodes."""
        statement = select(documents.c.document_id, documents.c.nodes).where(of_source(source))
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {row[0] for row in rows}, {row[0] for row in rows if row[1]}

    async def kept_hashes(self, source: str, missing: Collection[Known]) -> set[str]:
        """Return the content hashes of these documents that visible other ones have too."""
        wanted = {row.content_hash for row in missing}
        gone = {row.document_id for row in missing}
        statement = select(documents.c.document_id, documents.c.content_hash).where(
            of_source(source), VISIBLE, documents.c.nodes > 0
        )
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {digest for identity, digest in rows if digest in wanted and identity not in gone}

    async def failures(self, source: str) -> list[Failure]:
        """Return the documents of a source that are not `ok`, by uri."""
        statement = (
            select(documents.c.uri, documents.c.status, documents.c.reason)
            .where(of_source(source), VISIBLE, documents.c.status != "ok")
            .order_by(documents.c.uri)
        )
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return [
            Failure(uri=from_text(uri), status=status, reason=from_text(reason))
            for uri, status, reason in rows
        ]

    async def _select(self, where: ColumnElement[bool], limit: int | None = None) -> list[Known]:
        async with reading(self.engine) as connection:
            rows = (await connection.execute(select(*KNOWN).where(where).limit(limit))).all()
        return [to_known(row) for row in rows]

    async def announce(self, lease: Lease, ids: Collection[str]) -> None:
        """Note that these documents are about to change in the store. Raise `LeaseLost` if not ours."""
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            await unsettle(connection, lease.source)
            await self._doubt(connection, lease.source, ids)

    async def doubt(self, source: str, ids: Collection[str]) -> None:
        """Note, whoever holds the lease, that the store may differ for these documents."""
        async with transaction(self.engine) as connection:
            await unsettle(connection, source)
            await self._doubt(connection, source, ids)

    async def pending(self, source: str) -> set[str]:
        """Return the ids of the documents that were announced or doubted and not recorded since."""
        statement = select(pending.c.document_id).where(pending.c.source == source)
        async with reading(self.engine) as connection:
            return set((await connection.execute(statement)).scalars())

    async def record(self, lease: Lease, batch: Sequence[Known]) -> None:
        """Write the rows of documents whose nodes are safe in the store. Raise `LeaseLost` if not ours."""
        now = self.clock()
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            if batch:
                await unsettle(connection, lease.source)
                await connection.execute(self._upsert(), [to_values(lease.source, row, now) for row in batch])
                await _drop(connection, pending, [row.document_id for row in batch])

    async def forget(self, lease: Lease, ids: Collection[str]) -> None:
        """Remove the rows of documents whose nodes are gone from the store."""
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            await unsettle(connection, lease.source)
            await _drop(connection, documents, ids)
            await _drop(connection, pending, ids)

    async def _doubt(self, connection: AsyncConnection, source: str, ids: Collection[str]) -> None:
        if ids:
            statement = inserting(self.engine, pending).on_conflict_do_nothing()
            await connection.execute(statement, [{"document_id": one, "source": source} for one in ids])

    def _upsert(self) -> Insert:
        statement = inserting(self.engine, documents)
        changed = {
            column.name: statement.excluded[column.name]
            for column in documents.c
            if column.name != "document_id"
        }
        return statement.on_conflict_do_update(index_elements=["document_id"], set_=changed)

    # Runs

    async def start_run(
        self,
        lease: Lease,
        *,
        kind: RunKind = "sync",
        store: str = "",
        version: int | None = None,
    ) -> tuple[Run, Run | None]:
        """Begin a run; return it and the one before it, which is `interrupted` if it never ended.

        `store` and its `version` are what the run will change. Raise `SyncRefused` for a sync while the
        source is held by a rollback.
        """
        now = self.clock()
        run = Run(
            id=uuid.uuid4().hex,
            source=lease.source,
            started=now,
            kind=kind,
            beat=now,
            store=store,
            version_before=version,
        )
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            if kind == "sync":
                await refuse_if_held(connection, lease.source)
            await connection.execute(
                update(runs)
                .where(runs.c.source == lease.source, runs.c.status == "running")
                .values(status="interrupted", error="It was killed, or lost its lease, before its end.")
            )
            before = await read_runs(connection, lease.source, 1)
            await connection.execute(insert(runs).values(_run_values(run, lease.owner)))
        return run, before[0] if before else None

    async def beat(self, run: Run) -> None:
        """Note that a run gets on."""
        async with transaction(self.engine) as connection:
            await connection.execute(update(runs).where(runs.c.id == run.id).values(beat=self.clock()))

    async def finish_run(
        self,
        run: Run,
        status: RunStatus,
        *,
        report: dict[str, Any] | None = None,
        error: str = "",
        version: int | None = None,
        listing: str = "",
    ) -> None:
        """End a run and drop runs of the same source that are too old to matter.

        `version` is the store's now. `listing` is the digest of what was listed, if the rows and nodes
        are exactly those of that listing.
        """
        values = {
            "finished": self.clock(),
            "status": status,
            "error": error,
            "report": json.dumps(report) if report else "",
            "version_after": version,
            "listing": listing,
        }
        async with transaction(self.engine) as connection:
            if listing:
                await unsettle(connection, run.source)
            await connection.execute(update(runs).where(runs.c.id == run.id).values(values))
            await prune(connection, run.source, KEPT_RUNS)

    async def last_runs(self, source: str, limit: int = 10) -> list[Run]:
        """Return a source's latest runs, newest first."""
        return await self.history(source, limit)

    async def history(self, source: str | None = None, limit: int = 20) -> list[Run]:
        """Return the latest runs of a source, or of all, newest first."""
        async with reading(self.engine) as connection:
            return await read_runs(connection, source, limit)

    async def find_runs(self, prefix: str) -> list[Run]:
        """Return the runs whose ids begin with `prefix`, newest first."""
        async with reading(self.engine) as connection:
            return await find_runs(connection, prefix)

    async def settled_listing(self, source: str, store: str) -> str:
        """Return the digest of the listing that the source's rows and nodes are exactly of, or nothing."""
        async with reading(self.engine) as connection:
            return await settled_listing(connection, source, store)

    async def highest_version(self, store: str) -> int:
        """Return the highest version of a store that a run ended with."""
        async with reading(self.engine) as connection:
            return await highest_version(connection, store)

    async def distrust(self, store: str, version: int) -> None:
        """Note that the store may lack commits above this version: every source is compared with it."""
        async with transaction(self.engine) as connection:
            await forget_versions(connection, store, version)

    # Sources

    async def add_source(self, source: AnySource) -> None:
        """Keep a source's definition. Raise `SourceInvalid` when the name is taken."""
        async with transaction(self.engine) as connection:
            await add_definition(connection, source, self.clock())

    async def list_sources(self) -> list[AnySource]:
        """Return the kept definitions by name. Raise `StoreNewer` when one cannot be understood."""
        async with reading(self.engine) as connection:
            return await read_definitions(connection)

    async def remove_source(self, name: str) -> None:
        """Remove a source's definition and all its rows. Raise `SourceUnknown` when there are none."""
        async with transaction(self.engine) as connection:
            found = await connection.execute(delete(sources).where(sources.c.name == name))
            removed = found.rowcount
            for table in (documents, pending, runs, schedules, source_memory):
                found = await connection.execute(delete(table).where(table.c.source == name))
                removed += found.rowcount
        if not removed:
            raise SourceUnknown(f"There is no source {name!r}. See: lorekeeper sources list")

    async def states(self) -> dict[str, SourceState]:
        """Return the state of every source that was ever synced, by name."""
        failed = func.sum(case((documents.c.status.in_(NO_FAILURE), 0), else_=1))
        statement = (
            select(documents.c.source, func.count(), failed, func.sum(documents.c.nodes))
            .where(VISIBLE)
            .group_by(documents.c.source)
        )
        async with reading(self.engine) as connection:
            counted = {row[0]: row[1:] for row in await connection.execute(statement)}
            names = (await connection.execute(select(runs.c.source).distinct())).scalars()
            return {
                name: await _state(connection, name, *counted.get(name, (0, 0, 0)))
                for name in sorted({*names, *counted})
            }


async def _state(
    connection: AsyncConnection, source: str, number: int, failed: int, nodes: int
) -> SourceState:
    latest = await read_runs(connection, source, 1)
    return SourceState(
        source=source,
        documents=number,
        failed=failed,
        nodes=nodes,
        last_good=await last_good(connection, source),
        last_run=latest[0] if latest else None,
    )


async def _drop(connection: AsyncConnection, table: Table, ids: Collection[str]) -> None:
    if ids:
        statement = delete(table).where(table.c.document_id == bindparam("one"))
        await connection.execute(statement, [{"one": identity} for identity in ids])


def _run_values(run: Run, owner: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "source": run.source,
        "owner": owner,
        "started": run.started,
        "status": run.status,
        "error": "",
        "report": "",
        "kind": run.kind,
        "beat": run.beat,
        "store": run.store,
        "version_before": run.version_before,
        "listing": "",
    }
