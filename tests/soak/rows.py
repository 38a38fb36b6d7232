"""What a soak prints: one row a promise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A promise, what was done to test it, what came of it, and what was to reach."""

    promise: str
    done: str
    figure: str
    reach: str
    kept: bool
