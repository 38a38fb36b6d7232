"""What Slack sends becomes what the desk understands. Pure: nothing here calls Slack.

A message's key is `TEAM:CHANNEL:TS`, the same for its `message` and its `app_mention` event and for every
retry. `Place.thread` is the thread that a reply belongs to: a message outside threads begins its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from bot.chat import Attachment, Incoming, IncomingKind, Place, PlaceKind

_KINDS: Mapping[str, PlaceKind] = {
    "channel": "channel",
    "group": "private",
    "mpim": "private",
    "im": "direct",
    "app_home": "direct",
}
_SEEN_SUBTYPES = frozenset({None, "file_share", "thread_broadcast", "me_message"})
_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def to_incoming(
    body: Mapping[str, Any],
    *,
    bot_user: str,
    kind: PlaceKind | None = None,
    names: Mapping[str, str] | None = None,
) -> Incoming | None:
    """Return what an Events API body tells, None when it is nothing that the bot sees to.

    `kind` is the channel's kind where the caller knows it: a mention does not tell public channels from
    private ones, and counts as private without it. `names` are the names of mentioned users and groups.
    """
    event = body.get("event") or {}
    if event.get("type") not in {"message", "app_mention"}:
        return None
    match event.get("subtype"):
        case "message_changed":
            message = event.get("message") or {}
            if message.get("subtype") == "tombstone":  # deleted while its thread had replies
                return _deleted(body, event, bot_user, kind)
            return _edited(body, event, bot_user, kind, names or {})
        case "message_deleted":
            return _deleted(body, event, bot_user, kind)
        case subtype if subtype in _SEEN_SUBTYPES and not event.get("hidden"):
            return _message(body, event, event, bot_user, kind, names or {})
    return None


def question_text(text: str, *, bot_user: str = "", names: Mapping[str, str] | None = None) -> str:
    """Return a message's text as people read it, without the mention of the bot."""
    known = names or {}

    def shown(token: re.Match[str]) -> str:
        sign, target, label = token.groups()
        if sign == "@":
            return f"@{label or known.get(target, 'someone')}"
        if sign == "#":
            return f"#{label or known.get(target, 'channel')}"
        if sign == "!":
            return _special(target, label, known)
        return f"{label} ({target})" if label and label not in target else target.removeprefix("mailto:")

    if bot_user:
        text = re.sub(rf"[ \t]*<@{re.escape(bot_user)}(?:\|[^<>]*)?>[ \t]*", " ", text)
    return html.unescape(_TOKEN.sub(shown, text)).strip()


def _special(target: str, label: str | None, names: Mapping[str, str]) -> str:
    """Return how a group, a date or a call to everyone reads."""
    kind, _, rest = target.partition("^")
    if kind == "subteam":
        return "@" + (label or names.get(rest, "group")).lstrip("@")
    return (label or "") if kind == "date" else f"@{kind}"


def workspace_of(body: Mapping[str, Any]) -> str:
    """Return the workspace in which the app is installed that got this body."""
    for installed in body.get("authorizations") or ():
        if installed.get("team_id"):
            return str(installed["team_id"])
    team = body.get("team_id") or (body.get("team") or {}).get("id") or ""
    return str(team or (body.get("user") or {}).get("team_id") or "")


def _message(
    body: Mapping[str, Any],
    event: Mapping[str, Any],
    message: Mapping[str, Any],
    bot_user: str,
    kind: PlaceKind | None,
    names: Mapping[str, str],
) -> Incoming | None:
    """Return a posted message; `message` holds its text, `event` where it stands."""
    person, stamp = message.get("user") or "", message.get("ts") or ""
    if not person or not stamp or _from_bot(message, bot_user):
        return None
    place = _place(body, event, message, kind)
    key = f"{place.workspace}:{place.channel}:{stamp}"
    text = str(message.get("text") or "")
    return Incoming(
        key=key,
        subject=key,
        kind="message",
        place=place,
        message=str(stamp),
        person=str(person),
        text=question_text(text, bot_user=bot_user, names=names),
        name=_name(message),
        addressed=place.kind == "direct"
        or event.get("type") == "app_mention"
        or (bool(bot_user) and f"<@{bot_user}" in text),
        root=not message.get("thread_ts") or message.get("thread_ts") == stamp,
        attachments=tuple(_attachments(message)),
        reply_to=_recipient(body, message),
        received=seconds(event.get("event_ts") or stamp),
    )


def _edited(
    body: Mapping[str, Any],
    event: Mapping[str, Any],
    bot_user: str,
    kind: PlaceKind | None,
    names: Mapping[str, str],
) -> Incoming | None:
    """Return an edit by a person; Slack also reports unfurled links and new replies as changes."""
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") not in _SEEN_SUBTYPES or not message.get("edited"):
        return None
    if message.get("text") == before.get("text"):
        return None
    posted = _message(body, event, message, bot_user, kind, names)
    if posted is None:
        return None
    stamp = (message.get("edited") or {}).get("ts") or event.get("event_ts") or event.get("ts") or ""
    return _later(posted, "edit", f"{posted.subject}:edit:{stamp}", event)


def _deleted(
    body: Mapping[str, Any], event: Mapping[str, Any], bot_user: str, kind: PlaceKind | None
) -> Incoming | None:
    before = event.get("previous_message") or {}
    stamp = event.get("deleted_ts") or before.get("ts") or (event.get("message") or {}).get("ts")
    if not stamp or not before.get("user") or _from_bot(before, bot_user):
        return None
    posted = _message(body, event, {**before, "ts": stamp, "text": "", "files": ()}, bot_user, kind, {})
    return posted and _later(posted, "delete", f"{posted.subject}:delete", event)


def _later(posted: Incoming, kind: IncomingKind, key: str, event: Mapping[str, Any]) -> Incoming:
    """Return what happened later to a message that was posted."""
    return Incoming(
        key=key,
        subject=posted.subject,
        kind=kind,
        place=posted.place,
        message=posted.message,
        person=posted.person,
        text=posted.text,
        name=posted.name,
        addressed=posted.addressed,
        root=posted.root,
        attachments=posted.attachments,
        reply_to=posted.reply_to,
        received=seconds(event.get("event_ts") or event.get("ts")),
    )


def _from_bot(message: Mapping[str, Any], bot_user: str) -> bool:
    """Tell whether a bot wrote a message: this one, another one, or Slack itself."""
    author = message.get("user")
    return bool(message.get("bot_id") or message.get("app_id")) or author in {bot_user, "USLACKBOT"}


def _place(
    body: Mapping[str, Any],
    event: Mapping[str, Any],
    message: Mapping[str, Any],
    kind: PlaceKind | None,
) -> Place:
    channel = str(event.get("channel") or "")
    told = _KINDS.get(str(event.get("channel_type") or ""))
    return Place(
        platform="slack",
        workspace=workspace_of(body),
        channel=channel,
        thread=str(message.get("thread_ts") or message.get("ts") or ""),
        kind=told or kind or ("direct" if channel.startswith("D") else "private"),
        shared=bool(body.get("is_ext_shared_channel") or event.get("is_ext_shared_channel")),
    )


def _recipient(body: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, str]:
    """Return what a stream in a channel must name besides the person: the team they belong to."""
    team = message.get("user_team") or message.get("team") or body.get("team_id")
    return {"recipient_team": str(team)} if team else {}


def _name(message: Mapping[str, Any]) -> str:
    profile = message.get("user_profile") or {}
    return str(profile.get("display_name") or profile.get("real_name") or "")


def _attachments(message: Mapping[str, Any]) -> list[Attachment]:
    """Return the files of a message; one that Slack has hidden or deleted has no address."""
    return [
        Attachment(
            id=str(file.get("id") or ""),
            name=str(file.get("name") or file.get("title") or ""),
            media_type=str(file.get("mimetype") or ""),
            size=int(file.get("size") or 0),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
        )
        for file in message.get("files") or ()
        if file.get("mode") != "tombstone"
    ]


def seconds(stamp: object) -> float:
    """Return a Slack timestamp in seconds since the epoch; 0 when it is none."""
    try:
        return float(str(stamp))
    except ValueError:
        return 0.0
