"""What Discord sends becomes what the desk understands. Pure: nothing here calls Discord.

A message's key is `discord:SERVER:CHANNEL:MESSAGE`, where the channel is the thread if it stands in one; what
happens to it later has that key as its subject.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from bot.chat import Attachment, Incoming, IncomingKind, Person, Place

Event = Literal["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]
Data = Mapping[str, Any]

PLATFORM = "discord"
WRITTEN = frozenset({0, 19})  # types of messages that people write: a message, a reply to one
FORWARD = 1
ADMINISTRATOR, MANAGE_GUILD = 1 << 3, 1 << 5
_EPOCH_MS = 1_420_070_400_000

_TOKEN = re.compile(
    r"<(?P<person>@!?)(?P<id>\d{1,20})>"
    r"|<@&(?P<role>\d{1,20})>"
    r"|<#(?P<channel>\d{1,20})>"
    r"|<a?(?P<emoji>:\w{2,32}:)\d{1,20}>"
    r"|<t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?>"
    r"|<(?P<command>/[\w -]{1,98}):\d{1,20}>"
    r"|<id:(?P<page>\w{1,32})(?::\d{1,20})?>"
)
_GAPS = re.compile(r"[ \t]{2,}")


def to_incoming(
    event: Event,
    data: Data,
    *,
    place: Place,
    bot: str,
    roles: Collection[str] = (),
    forum_post: bool = False,
    names: Mapping[str, str] | None = None,
    now: float = 0.0,
) -> Incoming | None:
    """Return what a gateway event tells, None when it is nothing that the bot sees to.

    `place` is where it happened, `bot` the bot's own id and `roles` those whose mention means the bot.
    `forum_post` tells that it is the first message of a forum's post. `names` are the names of roles and
    channels, by id. `now` is when a deletion was heard of.
    """
    if event == "MESSAGE_DELETE":
        return _deleted(place, data, str(data["id"]), now)
    if not _from_person(data, bot):
        return None
    stamp = str(data.get("edited_timestamp") or "")
    if event == "MESSAGE_UPDATE" and not stamp:
        return None  # Discord added a preview of a link
    return _written(
        "edit" if event == "MESSAGE_UPDATE" else "message",
        data,
        place=place,
        bot=bot,
        roles=roles,
        forum_post=forum_post,
        names=names or {},
        stamp=stamp,
    )


def bulk_deleted(data: Data, *, place: Place, now: float = 0.0) -> tuple[Incoming, ...]:
    """Return the deletions of a MESSAGE_DELETE_BULK event."""
    return tuple(_deleted(place, data, str(message), now) for message in data.get("ids") or ())


def command_incoming(
    data: Data, *, question: str, place: Place, private: bool = False, persona: str | None = None
) -> Incoming:
    """Return a question that was asked with a command or from a message's menu."""
    interaction = str(data["id"])
    key = f"{PLATFORM}:{place.workspace}:{place.thread or place.channel}:{interaction}"
    person = person_of(data)
    return Incoming(
        key=key,
        subject=key,
        kind="command",
        place=place,
        message=interaction,
        person=person.id,
        text=question.strip(),
        name=person.name,
        addressed=True,
        root=not place.thread,
        private=private,
        persona=persona or None,
        reply_to={
            "token": str(data.get("token") or ""),
            "application": str(data.get("application_id") or ""),
            "id": interaction,
        },
        received=moment(interaction),
    )


def person_of(data: Data) -> Person:
    """Return who is behind an interaction, with their roles and whether they may manage the server."""
    member = data.get("member") or {}
    user = member.get("user") or data.get("user") or {}
    bits = int(member.get("permissions") or 0)
    return Person(
        platform=PLATFORM,
        workspace=str(data.get("guild_id") or ""),
        id=str(user.get("id") or ""),
        name=_name(user, member),
        groups=frozenset(map(str, member.get("roles") or ())),
        admin=bool(bits & (ADMINISTRATOR | MANAGE_GUILD)),
    )


def message_text(message: Data, *, names: Mapping[str, str] | None = None) -> str:
    """Return a message's text as people read it; that of the message it forwards when it has none."""
    known = dict(names or {}) | dict(_mentioned(message))
    return question_text(_content(message), names=known)


def question_text(
    text: str, *, bot: str = "", roles: Collection[str] = (), names: Mapping[str, str] | None = None
) -> str:
    """Return text with mentions written as names, and without those of the bot."""
    known = names or {}

    def shown(token: re.Match[str]) -> str:
        if token["person"]:
            return "" if token["id"] == bot else f"@{known.get(token['id'], 'someone')}"
        if token["role"]:
            return "" if token["role"] in roles else f"@{known.get(token['role'], 'role')}"
        if token["channel"]:
            return f"#{known.get(token['channel'], 'channel')}"
        if token["time"]:
            return _date(int(token["time"]))
        return token["emoji"] or token["command"] or token["page"] or ""

    lines = (_GAPS.sub(" ", line).strip(" ") for line in _TOKEN.sub(shown, text).split("\n"))
    return "\n".join(lines).strip()


def moment(identifier: str | int) -> float:
    """Return when an id was made, in seconds since the epoch."""
    return ((int(identifier) >> 22) + _EPOCH_MS) / 1000


def attachments_of(message: Data) -> tuple[Attachment, ...]:
    """Return the files that came with a message."""
    return tuple(_attachments(message))


def _written(
    kind: IncomingKind,
    data: Data,
    *,
    place: Place,
    bot: str,
    roles: Collection[str],
    forum_post: bool,
    names: Mapping[str, str],
    stamp: str,
) -> Incoming | None:
    known = dict(names) | dict(_mentioned(data))
    text = question_text(_content(data), bot=bot, roles=roles, names=known)
    files = attachments_of(data)
    addressed = place.kind == "direct" or _calls(data, bot, roles)
    if not (addressed or text or files):
        return None  # without the message content intent, what is said to others comes empty
    subject = _subject(place, data, str(data["id"]))
    return Incoming(
        key=f"{subject}:edit:{stamp}" if kind == "edit" else subject,
        subject=subject,
        kind=kind,
        place=place,
        message=str(data["id"]),
        person=str(data["author"]["id"]),
        text=text,
        name=_name(data["author"], data.get("member") or {}),
        addressed=addressed,
        root=forum_post or not (place.thread or _answers(data)),
        attachments=files,
        received=_seconds(stamp) if kind == "edit" else moment(data["id"]),
    )


def _deleted(place: Place, data: Data, message: str, now: float) -> Incoming:
    subject = _subject(place, data, message)
    return Incoming(
        key=f"{subject}:delete",
        subject=subject,
        kind="delete",
        place=place,
        message=message,
        person="",
        received=now,
    )


def _subject(place: Place, data: Data, message: str) -> str:
    channel = data.get("channel_id") or place.thread or place.channel
    return f"{PLATFORM}:{place.workspace}:{channel}:{message}"


def _from_person(data: Data, bot: str) -> bool:
    """Tell whether a person wrote it: no bot, no webhook, not Discord itself."""
    author = data.get("author") or {}
    return (
        bool(author.get("id"))
        and str(author["id"]) != bot
        and not author.get("bot")
        and not author.get("system")
        and not data.get("webhook_id")
        and data.get("type", 0) in WRITTEN
    )


def _calls(data: Data, bot: str, roles: Collection[str]) -> bool:
    """Tell whether a message is meant for the bot: it mentions it, its role, or replies to it."""
    if any(str(user.get("id")) == bot for user in data.get("mentions") or ()):
        return True
    if not set(map(str, data.get("mention_roles") or ())).isdisjoint(roles):
        return True
    author = (data.get("referenced_message") or {}).get("author") or {}
    return _answers(data) and str(author.get("id") or "") == bot


def _answers(data: Data) -> bool:
    """Tell whether a message replies to another one."""
    reference = data.get("message_reference") or {}
    return bool(reference) and (reference.get("type") or 0) != FORWARD


def _content(message: Data) -> str:
    """Return what is written; what a message forwards where it says nothing itself."""
    text = str(message.get("content") or "")
    if text.strip():
        return text
    forwarded = (held.get("message") or {} for held in message.get("message_snapshots") or ())
    return "\n".join(str(held.get("content") or "") for held in forwarded)


def _mentioned(data: Data) -> Iterator[tuple[str, str]]:
    for user in data.get("mentions") or ():
        yield str(user.get("id")), _name(user, user.get("member") or {})
    for channel in data.get("mention_channels") or ():
        yield str(channel.get("id")), str(channel.get("name") or "channel")


def _attachments(message: Data) -> Iterator[Attachment]:
    for file in message.get("attachments") or ():
        yield Attachment(
            id=str(file["id"]),
            name=str(file.get("filename") or ""),
            media_type=str(file.get("content_type") or "").partition(";")[0],
            size=int(file.get("size") or 0),
            url=str(file.get("url") or ""),
        )


def _name(user: Data, member: Data) -> str:
    """Return how a person is called where they write."""
    return str(member.get("nick") or user.get("global_name") or user.get("username") or "")


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return ""


def _seconds(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0
