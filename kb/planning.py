"""Decide what a sync has to do: pure functions over what is listed and what is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Literal

from kb.documents import DocumentRef
from kb.errors import NO_FAILURE, DocumentStatus

# Raised when the parser or the splitter makes other nodes of the same bytes: every document is then
# parsed again, and what did not change keeps its vectors.
PIPELINE_VERSION = "2"
# How often a document's bytes may fail to be parsed before its old text goes.
PARSE_ATTEMPTS = 3
RETRY_LEAST, RETRY_FACTOR, RETRY_MOST = 300.0, 4.0, 86_400.0

Decision = Literal["fetch", "keep", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the manifest says of one document.

    `version` is the token last seen; empty means that the document is fetched again. `content_hash` is
    that of the bytes the stored nodes were made of (of the unreadable bytes when there are no nodes).
    `attempts` counts failures to parse this version. `audience` are the tags of the stored nodes, or were
    before the document was `hidden` (a time; 0: it is not). A failure is tried again at `retry_at` (0:
    not before the document changes). `recorded` is when the row was written.
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
    hidden: float = 0.0
    retry_at: float = 0.0
    recorded: float = field(default=0.0, compare=False)

    @property
    def failed(self) -> bool:
        """Whether the document could not be read; one without any text is no failure."""
        return self.status not in NO_FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A document to fetch. A forced one is parsed and stored even when its bytes are the known ones."""

    ref: DocumentRef
    known: Known | None = None
    forced: bool = False

    @property
    def is_new(self) -> bool:
        """Whether nobody knows the document: it was never seen, or is hidden."""
        return self.known is None or bool(self.known.hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What a sync will do, in the order of the listing. `shown` were hidden and are back as they were."""

    tasks: tuple[Task, ...] = ()
    unchanged: tuple[Known, ...] = ()
    shown: tuple[Known, ...] = ()
    missing: tuple[Known, ...] = ()

    @property
    def added(self) -> int:
        """The number of documents that come into the index, or back into it."""
        return sum(task.is_new for task in self.tasks) + len(self.shown)

    @property
    def changed(self) -> int:
        """The number of known documents that are fetched again."""
        return sum(not task.is_new for task in self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """The missing documents: those that are hidden now, those that go, and those that wait for a person."""

    hide: tuple[Known, ...] = ()
    remove: tuple[Known, ...] = ()
    held: tuple[Known, ...] = ()

    @property
    def lost(self) -> int:
        """The number of documents that a person knew of and finds no more."""
        gone = [row for row in self.remove if not row.hidden and (row.uri or row.nodes)]
        return len(self.hide) + len(gone)


def plan_sync(
    listed: Iterable[DocumentRef],
    known: Mapping[str, Known],
    *,
    doubtful: Collection[str] = (),
    everything: bool = False,
    now: float = 0.0,
    max_bytes: int = 0,
) -> SyncPlan:
    """Compare a listing with the manifest rows of the same source, both by document id.

    Documents in `doubtful` may differ in the store from what the manifest says: they are forced, as are
    those of another pipeline and, with `everything`, all. A failure waits until `now` has come to its
    next attempt. `max_bytes` is the limit for one document now. `missing` is known and not listed; it
    says nothing when the listing is incomplete.
    """
    tasks: list[Task] = []
    kept: dict[Decision, list[Known]] = {"keep": [], "show": []}
    seen: set[str] = set()
    for ref in listed:
        identity = ref.document_id
        if identity in seen:
            continue
        seen.add(identity)
        row = known.get(identity)
        doubted = everything or identity in doubtful
        decision = "fetch" if row is None or doubted else _decide(ref, row, now, max_bytes)
        if row is None or decision == "fetch":
            tasks.append(Task(ref=ref, known=row, forced=doubted or _is_forced(row, max_bytes)))
        else:
            kept[decision].append(row)
    return SyncPlan(
        tasks=tuple(tasks),
        unchanged=tuple(kept["keep"]),
        shown=tuple(kept["show"]),
        missing=tuple(row for identity, row in known.items() if identity not in seen),
    )


def guard_deletions(
    missing: Collection[Known],
    present: int,
    *,
    kept: Collection[str] = (),
    documents: int,
    share: float,
    allowed: bool = False,
) -> Deletions:
    """Tell what becomes of the missing documents, of a source that has `present` other ones.

    They are hidden first; those hidden before go, as do those without nodes, and all that a person
    `allowed`. When more than `documents` and more than `share` of the source would be lost, they wait
    for a person. A document is no loss whose content hash is among the `kept`, still there under another
    name: a moved folder needs nobody's approval.
    """
    if allowed:
        return Deletions(remove=tuple(missing))
    going = [row for row in missing if row.nodes and not row.hidden]
    losses = {row.document_id for row in going if not row.content_hash or row.content_hash not in kept}
    total = present + sum(not row.hidden for row in missing)
    if len(losses) <= documents or len(losses) <= share * total:
        losses = set()
    return Deletions(
        hide=tuple(row for row in going if row.document_id not in losses),
        remove=tuple(row for row in missing if row.hidden or not row.nodes),
        held=tuple(row for row in going if row.document_id in losses),
    )


def made_by(status: DocumentStatus, max_bytes: int) -> str:
    """Return what a row says it was made by: whether a document is too large depends on the limit too."""
    return f"{PIPELINE_VERSION}:{max_bytes}" if status == "too-large" else PIPELINE_VERSION


def next_attempt(known: Known | None, version: str, now: float) -> float:
    """Return when a document that fails now is tried again: later each time, sooner when it changed."""
    wait = RETRY_LEAST
    if known is not None and known.version == version and known.retry_at:
        wait = RETRY_FACTOR * (known.retry_at - known.recorded)
    return now + min(max(wait, RETRY_LEAST), RETRY_MOST)


class ListingDigest:
    """A digest of what was listed that is the same in whatever order it comes.

    `exact` is False once a document came without a version token: then nothing tells that it is the same.
    """

    def __init__(self) -> None:
        self.count = 0
        self.exact = True
        self._sum = 0

    def add(self, refs: Collection[DocumentRef]) -> None:
        """Take in documents and their versions."""
        texts = [f"{ref.uri}\0{ref.version}".encode("utf-8", "surrogatepass") for ref in refs]
        self._sum += sum(int.from_bytes(blake2b(text, digest_size=16).digest()) for text in texts)
        self.count += len(refs)
        self.exact = self.exact and all(ref.version for ref in refs)

    def value(self, *circumstances: object) -> str:
        """Return the digest as 64 hex digits; it depends on the circumstances too."""
        whole = repr((self.count, self._sum, circumstances))
        return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _decide(ref: DocumentRef, row: Known, now: float, max_bytes: int) -> Decision:
    same = bool(ref.version) and ref.version == row.version
    if same and row.retry_at > now:
        return "keep"
    if not same or row.retry_at or row.pipeline != made_by(row.status, max_bytes):
        return "fetch"
    return "show" if row.hidden else "keep"


def _is_forced(row: Known | None, max_bytes: int) -> bool:
    """Tell whether a document must be stored again even if its bytes are the known ones."""
    return row is not None and (row.pipeline != made_by(row.status, max_bytes) or bool(row.hidden))
