"""`chat.startStream`, `chat.appendStream`, `chat.stopStream`: messages that grow while they are read."""

from __future__ import annotations

from tests.emulators.slack.blocks import check_blocks
from tests.emulators.slack.chat import MARKDOWN, by_the_bot, metadata, thread_root, writable
from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Channel, Message, Payload, Stream

_DISPLAYS = {"timeline", "plan", "dense"}
_STATUSES = {"pending", "in_progress", "complete", "error"}
_SESSION = {"processing", "active", "suspended", "closed"}
_CHUNKS = {
    "markdown_text": ({"text"}, set()),
    "plan_update": ({"title"}, set()),
    "task_update": ({"id", "title", "status"}, {"details", "output", "sources"}),
    "blocks": ({"blocks"}, set()),
}


@method(
    "chat.startStream",
    "channel! thread_ts! markdown_text chunks:list recipient_team_id recipient_user_id task_display_mode "
    "icon_emoji icon_url username",
    scopes="chat:write",
    tier=2,
)
def start(call: Call) -> Payload:
    channel = writable(call)
    if channel.kind != "im":
        _recipient(call)
    if call.text("task_display_mode") not in {"", *_DISPLAYS}:
        raise SlackError("invalid_arguments")
    stream = Stream(started=call.site.clock.now(), recipient=call.text("recipient_user_id"))
    root = _root(call, channel)
    pieces = _pieces(call)
    message = Message(
        channel=channel.id, ts=call.site.ids.ts(), thread_ts=root, stream=stream, **by_the_bot(call)
    )
    _grow(message, stream, pieces)
    call.site.post(channel, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream", "channel! ts! markdown_text chunks:list", scopes="chat:write", tier=4)
def append(call: Call) -> Payload:
    channel, message, stream = _open(call)
    pieces = _pieces(call)
    if not pieces:
        raise SlackError("no_text")
    _grow(message, stream, pieces)
    call.site.bell.ring()
    return {"channel": channel.id, "ts": message.ts}


@method(
    "chat.stopStream",
    "channel! ts! markdown_text chunks:list blocks:json metadata:json session_status",
    scopes="chat:write",
    tier=2,
)
def stop(call: Call) -> Payload:
    channel, message, stream = _open(call, halted=True)
    if call.text("session_status") not in {"", *_SESSION}:
        raise SlackError("invalid_arguments")
    pieces, kept = _pieces(call), metadata(call)
    blocks = check_blocks(call.get("blocks") or [], "message", ids=call.site.ids)
    before = channel.shown(message)
    _grow(message, stream, pieces)
    stream.state = "stopped"
    message.metadata = kept
    written = [{"type": "markdown", "text": message.text}] if message.text else []
    message.blocks = [*written, *stream.blocks, *blocks]
    if call.text("session_status"):
        call.site.sessions[channel.id, message.thread_ts] = {"status": call.text("session_status")}
    call.site.change(channel, before, message, own=True)
    return {"channel": channel.id, "ts": message.ts, "message": channel.shown(message, metadata=True)}


def _recipient(call: Call) -> None:
    if not call.text("recipient_team_id"):
        raise SlackError("missing_recipient_team_id")
    if not call.text("recipient_user_id"):
        raise SlackError("missing_recipient_user_id")
    if call.text("recipient_team_id") not in call.site.workspaces:
        raise SlackError("team_not_found")
    call.user("recipient_user_id")


def _root(call: Call, channel: Channel) -> str:
    try:
        return thread_root(call, channel)
    except SlackError as error:
        raise SlackError("messaging_processing_failed", str(error)) from error


def _open(call: Call, *, halted: bool = False) -> tuple[Channel, Message, Stream]:
    """Return a stream that can still grow, or at least be stopped."""
    channel = call.channel()
    message = call.own(channel, "ts", "message_not_owned_by_app")
    call.site.settle(channel, message)
    stream = message.stream
    if stream is not None and stream.state == "halted" and not halted:
        raise SlackError("stopped_by_user")
    if stream is None or stream.state not in {"open", "halted"}:
        raise SlackError("message_not_in_streaming_state")
    return channel, message, stream


def _pieces(call: Call) -> list[Payload]:
    """Return what a call adds, checked, as chunks."""
    chunks = list(call.get("chunks") or [])
    if markdown := call.text("markdown_text"):
        chunks.insert(0, {"type": "markdown_text", "text": markdown})
    for chunk in chunks:
        _check(call, chunk)
    if sum(len(one["text"]) for one in chunks if one["type"] == "markdown_text") > MARKDOWN:
        raise SlackError("msg_blocks_too_long")
    return chunks


def _check(call: Call, chunk: object) -> None:
    if not isinstance(chunk, dict) or chunk.get("type") not in _CHUNKS:
        raise SlackError("invalid_chunks", "[ERROR] unknown chunk type")
    needed, allowed = _CHUNKS[chunk["type"]]
    keys = set(chunk) - {"type"}
    if needed - keys or keys - needed - allowed:
        raise SlackError("invalid_chunks", f"[ERROR] keys of {chunk['type']}: {sorted(keys)}")
    if chunk["type"] == "task_update" and chunk["status"] not in _STATUSES:
        raise SlackError("invalid_chunks", "[ERROR] unknown status")
    if chunk["type"] == "blocks":
        check_blocks(chunk["blocks"], "message", ids=call.site.ids)
    elif any(not isinstance(chunk[key], str) for key in needed):
        raise SlackError("invalid_chunks", "[ERROR] must be a string")


def _grow(message: Message, stream: Stream, pieces: list[Payload]) -> None:
    for piece in pieces:
        if piece["type"] == "markdown_text":
            stream.pieces.append(piece["text"])
            message.text += piece["text"]
        elif piece["type"] == "task_update":
            stream.tasks[piece["id"]] = piece
        elif piece["type"] == "blocks":
            stream.blocks += piece["blocks"]
    message.revisions += bool(pieces)
