"""What the style measure learns from: the speaker's replies, and words of others about the same things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import CommandError

_PERSON = re.compile(r"^Person \d+: ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Texts of the speaker and of others. `talks` name the conversation of each, own ones first."""

    own: tuple[str, ...]
    others: tuple[str, ...]
    talks: tuple[str, ...] = ()


def read_samples(files: tuple[Path, ...], replies: Path) -> Samples:
    """Read a data set: its `replies` where it has that file, else its chat examples in `files`. Blocks.

    A line of `replies` has "text", "own" (true: the speaker's) and perhaps "talk". Of chat examples the last
    reply is the speaker's; what it replies to, a plain draft or another person's message, is not. Raise
    CommandError when there is no data set or a line of it cannot be read.
    """
    if replies.is_file():
        return _of_replies(replies)
    found = [file for file in files if file.is_file()]
    if not found:
        raise CommandError(
            f"{str(files[0].parent)!r} holds no data set. Make one: lorekeeper persona dataset, "
            "or name its folder with --dataset"
        )
    own: list[str] = []
    others: list[str] = []
    for file in found:
        for place, row in _rows(file):
            said, asked = _of_example(row, place)
            own.append(said)
            others += asked
    return Samples(own=tuple(own), others=tuple(others))


def _of_replies(file: Path) -> Samples:
    own: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for place, row in _rows(file):
        if not isinstance(row.get("text"), str) or not isinstance(row.get("own"), bool):
            raise CommandError(f'{place}: has no "text" and "own". Make the data set again.')
        (own if row["own"] else others).append((row["text"], str(row.get("talk") or "")))
    both = [*own, *others]
    # A text of no known conversation is one of its own.
    named = [talk or f"line {number}" for number, (_, talk) in enumerate(both)]
    return Samples(
        own=tuple(text for text, _ in own), others=tuple(text for text, _ in others), talks=tuple(named)
    )


def _of_example(row: dict[str, Any], place: str) -> tuple[str, list[str]]:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise CommandError(f"{place}: is no chat example. Make the data set again.")
    said = messages[-1]["content"] if messages[-1]["role"] == "assistant" else ""
    asked = [message["content"] for message in messages if message["role"] == "user"]
    return said, [part for text in asked for part in _PERSON.split(text) if part.strip()]


def _is_message(message: object) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("role"), str)
        and isinstance(message.get("content"), str)
    )


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield (place := f"{file}, line {number}"), _row(line, place)
    except OSError as error:
        raise CommandError(
            f"{str(file)!r} cannot be read: {error.strerror}. Check its owner and mode."
        ) from None


def _row(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise CommandError(f"{place}: is no JSON object. Make the data set again.")
    return row
