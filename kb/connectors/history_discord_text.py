"""Discord's message objects as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kb.connectors.history_text import markdown, tame

Payload = Mapping[str, Any]

# What people write: a message or a reply; answers to commands are a bot's.
SAID_TYPES = frozenset({0, 19, 20, 23})
_TOKEN = re.compile(
    r"<(?:@!?(?P<user>\d{15,21})|@&(?P<role>\d{15,21})|#(?P<channel>\d{15,21})|a?:(?P<emoji>\w{1,40}):\d{15,21}"
    r"|t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?|/(?P<command>[\w -]{1,100}):\d{15,21}|id:(?P<place>\w{1,20})"
    r"|(?P<link>https?://[^<>\s]{1,2000}))>"
)


def is_said(message: Payload, bots: frozenset[str]) -> bool:
    """Say whether a message is a person's, or a bot's that is to be kept."""
    author = _object(message.get("author"))
    if message.get("type") not in SAID_TYPES or author.get("system"):
        return False
    if author.get("bot") or message.get("webhook_id") or message.get("application_id"):
        ids = {str(author.get("id")), str(message.get("webhook_id")), str(message.get("application_id"))}
        return bool(bots & ids)
    return bool(author.get("id"))


def is_bare(message: Payload) -> bool:
    """Say whether a message holds nothing: the bot may not read it, or it is of a kind we do not know."""
    parts = ("content", "attachments", "embeds", "sticker_items", "stickers", "poll", "message_snapshots")
    return not any(message.get(part) for part in (*parts, "components", "activity", "call"))


def author_name(message: Payload) -> str:
    """Return who wrote a message."""
    return _name(_object(message.get("author")))


def addresses(message: Payload, user: str) -> bool:
    """Say whether a message names a user."""
    return bool(user) and user in {str(one.get("id")) for one in _list(message.get("mentions"))}


def message_text(message: Payload) -> str:
    """Return what a message says as Markdown, with what it passes on and the names of its files."""
    names = {str(one.get("id")): _name(one) for one in _list(message.get("mentions"))}
    said = message.get("content")
    parts = [text_markdown(said if isinstance(said, str) else "", names)]
    for passed_on in _list(message.get("message_snapshots")):
        inner = _object(passed_on.get("message"))
        parts.append(text_markdown(str(inner.get("content") or ""), names))
    if not any(parts):
        parts += [text_markdown(text, names) for text in _embedded(message)]
    parts += [_file(one) for one in _list(message.get("attachments"))]
    return "\n\n".join(part for part in parts if part)


def text_markdown(text: str, names: Mapping[str, str]) -> str:
    """Turn Discord's Markdown into ours, ids into names."""
    return markdown(
        text,
        prose=lambda piece: _TOKEN.sub(lambda found: _shown(found, names), piece),
        code=lambda piece: piece,
        languages=True,
    )


def _shown(found: re.Match[str], names: Mapping[str, str]) -> str:
    kind = found.lastgroup or ""
    value = found[kind]
    if kind == "user":
        return names.get(value) or "someone"
    if kind == "time":
        return _time(value)
    return {"role": "a role", "channel": "#channel", "emoji": f":{value}:", "command": f"/{value}"}.get(
        kind, value
    )


def _time(text: str) -> str:
    try:
        return f"{datetime.fromtimestamp(int(text), UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return text


def _embedded(message: Payload) -> Iterator[str]:
    for embed in _list(message.get("embeds")):
        shown = [embed.get("title"), embed.get("description")]
        for field in _list(embed.get("fields")):
            shown += [field.get("name"), field.get("value")]
        yield "\n".join(text for text in shown if isinstance(text, str) and text)


def _file(file: Payload) -> str:
    name = file.get("title") or file.get("filename")
    return f"File: {tame(' '.join(name.split()))}" if isinstance(name, str) and name.strip() else ""


def _name(user: Payload) -> str:
    member = _object(user.get("member"))
    named = (member.get("nick"), user.get("global_name"), user.get("username"))
    return next((name.strip() for name in named if isinstance(name, str) and name.strip()), "someone")


def _object(value: object) -> Payload:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Payload]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
