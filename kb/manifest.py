"""What is stored for each document, which sources there are, and how each sync went: rows in SQL.

Nothing here is the truth about the index: the store is. A document in `pending` was about to change in
the store; until it is recorded, its row says nothing for certain.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Insert, Table, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.database import reading, transaction
from kb.errors import DocumentStatus, SourceInvalid, SourceUnknown, StoreNewer
from kb.leases import Lease, check
from kb.planning import Known
from kb.settings import AnySource
from kb.tables import documents, pending, runs, sources

RunStatus = Literal["running", "ok", "partial", "held", "failed", "interrupted"]
KEPT_RUNS = 100
COMPLETE: tuple[RunStatus, ...] = ("ok", "partial", "held")

_UNSAFE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")
_KNOWN = (
    "document_id",
    "uri",
    "version",
    "content_hash",
    "status",
    "reason",
    "nodes",
    "pipeline",
    "audience",
    "attempts",
)
_RUN = (
    runs.c.id,
    runs.c.source,
    runs.c.started,
    runs.c.finished,
    runs.c.status,
    runs.c.error,
    runs.c.report,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One sync of one source. `error` is why it failed; `report` is its JSON report once it has ended."""

    id: str
    source: str
    started: float
    finished: float | None = None
    status: RunStatus = "running"
    error: str = ""
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A document that could not be read or has no text, and why."""

    uri: str
    status: DocumentStatus
    reason: str


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
        self._clock = clock

    # Documents

    async def known(self, source: str) -> dict[str, Known]:
        """Return the rows of a source's documents by document id."""
        statement = select(*(documents.c[name] for name in _KNOWN)).where(documents.c.source == source)
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {row[0]: _known(*row) for row in rows}

    async def failures(self, source: str) -> list[Failure]:
        """Return the documents of a source that are not `ok`, by uri."""
        statement = (
            select(documents.c.uri, documents.c.status, documents.c.reason)
            .where(documents.c.source == source, documents.c.status != "ok")
            .order_by(documents.c.uri)
        )
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return [Failure(uri=_from_text(uri), status=status, reason=reason) for uri, status, reason in rows]

    async def announce(self, lease: Lease, ids: Collection[str]) -> None:
        """Note that these documents are about to change in the store. Raise `LeaseLost` if not ours."""
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            await self._doubt(connection, lease.source, ids)

    async def doubt(self, source: str, ids: Collection[str]) -> None:
        """Note, whoever holds the lease, that the store may differ for these documents."""
        async with transaction(self.engine) as connection:
            await self._doubt(connection, source, ids)

    async def pending(self, source: str) -> set[str]:
        """Return the ids of the documents that were announced or doubted and not recorded since."""
        statement = select(pending.c.document_id).where(pending.c.source == source)
        async with reading(self.engine) as connection:
            return set((await connection.execute(statement)).scalars())

    async def record(self, lease: Lease, batch: Sequence[Known]) -> None:
        """Write the rows of documents whose nodes are safe in the store. Raise `LeaseLost` if not ours."""
        now = self._clock()
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            if batch:
                await connection.execute(self._upsert(), [_values(lease.source, row, now) for row in batch])
                await _drop(connection, pending, [row.document_id for row in batch])

    async def forget(self, lease: Lease, ids: Collection[str]) -> None:
        """Remove the rows of documents whose nodes are gone from the store."""
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            await _drop(connection, documents, ids)
            await _drop(connection, pending, ids)

    async def _doubt(self, connection: AsyncConnection, source: str, ids: Collection[str]) -> None:
        if ids:
            statement = self._insert(pending).on_conflict_do_nothing()
            await connection.execute(statement, [{"document_id": one, "source": source} for one in ids])

    def _upsert(self) -> Insert:
        statement = self._insert(documents)
        changed = {
            column.name: statement.excluded[column.name]
            for column in documents.c
            if column.name != "document_id"
        }
        return statement.on_conflict_do_update(index_elements=["document_id"], set_=changed)

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        if self.engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    # Runs

    async def start_run(self, lease: Lease) -> tuple[Run, Run | None]:
        """Begin a run; return it and the one before it, which is `interrupted` if it never ended."""
        run = Run(id=uuid.uuid4().hex, source=lease.source, started=self._clock())
        async with transaction(self.engine) as connection:
            await check(connection, lease)
            await connection.execute(
                update(runs)
                .where(runs.c.source == lease.source, runs.c.status == "running")
                .values(status="interrupted", error="It was killed, or lost its lease, before its end.")
            )
            before = await _last_run(connection, lease.source)
            await connection.execute(
                insert(runs).values(
                    id=run.id,
                    source=run.source,
                    owner=lease.owner,
                    started=run.started,
                    status=run.status,
                    error="",
                    report="",
                )
            )
        return run, before

    async def finish_run(
        self, run: Run, status: RunStatus, *, report: dict[str, Any] | None = None, error: str = ""
    ) -> None:
        """End a run and drop runs of the same source that are too old to matter."""
        values = {
            "finished": self._clock(),
            "status": status,
            "error": error,
            "report": json.dumps(report) if report else "",
        }
        async with transaction(self.engine) as connection:
            await connection.execute(update(runs).where(runs.c.id == run.id).values(values))
            await _prune(connection, run.source)

    async def last_runs(self, source: str, limit: int = 10) -> list[Run]:
        """Return a source's latest runs, newest first."""
        statement = select(*_RUN).where(runs.c.source == source).order_by(runs.c.started.desc()).limit(limit)
        async with reading(self.engine) as connection:
            return [_run(*row) for row in await connection.execute(statement)]

    # Sources

    async def add_source(self, source: AnySource) -> None:
        """Keep a source's definition. Raise `SourceInvalid` when the name is taken."""
        values = {"name": source.name, "definition": source.model_dump_json(), "added": self._clock()}
        async with transaction(self.engine) as connection:
            taken = select(sources.c.name).where(sources.c.name == source.name)
            if (await connection.execute(taken)).first() is not None:
                raise SourceInvalid(
                    f"There is a source {source.name!r} already. Give this one another --name, "
                    f"or remove the old one: lorekeeper sources remove {source.name}"
                )
            await connection.execute(insert(sources).values(values))

    async def list_sources(self) -> list[AnySource]:
        """Return the kept definitions by name. Raise `StoreNewer` when one cannot be understood."""
        statement = select(sources.c.name, sources.c.definition).order_by(sources.c.name)
        async with reading(self.engine) as connection:
            rows = (await connection.execute(statement)).all()
        return [_definition(name, definition) for name, definition in rows]

    async def remove_source(self, name: str) -> None:
        """Remove a source's definition and all its rows. Raise `SourceUnknown` when there are none."""
        async with transaction(self.engine) as connection:
            found = await connection.execute(delete(sources).where(sources.c.name == name))
            removed = found.rowcount
            for table in (documents, pending, runs):
                found = await connection.execute(delete(table).where(table.c.source == name))
                removed += found.rowcount
        if not removed:
            raise SourceUnknown(f"There is no source {name!r}. See: lorekeeper sources list")

    async def states(self) -> dict[str, SourceState]:
        """Return the state of every source that was ever synced, by name."""
        failed = func.sum(case((documents.c.status.in_(("ok", "empty")), 0), else_=1))
        statement = select(documents.c.source, func.count(), failed, func.sum(documents.c.nodes)).group_by(
            documents.c.source
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
    good = select(func.max(runs.c.finished)).where(runs.c.source == source, runs.c.status.in_(COMPLETE))
    return SourceState(
        source=source,
        documents=number,
        failed=failed,
        nodes=nodes,
        last_good=(await connection.execute(good)).scalar(),
        last_run=await _last_run(connection, source),
    )


async def _last_run(connection: AsyncConnection, source: str) -> Run | None:
    statement = select(*_RUN).where(runs.c.source == source).order_by(runs.c.started.desc()).limit(1)
    row = (await connection.execute(statement)).first()
    return _run(*row) if row is not None else None


async def _prune(connection: AsyncConnection, source: str) -> None:
    """Drop a source's oldest runs, but never the last one that was complete."""
    ours = runs.c.source == source
    newest = select(runs.c.id).where(ours).order_by(runs.c.started.desc()).limit(KEPT_RUNS)
    good = select(runs.c.id).where(ours, runs.c.status.in_(COMPLETE)).order_by(runs.c.started.desc()).limit(1)
    kept = {row[0] for statement in (newest, good) for row in await connection.execute(statement)}
    await connection.execute(delete(runs).where(ours, runs.c.id.not_in(kept)))


async def _drop(connection: AsyncConnection, table: Table, ids: Collection[str]) -> None:
    if ids:
        statement = delete(table).where(table.c.document_id == bindparam("one"))
        await connection.execute(statement, [{"one": identity} for identity in ids])


def _values(source: str, row: Known, now: float) -> dict[str, Any]:
    return {
        "document_id": row.document_id,
        "source": source,
        "uri": _to_text(row.uri),
        "version": _to_text(row.version),
        "content_hash": row.content_hash,
        "status": row.status,
        "reason": _to_text(row.reason),
        "nodes": row.nodes,
        "pipeline": row.pipeline,
        "audience": json.dumps(row.audience),
        "attempts": row.attempts,
        "recorded": now,
    }


def _known(
    identity: str,
    uri: str,
    version: str,
    content_hash: str,
    status: DocumentStatus,
    reason: str,
    nodes: int,
    pipeline: str,
    audience: str,
    attempts: int,
) -> Known:
    return Known(
        document_id=identity,
        uri=_from_text(uri),
        version=_from_text(version),
        content_hash=content_hash,
        status=status,
        reason=reason,
        nodes=nodes,
        pipeline=pipeline,
        audience=tuple(json.loads(audience)),
        attempts=attempts,
    )


def _run(
    identity: str,
    source: str,
    started: float,
    finished: float | None,
    status: RunStatus,
    error: str,
    report: str,
) -> Run:
    return Run(
        id=identity,
        source=source,
        started=started,
        finished=finished,
        status=status,
        error=error,
        report=json.loads(report) if report else None,
    )


def _definition(name: str, definition: str) -> AnySource:
    adapter: TypeAdapter[AnySource] = TypeAdapter(AnySource)
    try:
        return adapter.validate_json(definition)
    except ValidationError as exc:
        raise StoreNewer(
            f"The definition of source {name!r} cannot be understood by this release. "
            f"Upgrade lorekeeper, or remove it: lorekeeper sources remove {name}"
        ) from exc


def _to_text(value: str) -> str:
    """Write a text so that any database takes it: file names may hold bytes that are no UTF-8."""
    return _UNSAFE.sub(lambda found: f"\x1a{ord(found[0]):04x}", value)


def _from_text(value: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "\x1a" in value else value
