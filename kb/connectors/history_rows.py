"""What a chat history remembers of its documents from one run to the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

_FULL = "full"
_LISTED = "listed"
_ROW = "document:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A document as it was read last.

    `version` is empty when nothing of it was to be shown. `at`, `last`, `stamp` and `root` are as in `Head`;
    `thread` is false for messages outside threads; `checked` is when its messages were read.
    """

    version: str
    thread: bool
    at: float
    last: float
    stamp: str = ""
    root: str = ""
    checked: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """All of it: rows by uri, and when the channel was last listed, in full and at all; 0 for never."""

    rows: dict[str, Row]
    full: float = 0.0
    listed: float = 0.0


def read_memory(entries: Mapping[str, str], *, shape: str) -> Remembered:
    """Return what the entries say; one that cannot be read is forgotten.

    A full listing counts only if its documents were made in the same shape.
    """
    rows = {
        key.removeprefix(_ROW): row
        for key, value in entries.items()
        if key.startswith(_ROW) and (row := _read_row(value))
    }
    full, _, shape_then = entries.get(_FULL, "").partition(" ")
    return Remembered(
        rows=rows,
        full=_time(full) if shape_then == shape else 0.0,
        listed=_time(entries.get(_LISTED, "")),
    )


def row_entries(rows: Mapping[str, Row]) -> dict[str, str]:
    """Return the entries that hold rows."""
    return {row_key(uri): json.dumps(asdict(row), separators=(",", ":")) for uri, row in rows.items()}


def row_keys(uris: Iterable[str]) -> list[str]:
    """Return the keys of rows."""
    return [row_key(uri) for uri in uris]


def row_key(uri: str) -> str:
    """Return the key of a row."""
    return _ROW + uri


def listed_entries(now: float, *, full: bool, shape: str) -> dict[str, str]:
    """Return the entries that say when the channel was listed, and in which shape if in full."""
    return {_LISTED: repr(now)} | ({_FULL: f"{now!r} {shape}"} if full else {})


def _read_row(text: str) -> Row | None:
    try:
        return Row(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _time(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
