from __future__ import annotations

from tests.soak.hostile import measure


async def test_a_hostile_server_neither_holds_nor_fills_the_bot() -> None:
    """Slow, endless, compressed, looping and lying servers end at the limits, and others get their turn."""
    rows = await measure(0.02)
    assert rows
    assert [row for row in rows if not row.kept] == []
