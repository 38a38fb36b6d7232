"""What a sync tells while it runs and when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from kb.planning import Known

SyncStatus = Literal["ok", "partial", "failed", "held"]
Phase = Literal["listing", "indexing", "deleting", "maintaining", "done"]
Effect = Literal["added", "updated", "unchanged", "failed"]

_INTERVAL = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentError:
    """Why a document is not, or not freshly, in the index. Without a document it is about the source.

    One that was `passed_over` is of a kind that holds no text.
    """

    document: str
    reason: str
    passed_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did to one source; `as_json` is a contract.

    Every listed document is one of added, updated, unchanged and failed. `held` are deletions that wait
    for a person. `errors` also name documents that hold no text, which is no failure. `resumed` tells
    that the run before did not come to its end.
    """

    source: str
    status: SyncStatus
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    held: int = 0
    failed: int = 0
    embedded_nodes: int = 0
    reused_nodes: int = 0
    seconds: float = 0.0
    errors: tuple[DocumentError, ...] = ()
    resumed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command line prints it."""
        return {
            "source": self.source,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
            "held": self.held,
            "failed": self.failed,
            "embedded_nodes": self.embedded_nodes,
            "reused_nodes": self.reused_nodes,
            "seconds": round(self.seconds, 3),
            "errors": [{"document": error.document, "reason": error.reason} for error in self.errors],
            "status": self.status,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a sync. `done` of `total` documents; `bytes` are those fetched so far.

    While listing, `total` is 0 and `done` counts what was listed.
    """

    source: str
    phase: Phase
    done: int = 0
    total: int = 0
    embedded_nodes: int = 0
    bytes: int = 0
    resuming: bool = False


@dataclass(slots=True, kw_only=True)
class Tally:
    """The counts of a run while it goes on."""

    source: str
    notify: Callable[[Progress], None] | None = None
    resuming: bool = False
    phase: Phase = "listing"
    total: int = 0
    listed: int = 0
    effects: dict[Effect, int] = field(
        default_factory=lambda: {"added": 0, "updated": 0, "unchanged": 0, "failed": 0}
    )
    deleted: int = 0
    held: int = 0
    embedded: int = 0
    reused: int = 0
    bytes: int = 0
    errors: list[DocumentError] = field(default_factory=list)
    broken: bool = False
    started: float = field(default_factory=time.monotonic)
    shown: float = 0.0

    def count(self, effect: Effect, row: Known) -> None:
        """Count a document, with the reason why it is not in the index if it is not."""
        self.effects[effect] += 1
        if row.reason:
            passed_over = row.status == "passed-over"
            error = DocumentError(document=row.uri, reason=row.reason, passed_over=passed_over)
            self.errors.append(error)

    def fail(self, reason: str) -> None:
        """Note why the source as a whole could not be synced to its end."""
        self.broken = True
        self.errors.insert(0, DocumentError(document="", reason=reason))

    def enter(self, phase: Phase, total: int = 0) -> None:
        """Begin a phase and show it."""
        self.phase, self.total = phase, total
        self.show(always=True)

    def go_on(self, phase: Phase, total: int) -> None:
        """Show a phase that was begun before, or begins now, with more to do in it."""
        self.total = total
        if self.phase != phase:
            self.enter(phase, total)

    @property
    def mark(self) -> tuple[object, ...]:
        """What changes whenever the run gets on."""
        done = sum(self.effects.values())
        return (self.phase, self.listed, done, self.bytes, self.embedded, self.reused, self.deleted)

    def show(self, *, always: bool = False) -> None:
        """Tell the listener where the run is, at most ten times a second."""
        now = time.monotonic()
        if self.notify is None or not (always or now - self.shown >= _INTERVAL):
            return
        self.shown = now
        self.notify(
            Progress(
                source=self.source,
                phase=self.phase,
                done=self.listed if self.phase == "listing" else sum(self.effects.values()),
                total=self.total,
                embedded_nodes=self.embedded,
                bytes=self.bytes,
                resuming=self.resuming,
            )
        )

    def report(self) -> SyncReport:
        """Return what was done so far."""
        return SyncReport(
            source=self.source,
            status=self._status(),
            added=self.effects["added"],
            updated=self.effects["updated"],
            unchanged=self.effects["unchanged"],
            deleted=self.deleted,
            held=self.held,
            failed=self.effects["failed"],
            embedded_nodes=self.embedded,
            reused_nodes=self.reused,
            seconds=time.monotonic() - self.started,
            errors=tuple(self.errors),
            resumed=self.resuming,
        )

    def _status(self) -> SyncStatus:
        if self.broken:
            return "failed"
        if self.held:
            return "held"
        return "partial" if self.effects["failed"] else "ok"
