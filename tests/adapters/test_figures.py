"""Numbers and times as people read them."""

from __future__ import annotations

import pytest

from adapters.figures import ago, count, duration, size


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0082, "8 ms"), (2.44, "2.4 s"), (61, "1 min 01 s"), (119.7, "2 min 00 s"), (3700, "1 h 01 min")],
)
def test_durations(seconds: float, shown: str) -> None:
    """A time has the unit that suits it."""
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (None, "never"),
        (100.0, "just now"),
        (-500.0, "10 min ago"),
        (7300.0, "in 2 h"),
        (130.0, "in less than a minute"),
    ],
)
def test_moments(moment: float | None, shown: str) -> None:
    """A moment is told from now."""
    assert ago(moment, now=100.0) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (59_054_268, "59 MB"), (3e12, "3.0 TB")],
)
def test_sizes(number: int, shown: str) -> None:
    """Bytes are told in decimal units."""
    assert size(number) == shown


def test_plurals() -> None:
    """One is one; thousands are separated."""
    assert [count(1, "document"), count(2000, "passage"), count(0, "entry")] == [
        "1 document",
        "2,000 passages",
        "0 entries",
    ]
