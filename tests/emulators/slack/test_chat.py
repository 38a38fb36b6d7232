"""Messages and streams as the app writes them."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError

from tests.emulators.slack.conftest import Office
from tests.emulators.slack.test_web_api import refused

FORTY = [{"type": "divider"}] * 40


async def asked(office: Office) -> str:
    return await office.slack.say(office.channel, office.ann, "Where is the manual?")


async def stream(office: Office, root: str, **more: object) -> str:
    started = await office.client.chat_startStream(
        channel=office.channel,
        thread_ts=root,
        recipient_team_id=office.slack.home.id,
        recipient_user_id=office.ann,
        **more,
    )
    return str(started["ts"])


async def test_a_post_is_found_by_its_metadata(office: Office) -> None:
    """What was posted in a thread is read back with its metadata, when that is asked for."""
    root = await asked(office)
    metadata = {"event_type": "answer", "event_payload": {"subject": root}}
    posted = await office.client.chat_postMessage(
        channel=office.channel, text="Here.", thread_ts=root, metadata=metadata
    )
    plain = await office.client.conversations_replies(channel=office.channel, ts=root)
    full = await office.client.conversations_replies(
        channel=office.channel, ts=root, include_all_metadata=True
    )
    assert [one["ts"] for one in full["messages"]] == [root, posted["ts"]]
    assert full["messages"][1]["metadata"] == metadata
    assert "metadata" not in plain["messages"][1]
    assert full["messages"][0]["reply_count"] == 1


async def test_only_own_messages_change(office: Office) -> None:
    """The app changes and deletes what it wrote, within 4,000 characters, and nobody else's."""
    client, channel = office.client, office.channel
    foreign = await asked(office)
    own = (await client.chat_postMessage(channel=channel, text="a", blocks=[{"type": "divider"}]))["ts"]
    assert await refused(client.chat_update(channel=channel, ts=foreign, text="b")) == "cant_update_message"
    assert await refused(client.chat_delete(channel=channel, ts=foreign)) == "cant_delete_message"
    assert await refused(client.chat_update(channel=channel, ts=own, text="b" * 4001)) == "msg_too_long"
    await client.chat_update(channel=channel, ts=own, text="b")
    message = office.slack.message(channel, own)
    assert (message.text, message.blocks, message.revisions) == ("b", [], 1)
    await client.chat_delete(channel=channel, ts=own)
    assert office.slack.messages(channel) == []


async def test_a_deleted_root_leaves_a_tombstone(office: Office) -> None:
    """A root with replies stays as a tombstone, and its thread can be read and answered."""
    root = await asked(office)
    await office.client.chat_postMessage(channel=office.channel, text="a", thread_ts=root)
    await office.slack.delete(office.channel, root)
    told = await office.client.conversations_replies(channel=office.channel, ts=root)
    assert told["messages"][0]["subtype"] == "tombstone"
    await office.client.chat_postMessage(channel=office.channel, text="b", thread_ts=root)


async def test_ephemeral_messages_are_in_no_history(office: Office) -> None:
    """What one person alone sees is kept for the test and shown by no method."""
    root = await asked(office)
    sent = await office.client.chat_postEphemeral(
        channel=office.channel, user=office.ann, text="psst", thread_ts=root
    )
    (message,) = office.slack.messages(office.channel, root)
    assert (message.ts, message.ephemeral) == (sent["message_ts"], office.ann)
    told = await office.client.conversations_replies(channel=office.channel, ts=root)
    assert [one["ts"] for one in told["messages"]] == [root]


async def test_a_permalink_names_the_thread(office: Office) -> None:
    """The link of a reply holds its root."""
    root = await asked(office)
    reply = (await office.client.chat_postMessage(channel=office.channel, text="a", thread_ts=root))["ts"]
    link = (await office.client.chat_getPermalink(channel=office.channel, message_ts=reply))["permalink"]
    assert f"/archives/{office.channel}/p{reply.replace('.', '')}?thread_ts={root}" in link


async def test_a_stream_grows_and_stops(office: Office) -> None:
    """Pieces add up; blocks and metadata come at the end; afterwards it is a message like any other."""
    client, channel, root = office.client, office.channel, await asked(office)
    ts = await stream(office, root, markdown_text="One ")
    await client.chat_appendStream(channel=channel, ts=ts, markdown_text="two ")
    task = {"type": "task_update", "id": "1", "title": "Reading", "status": "complete"}
    await client.chat_appendStream(
        channel=channel, ts=ts, markdown_text="", chunks=[{"type": "markdown_text", "text": "three"}, task]
    )
    message = office.slack.message(channel, ts)
    assert message.streaming
    assert message.text == "One two three"
    assert await refused(client.chat_update(channel=channel, ts=ts, text="x")) == "streaming_state_conflict"
    kept = {"event_type": "answer", "event_payload": {}}
    await client.chat_stopStream(channel=channel, ts=ts, blocks=[{"type": "divider"}], metadata=kept)
    assert not message.streaming
    assert [one["type"] for one in message.blocks] == ["markdown", "divider"]
    assert message.metadata == kept
    late = client.chat_appendStream(channel=channel, ts=ts, markdown_text="x")
    assert await refused(late) == "message_not_in_streaming_state"
    await client.chat_update(channel=channel, ts=ts, text="x")


async def test_a_stream_ends_after_five_minutes(office: Office) -> None:
    """Five minutes after its start a stream takes nothing more, and an update goes through."""
    client, channel = office.client, office.channel
    ts = await stream(office, await asked(office), markdown_text="One")
    office.slack.clock.advance(299)
    await client.chat_appendStream(channel=channel, ts=ts, markdown_text=" two")
    office.slack.clock.advance(2)
    late = client.chat_appendStream(channel=channel, ts=ts, markdown_text=" three")
    assert await refused(late) == "message_not_in_streaming_state"
    await client.chat_update(channel=channel, ts=ts, text="All of it")
    assert office.slack.message(channel, ts).text == "All of it"


async def test_the_stop_button_halts_streams(office: Office) -> None:
    """After the button nothing can be appended, but the stream can be stopped."""
    root = await asked(office)
    ts = await stream(office, root, markdown_text="One")
    assert await office.slack.stop_button(office.ann, office.channel, root) == [ts]
    late = office.client.chat_appendStream(channel=office.channel, ts=ts, markdown_text="x")
    assert await refused(late) == "stopped_by_user"
    await office.client.chat_stopStream(channel=office.channel, ts=ts, session_status="active")
    assert office.slack.sessions[office.channel, root]["status"] == "active"


async def test_streams_in_channels_name_their_reader(office: Office) -> None:
    """A channel needs both recipient ids, a direct message none."""
    root, client = await asked(office), office.client
    bare = client.chat_startStream(channel=office.channel, thread_ts=root)
    assert await refused(bare) == "missing_recipient_team_id"
    half = client.chat_startStream(
        channel=office.channel, thread_ts=root, recipient_team_id=office.slack.home.id
    )
    assert await refused(half) == "missing_recipient_user_id"
    direct = office.slack.direct(office.ann)
    question = await office.slack.say(direct, office.ann, "Hello?")
    await client.chat_startStream(channel=direct, thread_ts=question)


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "song", "text": "la"},
        {"type": "markdown_text"},
        {"type": "markdown_text", "text": "a", "more": 1},
        {"type": "task_update", "id": "1", "title": "a", "status": "asleep"},
    ],
)
async def test_bad_chunks_are_refused(office: Office, chunk: dict[str, object]) -> None:
    """Unknown kinds, missing keys, keys too many and unknown words are refused."""
    ts = await stream(office, await asked(office))
    call = office.client.chat_appendStream(channel=office.channel, ts=ts, markdown_text="", chunks=[chunk])
    assert await refused(call) == "invalid_chunks"


async def test_a_status_stands_until_a_message_or_two_minutes(office: Office) -> None:
    """A thread's status goes when the app writes there, or by itself."""
    root, slack = await asked(office), office.slack
    await office.client.assistant_threads_setStatus(
        channel_id=office.channel, thread_ts=root, status="is thinking…", loading_messages=["Reading…"]
    )
    assert slack.status(office.channel, root) == "is thinking…"
    slack.clock.advance(121)
    assert slack.status(office.channel, root) == ""
    await office.client.assistant_threads_setStatus(
        channel_id=office.channel, thread_ts=root, status="is thinking…"
    )
    await office.client.chat_postMessage(channel=office.channel, thread_ts=root, text="a")
    assert slack.status(office.channel, root) == ""
    late = office.client.assistant_threads_setStatus(channel_id=office.channel, thread_ts="1.0", status="a")
    assert await refused(late) == "invalid_thread_ts"


async def test_prompts_and_sessions_are_kept(office: Office) -> None:
    """Up to four prompts are shown; a session has a state and a title."""
    direct = office.slack.direct(office.ann)
    root = await office.slack.say(direct, office.ann, "Hello?")
    prompts = [{"title": "a", "message": "b"}]
    await office.client.assistant_threads_setSuggestedPrompts(channel_id=direct, prompts=prompts)
    assert office.slack.prompts[direct, ""]["prompts"] == prompts
    many = office.client.assistant_threads_setSuggestedPrompts(channel_id=direct, prompts=prompts * 5)
    assert await refused(many) == "invalid_arguments"
    await office.client.assistant_threads_setTitle(channel_id=direct, thread_ts=root, title="Manual")
    await office.client.agents_sessions_setStatus(channel_id=direct, thread_ts=root, status="processing")
    assert office.slack.titles[direct, root] == "Manual"
    assert office.slack.sessions[direct, root]["status"] == "processing"


async def test_too_many_blocks_are_refused_with_their_place(office: Office) -> None:
    """A message has at most 50 blocks, and the refusal says where it is wrong."""
    with pytest.raises(SlackApiError) as raised:
        await office.client.chat_postMessage(
            channel=office.channel, text="a", blocks=[*FORTY, *FORTY, {"type": "songs"}]
        )
    told = raised.value.response["response_metadata"]["messages"]
    assert raised.value.response["error"] == "invalid_blocks"
    assert told[0] == "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    assert told[1] == "[ERROR] unsupported type: songs [json-pointer:/blocks/80]"


async def test_live_mentions_and_links_are_seen(office: Office) -> None:
    """What would notify somebody or could be followed is found in text and blocks, not in plain text."""
    blocks = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "<!channel> <https://a.example|a> &lt;!a"},
        },
        {"type": "markdown", "text": "[b](https://b.example) <@U123>"},
        {"type": "section", "text": {"type": "plain_text", "text": "<!everyone>"}},
    ]
    posted = await office.client.chat_postMessage(channel=office.channel, text="x", blocks=blocks)
    message = office.slack.message(office.channel, posted["ts"])
    assert office.slack.live_mentions(message) == ["!channel", "@U123"]
    assert office.slack.links(message) == ["https://a.example", "https://b.example"]
