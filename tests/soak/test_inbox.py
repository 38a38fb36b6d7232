"""P14 and P15 in seconds; `python -m tests.soak inbox` is the whole."""

from __future__ import annotations

from tests.soak import inbox


async def test_killed_desks_answer_once() -> None:
    """Killed in the middle of turns, replicas answer every event once, whatever is delivered twice."""
    (row,) = await inbox.measure(0.02)
    assert row.kept, row.figure
