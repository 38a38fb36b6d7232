"""P14 and P15 on Slack in seconds; `python -m tests.soak slack` is the whole."""

from __future__ import annotations

from tests.soak import slack


async def test_killed_processes_answer_each_question_once() -> None:
    """Killed at any moment and between post and record, two processes answer every question once."""
    for row in await slack.measure(0.02):
        assert row.kept, row.figure
