"""One sync of one source, as named steps: look, list, plan, index, delete, maintain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from kb import faults
from kb.connectors.base import Connector
from kb.documents import Audience, DocumentRef
from kb.errors import SourceInvalid, SourceUnavailable
from kb.leases import Lease
from kb.manifest import Manifest
from kb.pipeline import Pipeline, Writer
from kb.planning import Deletions, Known, SyncPlan, guard_deletions, plan_sync
from kb.preparing import MEGABYTE, Preparer
from kb.reports import Tally
from kb.settings import AnySource, SyncSettings

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.parsing.pool import Parser
    from kb.store import NodeStore

log = logging.getLogger(__name__)

_AT_ONCE = 1000
_RETAG_AT_ONCE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a sync works with; all sources share them."""

    store: NodeStore
    manifest: Manifest
    embedder: Embedder
    parser: Parser
    settings: SyncSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a source stands before a run.

    Documents in `doubtful` may be stored otherwise than their rows say. `orphans` are in the store, or
    were about to be, without a row.
    """

    known: dict[str, Known]
    doubtful: frozenset[str]
    orphans: tuple[Known, ...]


class SourceSync:
    """Carries out, or previews, one sync. What it does is counted in the tally."""

    def __init__(
        self,
        parts: Parts,
        source: AnySource,
        connector: Connector,
        tally: Tally,
        *,
        allow_deletes: bool = False,
        reembed: bool = False,
    ) -> None:
        self._parts = parts
        self._source = source
        self._connector = connector
        self._tally = tally
        self._allow_deletes = allow_deletes
        self._reembed = reembed
        self._audience = tuple(Audience(frozenset(source.audience)).stored())

    async def preview(self) -> None:
        """Count what a run would do, as far as can be told without fetching."""
        state = await self._look()
        plan = self._plan(await self._list(), state)
        self._count_unchanged(plan)
        self._tally.effects["added"], self._tally.effects["updated"] = plan.added, plan.changed
        if not self._tally.broken:
            deletions = self._deletions(plan, plan.unchanged, state)
            self._tally.deleted, self._tally.held = _visible(deletions.delete), len(deletions.held)

    async def carry_out(self, lease: Lease) -> None:
        """Bring the store up to date with the source, which this lease is for."""
        writer = Writer(self._parts.store, self._parts.manifest, lease)
        state = await self._retag(await self._look(), writer)
        plan = self._plan(await self._list(), state)
        self._count_unchanged(plan)
        self._tally.enter("indexing", len(plan.tasks) + len(plan.unchanged))
        present = [*plan.unchanged, *await self._index(plan, writer)]
        if not self._tally.broken:
            await self._delete(self._deletions(plan, present, state), writer)
        if writer.commits or self._tally.resuming:
            self._tally.enter("maintaining", self._tally.total)
            faults.reach("optimise")
            await self._parts.store.maintain()

    # The steps

    async def _look(self) -> State:
        """Compare the manifest with the store: a crash or a repair may have parted them."""
        known = await self._parts.manifest.known(self._source.name)
        pending = await self._parts.manifest.pending(self._source.name)
        stored = await self._parts.store.document_ids(self._source.name)
        lost = {identity for identity, row in known.items() if row.nodes and identity not in stored}
        strange = (stored | pending) - known.keys()
        if lost or strange:
            log.info(
                "source=%s not in the store: %d, not known: %d", self._source.name, len(lost), len(strange)
            )
        orphans = tuple(
            Known(document_id=identity, uri="", version="", nodes=int(identity in stored))
            for identity in sorted(strange)
        )
        return State(known=known, doubtful=frozenset(pending | lost | strange), orphans=orphans)

    async def _retag(self, state: State, writer: Writer) -> State:
        """Give the stored nodes the source's present audience, before anything can fail."""
        stale = [row for row in state.known.values() if row.nodes and row.audience != self._audience]
        known = dict(state.known)
        for rows in _chunks(stale, _RETAG_AT_ONCE):
            nodes = await asyncio.gather(*(self._parts.store.nodes_of(row.document_id) for row in rows))
            documents = {
                row.document_id: [replace(node, audience=self._audience) for node in found]
                for row, found in zip(rows, nodes, strict=True)
                if found
            }
            # Recording a doubtful document would end the doubt: no pipeline forces it as well.
            tagged = [
                replace(row, audience=self._audience, pipeline="")
                if row.document_id in state.doubtful
                else replace(row, audience=self._audience)
                for row in rows
            ]
            await writer.write(tagged, documents)
            known.update((row.document_id, row) for row in tagged)
        return replace(state, known=known)

    async def _list(self) -> list[DocumentRef]:
        """Return what the source lists; when that is not all, the tally is marked as broken."""
        refs: list[DocumentRef] = []
        self._tally.enter("listing")
        faults.reach("list")
        try:
            async for ref in self._connector.list_documents():
                refs.append(ref)
                self._tally.listed += 1
                self._tally.show()
        except (SourceUnavailable, SourceInvalid) as exc:
            log.warning("listing failed source=%s after=%d reason=%s", self._source.name, len(refs), exc)
            self._tally.fail(str(exc))
        faults.reach("plan")
        return refs

    def _plan(self, refs: Iterable[DocumentRef], state: State) -> SyncPlan:
        return plan_sync(refs, state.known, doubtful=state.doubtful, everything=self._reembed)

    def _count_unchanged(self, plan: SyncPlan) -> None:
        for row in plan.unchanged:
            self._tally.count("failed" if row.failed else "unchanged", row.uri, row.reason)

    async def _index(self, plan: SyncPlan, writer: Writer) -> list[Known]:
        """Store what is new or changed and return its rows."""
        settings = self._parts.settings
        preparer = Preparer(
            self._connector,
            self._parts.parser,
            self._source,
            max_bytes=int(settings.max_file_mb * MEGABYTE),
        )
        pipeline = Pipeline(
            preparer,
            self._parts.embedder,
            self._parts.store,
            writer,
            self._tally,
            batch_documents=settings.batch_documents,
            reuse=not self._reembed,
        )
        await pipeline.run(plan.tasks)
        return pipeline.recorded

    def _deletions(self, plan: SyncPlan, present: Sequence[Known], state: State) -> Deletions:
        listed = {task.ref.document_id for task in plan.tasks}
        orphans = [row for row in state.orphans if row.document_id not in listed]
        return guard_deletions(
            [*plan.missing, *orphans],
            present,
            documents=self._parts.settings.guard_documents,
            share=self._parts.settings.guard_share,
            allowed=self._allow_deletes,
        )

    async def _delete(self, deletions: Deletions, writer: Writer) -> None:
        self._tally.held = len(deletions.held)
        if deletions.held:
            log.warning("deletions held source=%s documents=%d", self._source.name, len(deletions.held))
        if deletions.delete:
            self._tally.enter("deleting", self._tally.total)
        for rows in _chunks(deletions.delete, _AT_ONCE):
            await writer.delete([row.document_id for row in rows])
            self._tally.deleted += _visible(rows)


def _visible(rows: Iterable[Known]) -> int:
    """Count the documents that a person knew of: rows, and nodes without a row."""
    return sum(bool(row.uri or row.nodes) for row in rows)


def _chunks(rows: Iterable[Known], size: int) -> Iterator[list[Known]]:
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk
