"""DiscordChatExporter's JSON: one channel or thread a file, or a part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.persona_data.errors import ExportUnreadable
from bot.persona_data.json_stream import JsonStream
from bot.persona_data.said import Found, Known, Said

_SAID = frozenset({"Default", "Reply", "0", "19"})
_LONGEST_TEXT = 20_000


def is_discord_export(head: str) -> bool:
    """Say whether a JSON file that begins so is one: its first key is the server."""
    return head.lstrip("\ufeff \t\r\n{").startswith('"guild"')


def read_discord_export(file: Path) -> Iterator[Found]:
    """Yield the people and messages of a file as it is read; raises ExportUnreadable."""
    channel = ""
    with file.open(encoding="utf-8-sig") as stream:
        read = JsonStream(stream, str(file))
        for key, value in read.members():
            if key == "channel" and isinstance(value, dict):
                channel = str(value.get("id") or "")
            elif key == "messages" and value is None:
                if not channel:
                    raise ExportUnreadable(
                        f"{str(file)!r} names no channel. Export it with DiscordChatExporter."
                    )
                yield from _messages(read, channel)
            elif value is None:
                for _ in read.items():
                    pass


def _messages(read: JsonStream, channel: str) -> Iterator[Found]:
    met: set[tuple[str, str]] = set()
    for message in read.items():
        if not isinstance(message, dict):
            continue
        for person in _people(message):
            if (person.id, person.names[0]) not in met:
                met.add((person.id, person.names[0]))
                yield person
        if said := _said(message, channel):
            yield said


def _people(message: Mapping[str, Any]) -> Iterator[Known]:
    mentions = message.get("mentions")
    for user in [message.get("author"), *(mentions if isinstance(mentions, list) else [])]:
        if isinstance(user, dict) and user.get("id") and not user.get("isBot"):
            names = [str(user[key]).strip() for key in ("nickname", "name") if user.get(key)]
            if names := [name for name in names if name]:
                yield Known(id=f"discord:{user['id']}", names=tuple(dict.fromkeys(names)))


def _said(message: Mapping[str, Any], channel: str) -> Said | None:
    author, text = message.get("author"), message.get("content")
    if str(message.get("type", "Default")) not in _SAID or not isinstance(author, dict):
        return None
    if author.get("isBot") or not author.get("id") or not isinstance(text, str) or not text.strip():
        return None
    at = _seconds(message.get("timestamp"))
    if at is None:
        return None
    reference = message.get("reference")
    parent = str(reference.get("messageId") or "") if isinstance(reference, dict) else ""
    return Said(
        key=f"discord:{message.get('id')}",
        kind="discord",
        conversation=f"discord:{channel}",
        speaker=f"discord:{author['id']}",
        text=text[:_LONGEST_TEXT],
        at=at,
        parent=f"discord:{parent}" if parent else "",
        gaps=True,
    )


def _seconds(stamp: object) -> float | None:
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except (ValueError, OverflowError):
        return None
