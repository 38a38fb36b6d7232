"""Decide what a sync has to do: pure functions over what is listed and what is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kb.documents import DocumentRef
from kb.errors import DocumentStatus

# Raised when the parser or the splitter makes other nodes of the same bytes: every document is then
# parsed again, and what did not change keeps its vectors.
PIPELINE_VERSION = "1"
PARSE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the manifest says of one document.

    `version` is the token last seen; empty means that the document is fetched again. `content_hash` is
    that of the bytes the stored nodes were made of (of the unreadable bytes when there are no nodes).
    `attempts` counts failures to parse this version. `audience` are the tags of the stored nodes.
    """

    document_id: str
    uri: str
    version: str
    content_hash: str = ""
    status: DocumentStatus = "ok"
    reason: str = ""
    nodes: int = 0
    pipeline: str = PIPELINE_VERSION
    audience: tuple[str, ...] = ()
    attempts: int = 0

    @property
    def failed(self) -> bool:
        """Whether the document could not be read; one without any text is no failure."""
        return self.status not in ("ok", "empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A document to fetch. A forced one is parsed and stored even when its bytes are the known ones."""

    ref: DocumentRef
    known: Known | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What a sync will do, in the order of the listing."""

    tasks: tuple[Task, ...] = ()
    unchanged: tuple[Known, ...] = ()
    missing: tuple[Known, ...] = ()

    @property
    def added(self) -> int:
        """The number of documents that were never seen before."""
        return sum(task.known is None for task in self.tasks)

    @property
    def changed(self) -> int:
        """The number of known documents that are fetched again."""
        return len(self.tasks) - self.added


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """The missing documents: those that go, and those that wait for a person."""

    delete: tuple[Known, ...] = ()
    held: tuple[Known, ...] = ()


def plan_sync(
    listed: Iterable[DocumentRef],
    known: Mapping[str, Known],
    *,
    doubtful: Collection[str] = (),
    pipeline: str = PIPELINE_VERSION,
    everything: bool = False,
) -> SyncPlan:
    """Compare a listing with the manifest rows of the same source, both by document id.

    Documents in `doubtful` may differ in the store from what the manifest says: they are forced, as are
    those of another pipeline and, with `everything`, all. `missing` is known and not listed; it says
    nothing when the listing is incomplete.
    """
    tasks: list[Task] = []
    unchanged: list[Known] = []
    seen: set[str] = set()
    for ref in listed:
        identity = ref.document_id
        if identity in seen:
            continue
        seen.add(identity)
        row = known.get(identity)
        forced = everything or identity in doubtful or (row is not None and row.pipeline != pipeline)
        if row is None or forced or _stale(ref, row):
            tasks.append(Task(ref=ref, known=row, forced=forced))
        else:
            unchanged.append(row)
    missing = tuple(row for identity, row in known.items() if identity not in seen)
    return SyncPlan(tasks=tuple(tasks), unchanged=tuple(unchanged), missing=missing)


def guard_deletions(
    missing: Collection[Known],
    present: Collection[Known],
    *,
    documents: int,
    share: float,
    allowed: bool = False,
) -> Deletions:
    """Hold back deletions when more than `documents` and more than `share` of a source would be lost.

    A document without nodes is no loss, nor is one whose bytes are still `present` under another name:
    a moved folder needs nobody's approval. When the guard holds, those go and the rest wait.
    """
    kept = {row.content_hash for row in present if row.nodes}
    losses = {row.document_id for row in missing if row.nodes and row.content_hash not in kept}
    total = len(missing) + len(present)
    if allowed or len(losses) <= documents or len(losses) <= share * total:
        return Deletions(delete=tuple(missing))
    return Deletions(
        delete=tuple(row for row in missing if row.document_id not in losses),
        held=tuple(row for row in missing if row.document_id in losses),
    )


def _stale(ref: DocumentRef, row: Known) -> bool:
    """Tell whether a known document may differ from what is stored, or is due for another attempt."""
    if not ref.version or ref.version != row.version:
        return True
    return row.status in ("unreadable", "vanished") and row.attempts < PARSE_ATTEMPTS
