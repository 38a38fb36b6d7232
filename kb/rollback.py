"""Putting a source back as it was before a run, and holding it there until a person releases it.

Only what differs is written, document by document as a sync does, so that each is old or new for every
reader. A document that was put back has no version token: the first sync after the release reads it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.database import transaction
from kb.documents import HIDDEN_TAG
from kb.errors import KnowledgeBaseError
from kb.leases import Lease, Leases
from kb.lookback import version_before
from kb.manifest import Manifest, Run
from kb.nodes import StoredNode
from kb.planning import Known
from kb.reports import SyncReport
from kb.runs import unsettle
from kb.schedules import Schedules
from kb.store import NodeStore
from kb.store_snapshots import Print, Snapshot
from kb.writing import Writer, settle

log = logging.getLogger(__name__)

_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What to do so that a source is as it was: documents to put back, and those to remove.

    `added`, `updated` and `deleted` count what a reader sees of it; hidden documents are seen by nobody.
    """

    restore: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    added: int = 0
    updated: int = 0
    deleted: int = 0


def compare(before: Mapping[str, Print], now: Mapping[str, Print]) -> Difference:
    """Compare a source's documents as they were with those of now, both by document id."""
    restore = {identity for identity, one in before.items() if now.get(identity) != one}
    seen_before, seen_now = _seen(before), _seen(now)
    return Difference(
        restore=tuple(sorted(restore)),
        remove=tuple(sorted(now.keys() - before.keys())),
        added=len(seen_before - seen_now),
        updated=len(restore & seen_before & seen_now),
        deleted=len(seen_now - seen_before),
    )


def _seen(prints: Mapping[str, Print]) -> set[str]:
    return {identity for identity, one in prints.items() if HIDDEN_TAG not in one.audience}


class Rollback:
    """Rolls sources back."""

    def __init__(self, store: NodeStore, manifest: Manifest, *, leases: Leases | None = None) -> None:
        self._store = store
        self._manifest = manifest
        self._leases = leases or Leases(manifest.engine)

    async def run(self, run: Run, *, tags: Sequence[str] | None = None) -> SyncReport:
        """Put the source of `run` back as it was before it, hold it there, and return what was changed.

        `tags` are those that the source's nodes carry today: what was put back is seen by nobody who may
        not see the source now. Raise `SyncRefused` when another process syncs the source or the run
        cannot be looked back at, `StoreError` when its versions are kept no longer.
        """
        before = version_before(run, self._store.name)
        async with self._leases.hold(run.source) as lease, self._store.at(before) as snapshot:
            version = await self._store.version()
            record, _ = await self._manifest.start_run(
                lease, kind="rollback", store=self._store.name, version=version
            )
            started = time.monotonic()
            try:
                await Schedules(self._manifest.engine).hold(run.source, run.id)
                difference = await self._carry_out(lease, snapshot, tags)
            except asyncio.CancelledError:
                await settle(self._manifest.finish_run(record, "interrupted"))
                raise
            except KnowledgeBaseError as exc:
                await self._manifest.finish_run(record, "failed", error=str(exc))
                raise
            report = SyncReport(
                source=run.source,
                status="ok",
                seconds=time.monotonic() - started,
                added=difference.added,
                updated=difference.updated,
                deleted=difference.deleted,
            )
            after = await self._store.version()
            await self._manifest.finish_run(record, "ok", report=report.as_json(), version=after)
        await self._store.maintain()
        return report

    async def _carry_out(self, lease: Lease, snapshot: Snapshot, tags: Sequence[str] | None) -> Difference:
        async with transaction(self._manifest.engine) as connection:
            await unsettle(connection, lease.source)
        async with self._store.at(await self._store.version()) as present:
            now = await present.prints(lease.source)
        difference = compare(await snapshot.prints(lease.source), now)
        writer = Writer(self._store, self._manifest, lease)
        for ids in _parts(difference.restore):
            documents = await snapshot.nodes(ids)
            rows = [self._row(nodes, tags) for nodes in documents.values()]
            await writer.write(rows, {key: _tagged(nodes, tags) for key, nodes in documents.items()})
        for ids in _parts(difference.remove):
            await writer.delete(ids)
        restored, removed = len(difference.restore), len(difference.remove)
        log.info(
            "rolled back source=%s version=%d restored=%d removed=%d",
            lease.source,
            snapshot.version,
            restored,
            removed,
        )
        return difference

    def _row(self, nodes: Sequence[StoredNode], tags: Sequence[str] | None) -> Known:
        """Return the manifest's row of a document that was put back: it is read again when it is listed."""
        first = nodes[0]
        hidden = HIDDEN_TAG in first.audience
        return Known(
            document_id=first.document_id,
            uri=first.uri,
            version="",
            nodes=len(nodes),
            audience=first.audience if tags is None else tuple(tags),
            hidden=self._manifest.clock() if hidden else 0.0,
        )


def _tagged(nodes: Sequence[StoredNode], tags: Sequence[str] | None) -> list[StoredNode]:
    """Return the nodes with today's tags; hidden ones stay hidden."""
    if tags is None:
        return list(nodes)
    return [node if HIDDEN_TAG in node.audience else replace(node, audience=tuple(tags)) for node in nodes]


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    rest = list(ids)
    for start in range(0, len(rest), _AT_ONCE):
        yield rest[start : start + _AT_ONCE]
