"""The Slack app from end to end over sockets of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.errors import PlatformRefused, SettingsError
from tests.adapters.slack.harness import answer_at_once, running


async def test_a_mention_is_answered_in_its_thread(tmp_path: Path) -> None:
    """A question in a channel gets one reply in its thread, with its source and its buttons."""
    async with running(tmp_path, work=answer_at_once) as rig:
        ts = await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} how many days?")
        await rig.slack.wait_for(lambda: rig.slack.messages(rig.channel, ts))
        await asyncio.gather(*rig.desk.tasks)
        (reply,) = rig.slack.messages(rig.channel, ts)
        assert "30 days" in str(reply.blocks)
        assert "Leave policy" in str(reply.blocks)
        assert rig.desk.received[0].text == "how many days?"


async def test_message_and_mention_are_one_question(tmp_path: Path) -> None:
    """The two events of one mention come to the desk as one question."""
    async with running(tmp_path) as rig:
        await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} how many days?")
        await rig.slack.wait_for(lambda: len(rig.slack.acks) >= 2 and all(a.latency for a in rig.slack.acks))
        assert len(rig.desk.received) == 1
        assert rig.desk.repeated == 1


async def test_an_event_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    """What the inbox cannot keep stays with Slack, which delivers it again."""
    async with running(tmp_path) as rig:
        rig.desk.full = True
        dm = rig.slack.direct(rig.ann)
        await rig.slack.say(dm, rig.ann, "how many days?")
        await rig.slack.wait_for(lambda: any(call for call in rig.slack.acks))
        rig.slack.clock.advance(4)
        await rig.slack.wait_for(lambda: any(one.failed for one in rig.slack.acks))
        rig.desk.full = False
        rig.slack.clock.advance(400)
        await rig.slack.wait_for(lambda: rig.desk.received)


async def test_two_connections_share_the_events(tmp_path: Path) -> None:
    """Two sockets are open, and each brings some of the events."""
    async with running(tmp_path) as rig:
        for number in range(6):
            await rig.slack.say(rig.channel, rig.ann, f"question {number}?")
        await rig.slack.wait_for(lambda: len(rig.desk.received) == 6)
        assert {one.connection for one in rig.slack.acks} == {0, 1}


@pytest.mark.parametrize("trouble", ["cut", "disconnect"])
async def test_a_lost_connection_is_replaced(tmp_path: Path, trouble: str) -> None:
    """After a cut and after a goodbye events flow again."""
    async with running(tmp_path, connections=1) as rig:
        if trouble == "cut":
            rig.slack.sockets.cut()
        else:
            await rig.slack.sockets.disconnect()
        await rig.slack.wait_for(lambda: rig.slack.sockets.opened >= 2, 10)
        await rig.slack.say(rig.channel, rig.ann, "still there?")
        await rig.slack.wait_for(lambda: rig.desk.received, 10)


async def test_a_deaf_connection_is_replaced(tmp_path: Path) -> None:
    """A socket that answers pings and brings nothing is replaced after a quiet while."""
    async with running(tmp_path, connections=1, quiet_seconds=0.3) as rig:
        rig.slack.sockets.zombie()
        seen = rig.slack.sockets.opened
        await rig.slack.wait_for(lambda: rig.slack.sockets.opened > seen)
        await rig.slack.wait_for(lambda: not any(one.zombie for one in rig.slack.sockets.connections), 10)
        await rig.slack.say(rig.channel, rig.ann, "still there?")
        await rig.slack.wait_for(lambda: rig.desk.received)


async def test_a_refused_token_ends_the_app(tmp_path: Path) -> None:
    """A token that Slack takes no more ends the app with one line that names its variable."""
    async with running(tmp_path) as rig:
        rig.slack.revoke()
        with pytest.raises(PlatformRefused, match="SLACK_BOT_TOKEN"):
            await asyncio.wait_for(rig.task, 5)


async def test_a_wrong_bot_token_ends_the_start(tmp_path: Path) -> None:
    """A bot token that Slack does not know ends the start with a line that names its variable."""
    with pytest.raises(PlatformRefused, match=r"\$SLACK_BOT_TOKEN: invalid_auth"):
        async with running(tmp_path, spoil={"bot_token": SecretStr("xoxb-wrong")}):
            pytest.fail("the app started")


async def test_a_wrong_app_token_ends_the_start(tmp_path: Path) -> None:
    """An app token that Slack does not know ends the start with a line that names its variable."""
    with pytest.raises(PlatformRefused, match=r"\$SLACK_APP_TOKEN"):
        async with running(tmp_path, spoil={"app_token": SecretStr("xapp-wrong")}):
            pytest.fail("the app started")


async def test_a_missing_token_is_named(tmp_path: Path) -> None:
    """A variable that is not set is named, with what to do."""
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
        async with running(tmp_path, spoil={"bot_token": None}):
            pytest.fail("the app started")


async def test_other_bots_are_not_heard(tmp_path: Path) -> None:
    """A message of another app comes to nothing, and is acknowledged."""
    async with running(tmp_path) as rig:
        await rig.slack.say(rig.channel, rig.ann, "how many days?", bot=True)
        await rig.slack.wait_for(lambda: rig.slack.acks and rig.slack.acks[0].latency)
        assert rig.desk.received == []


async def test_shared_channels_are_left_alone(tmp_path: Path) -> None:
    """A channel shared with other organisations is not heard unless the settings say so."""
    async with running(tmp_path) as rig:
        shared = rig.slack.add_channel("partners", members=[rig.ann], shared=True)
        await rig.slack.say(shared, rig.ann, f"{rig.slack.mention} how many days?")
        await rig.slack.wait_for(lambda: len([one for one in rig.slack.acks if one.latency]) >= 1)
        assert rig.desk.received == []
