"""P10 in seconds; `python -m tests.soak replicas` is the whole."""

from __future__ import annotations

from tests.soak import replicas


async def test_replicas_never_write_at_once() -> None:
    """Killed and paused in the middle of runs, no two replicas write to one source at a time."""
    rows = await replicas.measure(0.02)
    assert [row.kept for row in rows] == [True]
