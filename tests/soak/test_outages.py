"""The soak of outages, in its quick version."""

from __future__ import annotations

from tests.soak.outages import measure


async def test_outages_take_nothing() -> None:
    """Whatever way a source fails, nothing is deleted."""
    rows = await measure(0.02)
    assert [row for row in rows if not row.kept] == []
