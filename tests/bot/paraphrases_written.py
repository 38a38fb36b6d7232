"""Drafts with faithful and broken rewrites in many voices, written by hand in `lock_data`, and how they fare.

A file has blocks: `== voice`, `D draft`, `G a faithful rewrite`, `B kind | a broken one`. A line break in
them is written as a backslash and an n; `#` begins a remark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.fact_lock import judge

FOLDER = Path(__file__).parent / "lock_data"
SETS = {
    name: tuple(FOLDER / f"set_{file}.txt" for file in files.split())
    for name, files in {
        "A": "a",
        "B": "b1 b2",
        "C": "c",
        "D": "d",
        "E": "e",
        "E2": "e2",
        "F": "f",
        "G": "g",
        "V": "v",
        "W": "w",
    }.items()
}
# What the lock promises to find. Swapped words without a name or a number, roles such as "engineer", the
# order of whole lists and some "and" for "or" are words to it.
LOCKED = frozenset(
    {"number", "unit", "date", "name", "code", "link", "citation", "citation-moved", "invented"}
    | {"negation", "obligation", "bound"}
)


@dataclass(frozen=True, slots=True)
class Written:
    """A draft, rewrites that keep its facts, and broken ones with what is broken in them."""

    voice: str
    draft: str
    kept: list[str] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How the lock judged a set. `rejected` are draft and rewrite, `missed` the kind before them."""

    kept: int
    broken: int
    rejected: list[tuple[str, str]]
    missed: list[tuple[str, str, str]]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson of the share of false rejections."""
        return wilson(len(self.rejected), self.kept)


def read(paths: Sequence[Path]) -> list[Written]:
    """Read files such as those of `lock_data`; raise ValueError for a line that none can make out."""
    found: list[Written] = []
    voice = ""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            mark, _, rest = line.replace("\\n", "\n").partition(" ")
            if mark == "==":
                voice = rest
            elif mark == "D":
                found.append(Written(voice, rest))
            elif mark == "G":
                found[-1].kept.append(rest)
            elif mark == "B":
                kind, _, text = rest.partition(" | ")
                found[-1].broken.append((kind, text))
            elif mark not in {"", "#"}:
                raise ValueError(f"{path}: {line!r} begins with none of ==, D, G, B. Mark it.")
    return found


def measure(written: Sequence[Written]) -> Measured:
    """Judge all rewrites of a set."""
    kept = [(one.draft, text) for one in written for text in one.kept]
    broken = [(kind, one.draft, text) for one in written for kind, text in one.broken]
    return Measured(
        kept=len(kept),
        broken=len(broken),
        rejected=[(draft, text) for draft, text in kept if not judge(draft, text).kept],
        missed=[(kind, draft, text) for kind, draft, text in broken if judge(draft, text).kept],
    )


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, square = hits / of, z * z / of
    middle = share + square / 2
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))
