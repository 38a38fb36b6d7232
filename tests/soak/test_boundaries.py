"""The soak of kills at each step, in its quick version."""

from __future__ import annotations

from tests.soak.boundaries import measure


async def test_kills_at_step_boundaries_converge() -> None:
    """Whatever step a sync dies at, no document is lost or mixed and one sync converges."""
    rows = await measure(0.02)
    assert [row for row in rows if not row.kept] == []
