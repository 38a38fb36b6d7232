"""`conversations.*` and `reactions.*`: where messages are, and who reads them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from tests.emulators.slack.errors import SlackError
from tests.emulators.slack.limits import HISTORIES, OUTSIDE_PAGE
from tests.emulators.slack.methods import Call, method
from tests.emulators.slack.workspace import Channel, Message, Payload

Item = TypeVar("Item")

_KINDS = {"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}
_READ = "channels:read groups:read im:read mpim:read"
_HISTORY = "channels:history groups:history im:history mpim:history"
_SCOPE = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
_SPAN = "channel! cursor include_all_metadata:bool inclusive:bool latest limit:number oldest"
MOST = 999


@method("conversations.info", "channel! include_locale:bool include_num_members:bool", scopes=_READ)
def info(call: Call) -> Payload:
    channel = call.channel()
    _needs(call, channel, "read")
    shown = channel.payload(bot=call.workspace.bot_user, members=bool(call.get("include_num_members")))
    return {"channel": shown}


@method("conversations.members", "channel! cursor limit:number", scopes=_READ, tier=4)
def members(call: Call) -> Payload:
    channel = call.channel()
    _needs(call, channel, "read")
    people, more = paged(call, channel.members)
    return {"members": people, "response_metadata": more}


@method(
    "conversations.list",
    "cursor exclude_archived:bool limit:number team_id types",
    scopes=_READ,
    tier=2,
)
def list_(call: Call) -> Payload:
    team, kinds = call.workspace, types_of(call)
    found = [
        channel
        for channel in team.channels.values()
        if channel.kind in kinds
        and (not channel.private or call.member(channel))
        and not (channel.archived and call.get("exclude_archived"))
    ]
    channels, more = paged(call, found)
    shown = [channel.payload(bot=team.bot_user, members=True) for channel in channels]
    return {"channels": shown, "response_metadata": more}


@method("conversations.history", _SPAN, scopes=_HISTORY)
def history(call: Call) -> Payload:
    channel = call.channel()
    _needs(call, channel, "history")
    if not call.member(channel):
        raise SlackError("not_in_channel")
    found = [
        one
        for one in channel.messages.values()
        if not one.ephemeral
        and (one.thread_ts in {"", one.ts} or one.broadcast)
        and _within(call, float(one.ts))
    ]
    newest_first = sorted(found, key=lambda one: float(one.ts), reverse=True)
    return _messages(call, channel, newest_first)


@method("conversations.replies", f"ts! {_SPAN}", scopes=_HISTORY)
def replies(call: Call) -> Payload:
    channel = call.channel()
    _needs(call, channel, "history")
    message = channel.messages.get(call.text("ts"))
    if message is None or message.ephemeral:
        raise SlackError("thread_not_found")
    root = channel.messages.get(message.thread_ts or message.ts, message)
    found = [one for one in channel.replies(root.ts) if _within(call, float(one.ts))]
    return _messages(call, channel, [root, *found])


@method("conversations.join", "channel!", scopes="channels:join")
def join(call: Call) -> Payload:
    channel = call.channel()
    if channel.private:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    call.site.join(channel, call.workspace.bot_user)
    return {"channel": channel.payload(bot=call.workspace.bot_user)}


@method(
    "conversations.open",
    "channel users return_im:bool prevent_creation:bool",
    scopes="im:write mpim:write groups:write channels:manage",
)
def open_(call: Call) -> Payload:
    users = [one for one in call.text("users").split(",") if one]
    if not users and not call.text("channel"):
        raise SlackError("users_list_not_supplied")
    if call.text("channel"):
        channel = call.channel()
    elif len(users) == 1:
        if users[0] not in call.workspace.users:
            raise SlackError("user_not_found")
        channel = call.site.channel(call.site.direct(users[0]))
    else:
        channel = _group_direct(call, users)
    shown = channel.payload(bot=call.workspace.bot_user) if call.get("return_im") else {"id": channel.id}
    return {"channel": shown}


def _group_direct(call: Call, users: list[str]) -> Channel:
    if len(users) > 8:
        raise SlackError("too_many_users")
    if unknown := [user for user in users if user not in call.workspace.users]:
        raise SlackError("user_not_found", f"[ERROR] {unknown[0]}")
    people = {*users, call.workspace.bot_user}
    channels = call.workspace.channels.values()
    found = next((one for one in channels if one.kind == "mpim" and set(one.members) == people), None)
    return found or call.site.channel(
        call.site.add_channel("mpdm", members=users, kind="mpim", workspace=call.workspace)
    )


@method("reactions.add", "channel! name! timestamp!", scopes="reactions:write")
def add_reaction(call: Call) -> Payload:
    people = _target(call).reactions.setdefault(call.text("name"), [])
    if call.workspace.bot_user in people:
        raise SlackError("already_reacted")
    people.append(call.workspace.bot_user)
    return {}


@method("reactions.remove", "channel name! timestamp file file_comment", scopes="reactions:write", tier=2)
def remove_reaction(call: Call) -> Payload:
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    message = _target(call)
    people = message.reactions.get(call.text("name"), [])
    if call.workspace.bot_user not in people:
        raise SlackError("no_reaction")
    people.remove(call.workspace.bot_user)
    if not people:
        del message.reactions[call.text("name")]
    return {}


def _target(call: Call) -> Message:
    channel = call.channel()
    if not call.member(channel):
        raise SlackError("no_access")
    message = channel.messages.get(call.text("timestamp"))
    if message is None or message.ephemeral:
        raise SlackError("message_not_found")
    return message


def types_of(call: Call) -> set[str]:
    """Return the kinds of conversation asked for; refuse kinds for which the scope is missing."""
    given = [one.strip() for one in (call.text("types") or "public_channel").split(",")]
    if set(given) - set(_KINDS):
        raise SlackError("invalid_types")
    kinds = {_KINDS[one] for one in given}
    for kind in sorted(kinds):
        _needs_kind(call, kind, "read")
    return kinds


def _needs(call: Call, channel: Channel, what: str) -> None:
    _needs_kind(call, channel.kind, what)


def _needs_kind(call: Call, kind: str, what: str) -> None:
    scope = f"{_SCOPE[kind]}:{what}"
    if scope not in call.workspace.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(call.workspace.scopes)))


def _within(call: Call, ts: float) -> bool:
    try:
        oldest = float(call.get("oldest") or 0)
    except ValueError as error:
        raise SlackError("invalid_ts_oldest") from error
    try:
        latest = float(call.get("latest") or "inf")
    except ValueError as error:
        raise SlackError("invalid_ts_latest") from error
    return oldest <= ts <= latest if call.get("inclusive") else oldest < ts < latest


def _messages(call: Call, channel: Channel, found: list[Message]) -> Payload:
    page, more = paged(call, found)
    metadata = bool(call.get("include_all_metadata"))
    return {
        "messages": [channel.shown(one, metadata=metadata) for one in page],
        "has_more": bool(more["next_cursor"]),
        "response_metadata": more,
    }


def paged(call: Call, found: Sequence[Item]) -> tuple[list[Item], Payload]:
    """Return one page and where the next begins."""
    outside = call.site.limits.outside_marketplace and call.method in HISTORIES
    start, limit = 0, call.number("limit", 100, OUTSIDE_PAGE if outside else MOST)
    if cursor := call.text("cursor"):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except (binascii.Error, ValueError) as error:
            raise SlackError("invalid_cursor") from error
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(found) else ""
    return list(found[start:end]), {"next_cursor": following}
