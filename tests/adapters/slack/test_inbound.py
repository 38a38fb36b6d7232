"""What comes in from Slack and how fast it is acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.adapters.slack.harness import running


async def test_edits_and_deletions_come_in(tmp_path: Path) -> None:
    """An edit and a deletion reach the desk under the subject of their message; an unfurl does not."""
    async with running(tmp_path) as rig:
        ts = await rig.slack.say(rig.channel, rig.ann, "how many days?")
        await rig.slack.unfurl(rig.channel, ts, "https://example.test/")
        await rig.slack.edit(rig.channel, ts, "how many weeks?")
        await rig.slack.delete(rig.channel, ts)
        await rig.slack.wait_for(lambda: len(rig.desk.received) == 3)
        assert {one.kind for one in rig.desk.received} == {"message", "edit", "delete"}
        assert len({one.subject for one in rig.desk.received}) == 1


async def test_a_burst_is_acknowledged_in_time(tmp_path: Path) -> None:
    """Two hundred questions at once are all kept, and acknowledged before Slack delivers one again."""
    async with running(tmp_path) as rig:
        said = (rig.slack.say(rig.channel, rig.ann, f"question {number}?") for number in range(200))
        await asyncio.gather(*said)
        await rig.slack.wait_for(
            lambda: len(rig.slack.acks) == 200 and all(one.latency is not None for one in rig.slack.acks), 20
        )
        assert len(rig.desk.received) == 200
        assert rig.desk.repeated == 0


async def test_a_redelivered_event_is_known(tmp_path: Path) -> None:
    """An event that Slack delivers once more is one question."""
    async with running(tmp_path) as rig:
        rig.slack.faults.duplicates = 1.0
        rig.slack.faults.duplicate_delays = (0.0,)
        await rig.slack.say(rig.channel, rig.ann, "how many days?")
        await rig.slack.wait_for(lambda: rig.desk.repeated)
        assert len(rig.desk.received) == 1


async def test_an_empty_question_is_answered_at_once(tmp_path: Path) -> None:
    """`/ask` without a question says so and reaches nobody."""
    async with running(tmp_path) as rig:
        answer = await rig.slack.command("/ask", " ", rig.ann, rig.channel)
        assert "no question" in str(answer)
        assert rig.desk.received == []


async def test_what_nobody_listens_to_is_acknowledged(tmp_path: Path) -> None:
    """What nobody listens to is acknowledged, so that Slack does not deliver it again."""
    async with running(tmp_path) as rig:
        await rig.slack.shortcut("somebody_elses", rig.ann)
        await rig.slack.command("/other", "x", rig.ann, rig.channel)
        assert all(one.failed == "" for one in rig.slack.acks)
