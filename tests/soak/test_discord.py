"""P14 and P15 on Discord in seconds; `python -m tests.soak discord` is the whole."""

from __future__ import annotations

from tests.soak import discord


async def test_killed_processes_answer_each_question_once() -> None:
    """Killed in the middle of turns, two serving processes answer every question once."""
    (row,) = await discord.measure(0.003)
    assert row.kept, row.figure
