"""Replies as they appear in Slack: posted, streamed, revised, private, drafted, and whatever goes wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.slack import reply as reply_module
from adapters.slack.posting import places
from bot.chat import Incoming, Outcome, Reply
from bot.chat_settings import ChannelSettings
from bot.errors import SurfaceGone
from tests.adapters.slack.harness import Rig, answered, running

LONG = "Everyone has 30 days of leave. " * 8


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_module, "FIRST_PIECE_SECONDS", 0.01)
    monkeypatch.setattr(reply_module, "PIECE_SECONDS", 0.02)


async def asked(rig: Rig, text: str = "how many days?", *, thread_ts: str = "") -> Incoming:
    """Ask in the channel and return what came in."""
    number = len(rig.desk.received)
    await rig.slack.say(rig.channel, rig.ann, f"{rig.slack.mention} {text}", thread_ts=thread_ts)
    await rig.slack.wait_for(lambda: len(rig.desk.received) > number)
    return rig.desk.received[-1]


async def streamed(rig: Rig, incoming: Incoming, text: str = LONG) -> Reply:
    """Begin a reply and return it once its stream has begun."""
    reply = await rig.surface.reply(incoming, shown="public")
    await reply.show(text)
    await rig.slack.wait_for(lambda: rig.slack.calls_of("chat.startStream"))
    return reply


async def test_a_quick_answer_is_one_post(tmp_path: Path) -> None:
    """An answer that is whole at once is posted without a stream, unfurls nothing, and is found again."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await rig.surface.reply(incoming, shown="public")
        posted = await reply.finish(answered())
        (call,) = rig.method("chat.postMessage")
        assert not rig.method("chat.startStream")
        assert call.arguments["unfurl_links"] in {False, "false"}
        assert await rig.surface.found(incoming) == posted


async def test_a_long_answer_streams(tmp_path: Path) -> None:
    """What is written appears piece by piece in one message, which ends with sources and buttons."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await streamed(rig, incoming)
        await reply.show(LONG + "There is more. [1]")
        await rig.slack.wait_for(lambda: rig.method("chat.appendStream"))
        posted = await reply.finish(answered(LONG + "There is more. [1]"))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert places(posted) == [(rig.channel, message.ts)]
        assert "There is more" in message.text + str(message.blocks)
        assert "Leave policy" in str(message.blocks)
        assert await rig.surface.found(incoming) == posted
        assert not rig.method("chat.update")


async def test_a_replaced_text_takes_the_place_of_the_streamed_one(tmp_path: Path) -> None:
    """When the final answer is another than what was streamed, the message shows the final one alone."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await streamed(rig, incoming, "A draft that does not hold. " * 5)
        await reply.finish(answered("You have 30 days. [1]"))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "You have 30 days" in str(message.blocks)
        assert "does not hold" not in str(message.blocks)


async def test_a_stream_that_slack_ended_goes_on_by_update(tmp_path: Path) -> None:
    """After five minutes Slack ends a stream; the answer goes on in the same message."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await streamed(rig, incoming)
        rig.slack.clock.advance(301)
        await reply.show(LONG * 2)
        await rig.slack.wait_for(lambda: rig.method("chat.update"))
        posted = await reply.finish(answered(LONG * 3))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert LONG.strip() in str(message.blocks)
        assert await rig.surface.found(incoming) == posted


async def test_without_stream_starts_the_answer_is_posted(tmp_path: Path) -> None:
    """A refused stream start leaves no trace: the answer is one post."""
    async with running(tmp_path) as rig:
        rig.slack.faults.fail("chat.startStream", "channel_type_not_supported")
        incoming = await asked(rig)
        reply = await streamed(rig, incoming)
        await reply.finish(answered(LONG))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert len(rig.method("chat.postMessage")) == 1
        assert LONG.strip()[:50] in str(message.blocks)


@pytest.mark.parametrize("loss", ["status", "cut"])
async def test_a_post_whose_reply_is_lost_is_not_repeated(tmp_path: Path, loss: str) -> None:
    """When Slack took a post and its reply was lost, the post is found and stands once."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        if loss == "status":
            rig.slack.faults.status("chat.postMessage", 500, accepted=True)
        else:
            rig.slack.faults.cut("chat.postMessage", accepted=True)
        reply = await rig.surface.reply(incoming, shown="public")
        posted = await reply.finish(answered())
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert places(posted) == [(rig.channel, message.ts)]


async def test_a_post_that_never_arrived_is_repeated(tmp_path: Path) -> None:
    """When Slack failed before it took a post, the post is made again."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        rig.slack.faults.status("chat.postMessage", 500)
        reply = await rig.surface.reply(incoming, shown="public")
        await reply.finish(answered())
        assert len(rig.slack.messages(rig.channel, incoming.message)) == 1


async def test_a_stream_start_whose_reply_is_lost_is_found(tmp_path: Path) -> None:
    """A stream that began without our hearing of it is ended and shows the answer, once."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        rig.slack.faults.status("chat.startStream", 500, accepted=True)
        reply = await streamed(rig, incoming)
        await reply.finish(answered(LONG))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "Leave policy" in str(message.blocks)


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_stream_end_whose_reply_is_lost_is_made_good(tmp_path: Path, accepted: bool) -> None:
    """Whether the end of a stream arrived or not, the message is whole and stands once."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await streamed(rig, incoming)
        rig.slack.faults.status("chat.stopStream", 500, accepted=accepted)
        posted = await reply.finish(answered(LONG))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "Leave policy" in str(message.blocks)
        assert await rig.surface.found(incoming) == posted


async def test_a_rate_limit_is_kept(tmp_path: Path) -> None:
    """After a 429 no post goes before its Retry-After is over, and every answer arrives."""
    async with running(tmp_path) as rig:
        questions = [await asked(rig, f"question {number}?") for number in range(4)]
        rig.slack.faults.rate_limit("chat.postMessage", 1)
        replies = [await rig.surface.reply(one, shown="public") for one in questions]
        await asyncio.gather(*(reply.finish(answered()) for reply in replies))
        calls = rig.method("chat.postMessage")
        refused = next(call for call in calls if call.status == 429)
        late = [call.at - refused.at for call in calls if call.at > refused.at + 0.2]
        assert late
        assert min(late) >= 1.0
        assert len(rig.slack.messages(rig.channel)) == 4


async def test_a_restart_goes_on_in_the_same_message(tmp_path: Path) -> None:
    """A reply whose process was killed while it streamed is finished in the message it had begun."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await streamed(rig, incoming)
        await rig.slack.wait_for(lambda: rig.slack.messages(rig.channel, incoming.message))
        assert await rig.surface.found(incoming) is None
        await reply.show(LONG + "More.")
        await rig.slack.wait_for(lambda: rig.method("chat.appendStream"))  # what is begun is kept first
        again = await rig.surface.reply(incoming, shown="public")
        await again.finish(answered())
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "You have 30 days" in str(message.blocks)


async def test_a_long_answer_is_split(tmp_path: Path) -> None:
    """An answer that no message holds stands in several, and is revised as a whole."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await rig.surface.reply(incoming, shown="public")
        posted = await reply.finish(answered("A sentence about leave. " * 900))
        assert len(posted.messages) >= 2
        revised = await rig.surface.reply(incoming, shown="public", before=posted)
        after = await revised.finish(answered("Short now. [1]"))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert after.messages == posted.messages[:1]
        assert "Short now" in str(message.blocks)


async def test_a_revision_of_a_message_that_is_gone_is_posted(tmp_path: Path) -> None:
    """When the reply to be revised was deleted, the new one is posted."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        posted = await (await rig.surface.reply(incoming, shown="public")).finish(answered())
        await rig.surface.remove(posted)
        await rig.surface.remove(posted)
        reply = await rig.surface.reply(incoming, shown="public", before=posted)
        await reply.finish(answered("Again. [1]"))
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "Again" in str(message.blocks)


async def test_withdrawing_takes_the_stream_away(tmp_path: Path) -> None:
    """What was shown of a turn that was given up is gone, and so is its status."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        await rig.surface.working(incoming)
        reply = await streamed(rig, incoming)
        await reply.withdraw()
        await rig.slack.wait_for(lambda: not rig.slack.status(rig.channel, incoming.message))
        assert rig.slack.messages(rig.channel, incoming.message) == []


async def test_the_status_shows_at_once(tmp_path: Path) -> None:
    """The first sign is the status with its loading words; the reply takes it away."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        await rig.surface.working(incoming)
        assert rig.slack.status(rig.channel, incoming.message)
        reply = await rig.surface.reply(incoming, shown="public")
        await reply.finish(answered())
        assert not rig.slack.status(rig.channel, incoming.message)


async def test_a_private_answer_is_for_the_asker_alone(tmp_path: Path) -> None:
    """A private reply in a channel is a message that its asker alone sees."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await rig.surface.reply(incoming, shown="private")
        await reply.finish(answered(shown="private", controls=("share",)))
        (message,) = rig.slack.messages(rig.channel)
        assert message.ephemeral == rig.ann


async def test_a_command_is_answered_privately(tmp_path: Path) -> None:
    """`/ask` is acknowledged with a word, and its answer comes by the command's own address."""
    async with running(tmp_path) as rig:
        await rig.slack.command("/ask", "how many days?", rig.ann, rig.channel)
        (incoming,) = rig.desk.received
        reply = await rig.surface.reply(incoming, shown="private")
        await reply.finish(answered(shown="private", controls=("share",)))
        messages = rig.slack.messages(rig.channel)
        assert {message.ephemeral for message in messages} == {rig.ann}
        assert "30 days" in str(messages[-1].blocks)
        assert not rig.method("chat.postMessage")


async def test_a_draft_goes_to_its_reviewers(tmp_path: Path) -> None:
    """A draft comes to each reviewer as a direct message with its buttons, and nobody else sees it."""
    async with running(tmp_path) as rig:
        bob = rig.slack.add_user("Bob")
        carl = rig.slack.add_user("Carl")
        group = rig.slack.add_group("experts", [carl])
        rules = rig.app._rules
        rules._channels[("slack", rig.channel)] = ChannelSettings(
            platform="slack", id=rig.channel, mode="draft", reviewers=(bob, group)
        )
        incoming = await asked(rig)
        reply = await rig.surface.reply(incoming, shown="draft")
        posted = await reply.finish(answered(shown="draft", controls=("approve", "discard")))
        assert rig.slack.messages(rig.channel) == []
        for user in (bob, carl):
            (message,) = rig.slack.messages(rig.slack.direct(user))
            assert "lk_approve" in str(message.blocks)
        await rig.surface.remove(posted)
        assert rig.slack.messages(rig.slack.direct(bob)) == []


async def test_a_draft_without_reviewers_is_refused(tmp_path: Path) -> None:
    """Where nobody reviews, a draft is refused with a line that says what to set."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        reply = await rig.surface.reply(incoming, shown="draft")
        with pytest.raises(SurfaceGone, match="reviewers"):
            await reply.finish(answered(shown="draft"))


async def test_a_person_is_called_by_id_alone(tmp_path: Path) -> None:
    """The call mentions the user or group of the settings; what the line says mentions nobody."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        posted = await rig.surface.call_person(incoming, rig.ann, "<!channel> Bob needs help")
        ((channel, ts),) = places(posted)
        mentions = rig.slack.live_mentions(rig.slack.message(channel, ts))
        assert set(mentions) == {f"@{rig.ann}"}
        with pytest.raises(SurfaceGone, match="person"):
            await rig.surface.call_person(incoming, "everyone", "help")


async def test_a_line_stands_in_place_of_an_answer(tmp_path: Path) -> None:
    """A failure is told in one line in the thread of its question."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        assert await rig.surface.tell(incoming, "I cannot answer right now (log 12ab34cd).")
        (message,) = rig.slack.messages(rig.channel, incoming.message)
        assert "12ab34cd" in str(message.blocks)


async def test_a_channel_without_the_bot_is_gone(tmp_path: Path) -> None:
    """Where the bot is no member, a reply is refused for good."""
    async with running(tmp_path) as rig:
        incoming = await asked(rig)
        rig.slack.faults.fail("chat.postMessage", "not_in_channel")
        reply = await rig.surface.reply(incoming, shown="public")
        with pytest.raises(SurfaceGone, match="not_in_channel"):
            await reply.finish(Outcome(alone="Hello."))


async def test_a_notice_is_posted(tmp_path: Path) -> None:
    """A notice about a sync stands in the channel that the settings name, in the only workspace."""
    async with running(tmp_path) as rig:
        await rig.surface.notify("", rig.channel, "The sync of **handbook** failed.")
        (message,) = rig.slack.messages(rig.channel)
        assert "handbook" in str(message.blocks)
