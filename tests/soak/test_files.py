"""The soak of bad files, in its quick version."""

from __future__ import annotations

import pytest

from tests.soak.files import measure, missing


@pytest.mark.trust
@pytest.mark.skipif(bool(missing()), reason=missing())
async def test_bad_files_are_told_and_their_neighbours_indexed() -> None:
    """Each bad file has a reason, and what lies beside it is indexed."""
    rows = await measure(0.02)
    assert [row for row in rows if not row.kept] == []
