"""Messages in a channel: posted once whatever is lost on the way, found again, revised and taken away.

Every message carries metadata that names what it replies to. When Slack's reply to a post is lost, the
thread is looked through for it before the post is repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adapters.slack.client import CallRefused, CallUncertain
from bot.chat import Posted

if TYPE_CHECKING:
    from adapters.slack.client import Api
    from adapters.slack.render import Message

EVENT_TYPE = "lorekeeper_answer"
_PAGE = 100
_MOST_PAGES = 5
_POST_TRIES = 3
GONE = frozenset({"message_not_found", "channel_not_found", "thread_not_found", "cant_delete_message"})
# The message stands, or stood, but this app may not change it any more.
FIXED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})

log = logging.getLogger(__name__)


def label(subject: str, part: int = 0) -> dict[str, Any]:
    """Return the metadata by which a reply is found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"subject": subject, "part": part}}


async def post(
    api: Api, channel: str, thread: str, message: Message, *, subject: str, part: int = 0, since: str = ""
) -> str:
    """Post a message and return its id. `since` is the id of the message it replies to."""
    for last in (False,) * (_POST_TRIES - 1) + (True,):
        try:
            told = await api.call(
                "chat.postMessage",
                channel=channel,
                thread_ts=thread or None,
                metadata=label(subject, part),
                unfurl_links=False,
                unfurl_media=False,
                **_content(message),
            )
        except CallUncertain:
            found = await find(api, channel, thread, subject=subject, since=since)
            if part in found:
                return found[part]
            if last:
                raise
            log.info("slack post repeated subject=%s: it was not there", subject)
            continue
        return str(told.get("ts", ""))
    raise AssertionError("unreachable: the last try returns or raises")


async def update(
    api: Api, channel: str, ts: str, message: Message, *, subject: str, part: int = 0, final: bool = True
) -> None:
    """Put a message in the place of one that stands there; only a final one is found again by its subject."""
    metadata = label(subject, part) if final else None
    await api.call("chat.update", channel=channel, ts=ts, metadata=metadata, **_content(message))


async def find(api: Api, channel: str, thread: str, *, subject: str, since: str = "") -> dict[int, str]:
    """Return the ids of a reply's messages by their part; only messages after `since` are looked at."""
    found: dict[int, str] = {}
    for message in await history(api, channel, thread, since=since):
        meta = message.get("metadata") or {}
        payload = meta.get("event_payload") or {}
        ours = message.get("user") == api.bot_user or message.get("bot_id") == api.bot_id
        if ours and meta.get("event_type") == EVENT_TYPE and payload.get("subject") == subject:
            found.setdefault(int(payload.get("part") or 0), str(message["ts"]))
    return found


async def history(api: Api, channel: str, thread: str, *, since: str = "") -> list[Mapping[str, Any]]:
    """Return the messages of a thread, or of a channel without one, with their metadata."""
    method = "conversations.replies" if thread else "conversations.history"
    messages: list[Mapping[str, Any]] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        told = await api.call(
            method,
            channel=channel,
            ts=thread or None,
            oldest=since or None,
            include_all_metadata=True,
            limit=_PAGE,
            cursor=cursor or None,
        )
        messages += told.get("messages") or ()
        cursor = str((told.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return messages


async def remove(api: Api, posted: Posted) -> None:
    """Take a reply away; nothing happens where it is gone already, or was for one person's eyes."""
    for channel, ts in places(posted):
        try:
            await api.call("chat.delete", channel=channel, ts=ts)
        except CallRefused as exc:
            if exc.code not in GONE:
                raise


async def revise(
    api: Api, before: Posted, messages: Sequence[Message], *, thread: str, subject: str
) -> Posted:
    """Put `messages` in the place of a reply: its messages are changed, further ones posted or taken away."""
    channel, kept = before.channel, [ts for _, ts in places(before)]
    stands: list[str] = []
    for part, message in enumerate(messages):
        if part < len(kept) and await _changed(api, channel, kept[part], message, subject=subject, part=part):
            stands.append(kept[part])
            continue
        stands.append(await post(api, channel, thread, message, subject=subject, part=part, since=thread))
    await remove(api, posted(api, channel, [ts for ts in kept if ts not in stands]))
    return posted(api, channel, stands, thread=thread)


async def _changed(api: Api, channel: str, ts: str, message: Message, *, subject: str, part: int) -> bool:
    """Change a message; False when that cannot be done."""
    try:
        await update(api, channel, ts, message, subject=subject, part=part)
    except CallRefused as exc:
        if exc.code in FIXED:
            return False
        raise
    return True


def posted(api: Api, channel: str, messages: Sequence[str], *, thread: str = "") -> Posted:
    """Return where messages stand, in ids that name workspace and channel too."""
    return Posted(channel=channel, messages=tuple(at(api, channel, ts) for ts in messages), thread=thread)


def at(api: Api, channel: str, ts: str) -> str:
    """Return the id of a message that can be found without knowing more."""
    return f"{api.team}/{channel}/{ts}"


def places(posted: Posted) -> list[tuple[str, str]]:
    """Return channel and Slack's own id of each message."""
    split = [message.split("/") for message in posted.messages]
    return [(channel, ts) for _, channel, ts in split]


def workspace(posted: Posted) -> str:
    """Return the workspace of a reply; empty when it has no messages that last."""
    return posted.messages[0].partition("/")[0] if posted.messages else ""


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks) or None}
