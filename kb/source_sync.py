"""One sync of one source, as named steps: look, list, compare, index, delete, maintain.

A document that has left its source is hidden first: its nodes stay, seen by nobody, until a second complete
listing agrees. A listing that is as the last one was ends the run before any row is read.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from kb import faults
from kb.comparing import Circumstances, Comparison
from kb.connectors.base import Connector
from kb.documents import Audience
from kb.leases import Lease
from kb.listing import Listing
from kb.manifest import Manifest, Standing
from kb.pipeline import Pipeline
from kb.planning import PIPELINE_VERSION, Deletions, Known, Task, guard_deletions
from kb.preparing import MEGABYTE, Preparer
from kb.reports import Tally
from kb.settings import SyncSettings
from kb.sources import AnySource
from kb.writing import Writer

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.parsing.pool import Parser
    from kb.store import NodeStore

log = logging.getLogger(__name__)

_AT_ONCE = 1000
_TAGGED_AT_ONCE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a sync works with; all sources share them."""

    store: NodeStore
    manifest: Manifest
    embedder: Embedder
    parser: Parser
    settings: SyncSettings

    @property
    def max_bytes(self) -> int:
        """The limit for one document."""
        return int(self.settings.max_file_mb * MEGABYTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a source stands before a run. `stamp` is the digest of the listing that its nodes are of.

    It is empty when the manifest and the store have to be compared document by document.
    """

    standing: Standing
    pending: frozenset[str]
    stamp: str


class SourceSync:
    """Carries out, or previews, one sync. What it does is counted in the tally.

    Afterwards `stamp` is the digest of the listing, if rows and nodes are now exactly those of it.
    """

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
        self.stamp = ""
        self._parts = parts
        self._source = source
        self._tally = tally
        self._connector = connector
        self._listing = Listing(source.name, connector, tally)
        self._allow_deletes = allow_deletes
        self._reembed = reembed
        self._audience = tuple(Audience(source.seen_by).stored())

    async def preview(self) -> None:
        """Count what a run would do, as far as can be told without fetching."""
        async with self._listing.running():
            comparison = await self._compare(await self._look())
            async for chunk in self._listing.chunks():
                settled, plan = await comparison.plan(chunk)
                self._count_unchanged(settled, plan.unchanged)
                self._tally.effects["added"] += plan.added
                self._tally.effects["updated"] += plan.changed
        if self._listing.complete:
            deletions = await self._deletions(comparison)
            self._tally.deleted, self._tally.held = deletions.lost, len(deletions.held)

    async def carry_out(self, lease: Lease) -> None:
        """Bring the store up to date with the source, which this lease is for."""
        writer = Writer(self._parts.store, self._parts.manifest, lease)
        self._tally.enter("listing")
        async with self._listing.running():
            look = await self._look()
            if look.standing.retagged:
                await self._retag(look, writer)
            if await self._is_quiet(look):
                await self._report_quiet(look)
                return
            comparison = await self._compare(look)
            exact = await self._index(comparison, writer)
        if self._listing.complete:
            await self._delete(await self._deletions(comparison), comparison, writer)
            self.stamp = "" if self._tally.held else self._digest(exact=exact)
        await self._maintain(writer)

    # The steps

    async def _look(self) -> Look:
        """Tell whether the store can be what the rows say: a crash or a repair may have parted them."""
        manifest, store, name = self._parts.manifest, self._parts.store, self._source.name
        standing = await manifest.standing(name, self._audience)
        pending = await manifest.pending(name) if standing.doubtful else set()
        stamp = await manifest.settled_listing(name, store.name)
        if pending or (stamp and await store.count(name) != standing.nodes):
            stamp = ""
        return Look(standing=standing, pending=frozenset(pending), stamp=stamp)

    async def _retag(self, look: Look, writer: Writer) -> None:
        """Give the stored nodes the source's present audience, before anything can fail."""
        while rows := await self._parts.manifest.retagged(self._source.name, self._audience, _TAGGED_AT_ONCE):
            # Recording a doubtful document would end the doubt: no pipeline forces it as well.
            tagged = [
                replace(row, audience=self._audience, pipeline="")
                if row.document_id in look.pending
                else replace(row, audience=self._audience)
                for row in rows
            ]
            await writer.tag(tagged, self._audience)

    async def _is_quiet(self, look: Look) -> bool:
        """Tell whether the source lists what it listed last time, and nothing else is to be done."""
        standing = look.standing
        if not look.stamp or standing.hidden or standing.due or standing.retagged or self._reembed:
            return False
        if not await self._listing.wait():
            return False
        return self._listing.digest.count == standing.documents and self._digest(exact=True) == look.stamp

    async def _report_quiet(self, look: Look) -> None:
        troubled = await self._parts.manifest.troubled(self._source.name)
        self._count_unchanged(look.standing.documents - len(troubled), troubled)
        self._tally.total = self._tally.listed
        self.stamp = look.stamp

    async def _compare(self, look: Look) -> Comparison:
        """Read the rows that the listing is compared with, and what of the store does not fit them."""
        manifest, name = self._parts.manifest, self._source.name
        lost, strange = (set(), {}) if look.stamp else await self._differences(look)
        versions, others = await manifest.settled(name, PIPELINE_VERSION, self._audience)
        circumstances = Circumstances(
            doubtful=look.pending | lost | strange.keys(),
            orphans=tuple(
                Known(document_id=identity, uri="", version="", nodes=nodes, pipeline="")
                for identity, nodes in sorted(strange.items())
            ),
            everything=self._reembed,
            max_bytes=self._parts.max_bytes,
        )
        return Comparison(manifest, versions, others, circumstances)

    async def _differences(self, look: Look) -> tuple[set[str], dict[str, int]]:
        """Return documents that should have nodes and do not, and those without a row (1: with nodes)."""
        known, holders = await self._parts.manifest.holders(self._source.name)
        stored = await self._parts.store.document_ids(self._source.name, hidden=True)
        lost = holders - stored
        strange = {identity: int(identity in stored) for identity in (stored | look.pending) - known}
        if lost or strange:
            log.info(
                "source=%s not in the store: %d, not known: %d", self._source.name, len(lost), len(strange)
            )
        return lost, strange

    def _count_unchanged(self, settled: int, rows: Iterable[Known]) -> None:
        self._tally.effects["unchanged"] += settled
        for row in rows:
            self._tally.count("failed" if row.failed else "unchanged", row)

    async def _index(self, comparison: Comparison, writer: Writer) -> bool:
        """Store what is new or changed; return whether all of it was what had been listed."""
        parts = self._parts
        preparer = Preparer(
            self._connector,
            parts.parser,
            self._source,
            max_bytes=parts.max_bytes,
            clock=parts.manifest.clock,
        )
        pipeline = Pipeline(
            preparer,
            parts.embedder,
            parts.store,
            writer,
            self._tally,
            batch_documents=parts.settings.batch_documents,
            reuse=not self._reembed,
        )
        async with aclosing(self._tasks(comparison, writer)) as tasks:
            await pipeline.run(tasks)
        return pipeline.exact

    async def _tasks(self, comparison: Comparison, writer: Writer) -> AsyncGenerator[Task, None]:
        """Yield what is to be fetched while the source is being listed."""
        async for chunk in self._listing.chunks():
            settled, plan = await comparison.plan(chunk)
            self._tally.go_on("indexing", self._tally.listed)
            self._count_unchanged(settled, plan.unchanged)
            await self._show(plan.shown, writer)
            for task in plan.tasks:
                yield task

    async def _show(self, rows: Sequence[Known], writer: Writer) -> None:
        """Show documents again that were hidden and are back as they were."""
        for some in _chunks(rows, _TAGGED_AT_ONCE):
            shown = [replace(row, audience=self._audience, hidden=0.0) for row in some]
            await writer.tag(shown, self._audience)
            for row in shown:
                self._tally.count("added", row)

    async def _deletions(self, comparison: Comparison) -> Deletions:
        settings = self._parts.settings
        missing = await comparison.missing()
        kept: set[str] = set()
        if len(missing) > settings.guard_documents and not self._allow_deletes:
            kept = await self._parts.manifest.kept_hashes(self._source.name, missing)
        return guard_deletions(
            missing,
            comparison.present,
            kept=kept,
            documents=settings.guard_documents,
            share=settings.guard_share,
            allowed=self._allow_deletes,
        )

    async def _delete(self, deletions: Deletions, comparison: Comparison, writer: Writer) -> None:
        self._tally.held = len(deletions.held)
        if deletions.held:
            log.warning("deletions held source=%s documents=%d", self._source.name, len(deletions.held))
        if deletions.hide or deletions.remove:
            self._tally.enter("deleting", self._tally.listed)
        now = self._parts.manifest.clock()
        for rows in _chunks(deletions.hide, _TAGGED_AT_ONCE):
            # Coming back, a doubtful document is read again: nobody knows which version is hidden.
            sure = [replace(row, pipeline="") if comparison.doubts(row.document_id) else row for row in rows]
            await writer.hide(sure, now)
            self._tally.deleted += len(rows)
        for rows in _chunks(deletions.remove, _AT_ONCE):
            await writer.delete([row.document_id for row in rows])
            self._tally.deleted += Deletions(remove=tuple(rows)).lost

    async def _maintain(self, writer: Writer) -> None:
        if writer.commits or self._tally.resuming:
            self._tally.enter("maintaining", self._tally.listed)
            faults.reach("optimise")
            await self._parts.store.maintain()

    def _digest(self, *, exact: bool) -> str:
        """Return the digest of the listing and of what decides beside it; one that is inexact fits none."""
        digest = self._listing.digest
        salt = "" if exact and digest.exact else uuid.uuid4().hex
        model = self._parts.embedder.identity
        return digest.value(PIPELINE_VERSION, self._audience, model, self._parts.max_bytes, salt)


def _chunks(rows: Iterable[Known], size: int) -> Iterator[list[Known]]:
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk
