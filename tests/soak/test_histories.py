"""The soak of random histories, in its quick version."""

from __future__ import annotations

from tests.soak.histories import measure


async def test_random_histories_end_as_a_clean_build() -> None:
    """Whatever was edited between syncs, the store ends as if it had been built at once."""
    rows = await measure(0.003)
    assert [row for row in rows if not row.kept] == []
