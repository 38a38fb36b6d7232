"""A source's rows during one run: what is listed is compared with them as it comes.

Of a document that is well only id and version are held, so that a source of any usual size fits into
memory; the whole row is read when the document changed or is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.documents import DocumentRef
from kb.manifest import Manifest
from kb.planning import Known, SyncPlan, plan_sync

_SEEN = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What decides, beside a document's version, whether it is read again.

    Documents in `doubtful` may be stored otherwise than their rows say. `orphans` are in the store, or
    were about to be, without a row.
    """

    doubtful: frozenset[str] = frozenset()
    orphans: tuple[Known, ...] = ()
    everything: bool = False
    max_bytes: int = 0


class Comparison:
    """Compares one listing with the rows, a piece at a time. `present` counts what was listed."""

    def __init__(
        self,
        manifest: Manifest,
        versions: dict[str, str | None],
        others: dict[str, Known],
        circumstances: Circumstances,
    ) -> None:
        """Begin with the versions of the documents that are well and the rows of `others`, by id."""
        self.present = 0
        self._manifest = manifest
        self._versions = versions
        self._others = others
        self._circumstances = circumstances

    async def plan(self, chunk: Iterable[DocumentRef]) -> tuple[int, SyncPlan]:
        """Return how many of these documents are well and unchanged, and the plan for the others."""
        settled = 0
        rest: dict[str, DocumentRef] = {}
        changed: list[str] = []
        for ref in chunk:
            identity = ref.document_id
            known = self._versions.get(identity, "")
            if known is _SEEN:
                continue
            self.present += 1
            if known and known == ref.version and not self._is_forced(identity):
                settled += 1
            else:
                rest[identity] = ref
                if identity in self._versions:
                    changed.append(identity)
            self._versions[identity] = _SEEN
        return settled, await self._plan(rest, changed)

    async def missing(self) -> list[Known]:
        """Return what is known and was not listed: rows, and nodes that have none."""
        gone = [identity for identity, version in self._versions.items() if version is not _SEEN]
        rows = await self._manifest.rows(gone)
        orphans = [
            row for row in self._circumstances.orphans if self._versions.get(row.document_id, "") is not _SEEN
        ]
        return [*rows.values(), *self._others.values(), *orphans]

    async def _plan(self, rest: Mapping[str, DocumentRef], changed: Sequence[str]) -> SyncPlan:
        rows = await self._manifest.rows(changed) if changed else {}
        rows |= {identity: self._others.pop(identity) for identity in rest if identity in self._others}
        return plan_sync(
            rest.values(),
            rows,
            doubtful=self._circumstances.doubtful,
            everything=self._circumstances.everything,
            now=self._manifest.clock(),
            max_bytes=self._circumstances.max_bytes,
        )

    def doubts(self, identity: str) -> bool:
        """Tell whether a document may be stored otherwise than its row says."""
        return identity in self._circumstances.doubtful

    def _is_forced(self, identity: str) -> bool:
        return self._circumstances.everything or self.doubts(identity)
