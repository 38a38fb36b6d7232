from __future__ import annotations

from tests.soak.hosts import measure


async def test_no_host_that_is_not_public_is_reached() -> None:
    """A sample of spellings, look-ups and redirects, and every URL of the shared data: no connection."""
    rows = await measure(0.02)
    assert rows
    assert [row for row in rows if not row.kept] == []
