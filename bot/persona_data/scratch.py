"""Messages put in order on disk, so that memory does not grow with the export.

SQLite's temporary database: its file is removed from the folder as soon as it is opened, so that nothing is
left of it however the process ends.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.persona_data.said import Kind, Said

_BATCH = 5000
_CACHE_KIB = 65_536
_SCHEMA = """
CREATE TABLE said (
  key INTEGER PRIMARY KEY, conversation INTEGER, speaker INTEGER, at REAL, parent INTEGER, kind TEXT,
  gaps INTEGER, text TEXT
);
"""
_ORDERED = """
SELECT conversation, key, speaker, at, parent, kind, gaps, text FROM said
WHERE conversation IN (SELECT conversation FROM said WHERE speaker IN ({marks}))
ORDER BY conversation, at, key
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One message as it was kept; conversations and keys are numbers."""

    conversation: int
    key: int
    speaker: str
    at: float
    parent: int
    kind: Kind
    gaps: bool
    text: str


class Scratch:
    """Keeps messages and gives them back by conversation and time. Used by one thread."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)
        self._numbers: dict[str, int] = {}
        self._speakers: list[str] = []
        self._waiting: list[tuple[object, ...]] = []
        self._given = 0

    def close(self) -> None:
        """Give the disk back."""
        self._database.close()

    def add(self, said: Said) -> None:
        """Keep a message; one whose key is there already is dropped."""
        number = self._numbers.get(said.speaker)
        if number is None:
            number = self._numbers[said.speaker] = len(self._speakers)
            self._speakers.append(said.speaker)
        self._waiting.append(
            (
                _number(said.key),
                _number(said.conversation),
                number,
                said.at,
                _number(said.parent) if said.parent else 0,
                said.kind,
                said.gaps,
                said.text.encode("utf-8", "replace").decode(),
            )
        )
        self._given += 1
        if len(self._waiting) >= _BATCH:
            self._write()

    def counts(self) -> tuple[int, int]:
        """Return how many messages are kept, and how many were given more than once."""
        self._write()
        (kept,) = self._database.execute("SELECT count(*) FROM said").fetchone()
        return kept, self._given - kept

    def said_by(self, speakers: Iterable[str]) -> int:
        """Return how many messages these people wrote."""
        self._write()
        marks, numbers = self._marks(speakers)
        query = f"SELECT count(*) FROM said WHERE speaker IN ({marks})"  # noqa: S608 - marks are "?,?"
        return int(self._database.execute(query, numbers).fetchone()[0])

    def conversations_of(self, speakers: Iterable[str]) -> Iterator[Row]:
        """Yield all messages of the conversations that one of these spoke in, each by time."""
        self._write()
        marks, numbers = self._marks(speakers)
        for row in self._database.execute(_ORDERED.format(marks=marks), numbers):
            yield self._row(*row)

    def find(self, key: int) -> Row | None:
        """Return one message."""
        query = "SELECT conversation, key, speaker, at, parent, kind, gaps, text FROM said WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return None if row is None else self._row(*row)

    def _row(
        self, talk: int, key: int, speaker: int, at: float, parent: int, kind: Kind, gaps: int, text: str
    ) -> Row:
        return Row(talk, key, self._speakers[speaker], at, parent, kind, bool(gaps), text)

    def _marks(self, speakers: Iterable[str]) -> tuple[str, list[int]]:
        numbers = [self._numbers[one] for one in sorted(speakers) if one in self._numbers]
        return ",".join("?" * len(numbers)), numbers

    def _write(self) -> None:
        self._database.executemany("INSERT OR IGNORE INTO said VALUES (?,?,?,?,?,?,?,?)", self._waiting)
        self._waiting.clear()


def _number(text: str) -> int:
    """Return 63 bits of a hash: two of a million messages share one once in some ten million exports."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
