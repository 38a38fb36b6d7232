"""The quick version of the power cuts: a few of them."""

from __future__ import annotations

import pytest

from tests.soak import power


async def test_power_cuts_lose_nothing_that_was_acknowledged() -> None:
    """After power cuts the base opens by itself, holds all that was acknowledged, and catches up."""
    if reason := power.missing():
        pytest.skip(reason)
    for row in await power.measure(0.03):
        assert row.kept, row.figure
