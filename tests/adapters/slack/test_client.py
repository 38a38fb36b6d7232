"""Calls of the Web API: limits kept, losses told apart, tokens guarded."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from adapters.slack.client import CallRefused, CallUncertain
from adapters.slack.pace import Limited, Pace, Ration
from bot.chat import Attachment
from bot.errors import CommandError, SurfaceBusy
from tests.adapters.slack.harness import running


async def test_a_harmless_call_is_repeated(tmp_path: Path) -> None:
    """A call that changes nothing twice is made again when no usable reply came."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        rig.slack.faults.status("users.info", 500, times=2)
        assert (await api.call("users.info", user=rig.ann))["user"]["id"] == rig.ann


async def test_a_post_is_not_repeated_blindly(tmp_path: Path) -> None:
    """A post without a usable reply raises instead of being made again."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        rig.slack.faults.cut("chat.postMessage", accepted=True)
        with pytest.raises(CallUncertain):
            await api.call("chat.postMessage", channel=rig.channel, text="once")
        assert len(rig.slack.messages(rig.channel)) == 1


async def test_a_refusal_names_the_missing_scope(tmp_path: Path) -> None:
    """A refusal carries Slack's code, and nothing of what was sent."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        with pytest.raises(CallRefused, match="channel_not_found") as refused:
            await api.call("chat.postMessage", channel="C0NOWHERE", text="a secret text")
        assert refused.value.code == "channel_not_found"
        assert "secret text" not in str(refused.value)


async def test_patience_has_an_end(tmp_path: Path) -> None:
    """A limit that lasts longer than a call may wait is told, with the seconds to wait."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        rig.slack.faults.rate_limit("users.info", 30)
        with pytest.raises(SurfaceBusy) as busy:
            await api.call("users.info", user=rig.ann, patience=1)
        assert busy.value.seconds is not None
        assert 30 <= busy.value.seconds < 31
        with pytest.raises(SurfaceBusy):
            await api.call("users.info", user=rig.ann, patience=1)
        assert len(rig.method("users.info")) == 1


async def test_files_are_fetched_from_slack_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file comes with the bot's token from Slack; the token goes nowhere else and into no log."""
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path) as rig:
        number = rig.slack.add_file("plan.txt", b"The plan.", rig.ann)
        await rig.slack.say(rig.channel, rig.ann, "add this", files=[number])
        await rig.slack.wait_for(lambda: rig.desk.received)
        (attachment,) = rig.desk.received[0].attachments
        assert await rig.surface.download(attachment, limit=100) == b"The plan."
        with pytest.raises(CommandError, match="too large"):
            await rig.surface.download(attachment, limit=3)
        elsewhere = Attachment(id="F1", name="x.txt", url="http://127.0.0.1:1/files-pri/T1-F1/x.txt")
        with pytest.raises(CommandError, match="kept elsewhere"):
            await rig.surface.download(elsewhere, limit=100)
        assert rig.slack.bot_token not in caplog.text


def test_a_ration_refills() -> None:
    """A ration is used up, and comes back as the minute passes."""
    now = [0.0]
    ration = Ration(2, clock=lambda: now[0])
    assert [ration.take(), ration.take(), ration.take()] == [True, True, False]
    now[0] = 60.0
    assert ration.take()


async def test_other_keys_are_not_held_back() -> None:
    """A limit on one key leaves the calls under others alone."""
    pace = Pace()

    async def refused() -> None:
        raise Limited(60)

    async def sent() -> str:
        return "sent"

    with pytest.raises(SurfaceBusy):
        await pace.run("one", refused, patience=0)
    async with asyncio.timeout(1):
        assert await pace.run("other", sent, patience=0) == "sent"
    with pytest.raises(SurfaceBusy):
        await pace.run("one", sent, patience=0)


@pytest.mark.parametrize("refused", [1, 7, 20])
async def test_posts_of_a_channel_wait_for_retry_after(tmp_path: Path, refused: int) -> None:
    """Of 20 posts at once, with a 429 among them, none comes early, none is lost, all keep their order."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        threads = [await rig.slack.say(rig.channel, rig.ann, f"question {number}") for number in range(2)]
        rig.slack.faults.rate_limit("chat.postMessage", 1, only=lambda sent: sent["text"] == f"{refused}")
        posts = [
            api.call("chat.postMessage", channel=rig.channel, thread_ts=threads[number % 2], text=f"{number}")
            for number in range(1, 21)
        ]
        await asyncio.gather(*posts)
        assert rig.slack.limits.refused == ["chat.postMessage"]
        assert rig.slack.limits.early == []
        for thread in threads:
            texts = [int(one.text) for one in rig.slack.messages(rig.channel, thread)]
            assert texts == sorted(texts)
        assert len(rig.slack.messages(rig.channel)) == 20


async def test_the_limits_of_a_workspace_are_kept(tmp_path: Path) -> None:
    """Of more calls at once than Slack takes one is refused; the others wait, and none comes early."""
    async with running(tmp_path) as rig:
        api = await rig.app._workspaces.api(rig.slack.home.id)
        rig.slack.limits.on = True
        calls = [api.call("users.info", user=rig.ann, patience=1) for _ in range(130)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(one, SurfaceBusy) for one in done) == 30
        assert rig.slack.limits.refused == ["users.info"]
        assert rig.slack.limits.early == []


async def test_a_response_waits_for_retry_after(tmp_path: Path) -> None:
    """A refused answer to an interaction is made again at the same address when its wait is over."""
    async with running(tmp_path) as rig:
        rig.slack.faults.rate_limit("response_url", 1)
        await rig.slack.command("/kb", "list", rig.ann, rig.channel)
        await rig.slack.wait_for(lambda: rig.slack.messages(rig.channel))
        assert rig.slack.limits.refused == ["response_url"]
        assert rig.slack.limits.early == []
