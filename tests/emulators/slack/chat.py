"""`chat.*`: posting, changing and removing messages."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulators.slack.blocks import check_blocks
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Channel, Message, Payload

TEXT, UPDATED_TEXT, MARKDOWN, ATTACHMENTS = 40_000, 4_000, 12_000, 100
METADATA_BYTES = 16_000
_TOO_LONG: Mapping[str, str] = {
    "chat.update": "msg_too_long",
    "chat.postEphemeral": "msg_too_long",
}
_LOOKS = "icon_emoji icon_url username"
_POST = (
    f"channel! text blocks:json attachments:json markdown_text metadata:json thread_ts as_user:bool {_LOOKS} "
    "link_names:bool mrkdwn:bool parse reply_broadcast:bool unfurl_links:bool unfurl_media:bool "
    "current_draft_last_updated_ts"
)


@method("chat.postMessage", _POST, scopes="chat:write", tier="post")
def post_message(call: Call) -> Payload:
    channel = writable(call)
    content = composed(call)
    root = thread_root(call, channel)
    message = Message(
        channel=channel.id,
        ts=call.site.ids.ts(),
        thread_ts=root,
        broadcast=bool(root and call.get("reply_broadcast")),
        subtype="thread_broadcast" if root and call.get("reply_broadcast") else "",
        mrkdwn=call.get("mrkdwn", True),
        unfurl_links=call.get("unfurl_links"),
        unfurl_media=call.get("unfurl_media"),
        metadata=metadata(call),
        **by_the_bot(call),
        **content,
    )
    call.site.post(channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": channel.shown(message, metadata=True)}


@method(
    "chat.postEphemeral",
    "channel! user! text blocks:json attachments:json markdown_text thread_ts as_user:bool icon_emoji "
    "icon_url link_names:bool parse username",
    scopes="chat:write",
    tier=4,
)
def post_ephemeral(call: Call) -> Payload:
    channel = writable(call)
    content = composed(call)
    if call.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    message = Message(
        channel=channel.id,
        ts=call.site.ids.ts(),
        thread_ts=thread_root(call, channel),
        ephemeral=call.text("user"),
        **by_the_bot(call),
        **content,
    )
    call.site.post(channel, message)
    return {"message_ts": message.ts}


@method(
    "chat.update",
    "channel! ts! text blocks:json attachments:json markdown_text metadata:json link_names:bool parse "
    "reply_broadcast:bool as_user:bool file_ids:list unfurled_attachments:json",
    scopes="chat:write",
)
def update(call: Call) -> Payload:
    channel = call.channel()
    if channel.archived:
        raise SlackError("is_inactive")
    message = call.own(channel, "ts", "cant_update_message")
    content = composed(call, needed="metadata" not in call.arguments)
    call.site.settle(channel, message)
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    before = channel.shown(message)
    if "text" in call.arguments and "blocks" not in content:
        content["blocks"] = []
    for name, value in content.items():
        setattr(message, name, value)
    if "metadata" in call.arguments:
        message.metadata = metadata(call)
    if not call.get("blocks"):
        message.edited = {"user": message.user, "ts": call.site.ids.ts()}
    call.site.change(channel, before, message, own=True)
    shown = channel.shown(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


@method("chat.delete", "channel! ts! as_user:bool", scopes="chat:write")
def delete(call: Call) -> Payload:
    channel = call.channel()
    message = call.own(channel, "ts", "cant_delete_message")
    call.site.remove(channel, message, own=True)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink", "channel! message_ts!", tier="special")
def get_permalink(call: Call) -> Payload:
    channel = call.channel()
    message = channel.messages.get(call.text("message_ts"))
    if message is None or message.ephemeral:
        raise SlackError("message_not_found")
    link = f"https://{call.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def by_the_bot(call: Call) -> dict[str, str]:
    """Return who a message of the app is from."""
    team = call.workspace
    return {"user": team.bot_user, "team": team.id, "bot_id": team.bot_id, "app_id": call.site.app_id}


def writable(call: Call) -> Channel:
    """Return where the bot may write; a user's id stands for the direct conversation."""
    if call.text("channel") in call.workspace.users:
        return call.site.channel(call.site.direct(call.text("channel")))
    channel = call.channel()
    if channel.archived:
        raise SlackError("is_archived")
    if not call.member(channel) and "chat:write.public" not in call.workspace.scopes:
        raise SlackError("not_in_channel")
    return channel


def thread_root(call: Call, channel: Channel) -> str:
    """Return the thread that a message goes into; a reply cannot be a root."""
    root = call.text("thread_ts")
    if not root:
        return ""
    found = channel.messages.get(root)
    if found is None or found.ephemeral or found.thread_ts not in {"", root}:
        raise SlackError("cannot_reply_to_message")
    return root


def composed(call: Call, *, needed: bool = True) -> Payload:
    """Return a message's text, blocks and attachments, checked as Slack checks them."""
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks, attachments = call.get("blocks"), call.get("attachments")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if needed and not (text or markdown or blocks or attachments):
        raise SlackError("no_text")
    _check_lengths(call, text, markdown)
    content: Payload = {}
    if markdown:
        content = {"text": markdown, "blocks": [{"type": "markdown", "text": markdown}]}
    elif text:
        content = {"text": text[:TEXT]}
    if blocks is not None:
        content["blocks"] = check_blocks(blocks, "message", ids=call.site.ids)
    if attachments is not None:
        if len(attachments) > ATTACHMENTS:
            raise SlackError("too_many_attachments")
        for attachment in attachments:
            check_blocks(attachment.get("blocks") or [], "message", ids=call.site.ids)
        content["attachments"] = attachments
    return content


def _check_lengths(call: Call, text: str, markdown: str) -> None:
    too_long = _TOO_LONG.get(call.method, "msg_blocks_too_long")
    if len(markdown) > MARKDOWN:
        raise SlackError(too_long)
    if call.method == "chat.update" and len(text) > UPDATED_TEXT:
        raise SlackError("msg_too_long")
    if call.method == "chat.postEphemeral" and len(text) > TEXT:
        raise SlackError("msg_too_long")


def metadata(call: Call) -> Payload | None:
    """Return a message's metadata, which has an event type and a payload and nothing else."""
    given = call.get("metadata")
    if not given:
        return None
    if not isinstance(given, dict) or set(given) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(str(given)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return given
