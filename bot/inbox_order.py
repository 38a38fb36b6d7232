"""Which rows of the inbox are seen to now: things about one message in order, the latest alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

IGNORED = "ignored"  # the result of what the bot did not have to answer

_RANKS = {"message": 0, "command": 0, "edit": 1, "delete": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the order depends on.

    `held` tells that a living process sees to it now, `posting` that something of its reply may be visible.
    """

    id: int
    subject: str
    kind: str
    stamp: str
    state: str
    result: str = ""
    held: bool = False
    posting: bool = False

    @property
    def rank(self) -> tuple[int, str, int]:
        """What happened later has the higher rank, whatever came in first."""
        return (_RANKS[self.kind], self.stamp, self.id)


def stamp_of(key: str) -> str:
    """Return an edit's stamp from its key, so that stamps of one platform sort as they were given."""
    _, mark, stamp = key.partition(":edit:")
    if not mark:
        return ""
    try:
        return f"{float(stamp):020.6f}"
    except ValueError:
        return stamp


def choose(candidates: Sequence[Row], siblings: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Return the ids of the candidates to see to now, and of those that something later has overtaken.

    `siblings` are all rows about the candidates' subjects. A candidate whose sibling is being seen to waits.
    What was ignored overtakes nothing: an edit may come in before its message, and without it not be to the
    bot.
    """
    take: list[int] = []
    overtaken: list[int] = []
    by_subject: dict[str, list[Row]] = {}
    for row in siblings:
        by_subject.setdefault(row.subject, []).append(row)
    for candidate in candidates:
        others = [row for row in by_subject.get(candidate.subject, ()) if row.id != candidate.id]
        if any(other.rank > candidate.rank and other.result != IGNORED for other in others):
            overtaken.append(candidate.id)
        elif not any(other.held for other in others):
            take.append(candidate.id)
    return take, overtaken
