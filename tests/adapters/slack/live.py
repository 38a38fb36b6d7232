"""What of a payload Slack would make live: mentions that notify, and links that can be followed.

A reader of its own, written from Slack's documentation and stricter than it: it shares nothing with the
gate that it judges.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping

_COMMAND = re.compile(
    r"<\s*([@#!][^>\n]*|(?:https?|ftp|mailto|tel|slack|javascript|vbscript|data):[^>\n]*>)", re.IGNORECASE
)
_CALL = re.compile(r"@(?:everyone|here|channel)\b", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\]\(\s*<?\s*([^\s)>]+)")
_REFERENCE = re.compile(r"(?m)^[ \t>]*\[[^\]\n]+\]:\s*(\S+)")
_WEB = re.compile(r"\b(?:https?|ftp|slack)://\w[^\s<>|)\]`'\"\\]*", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:mailto|tel):[^\s<>|)\]`]+", re.IGNORECASE)
_DOMAIN = re.compile(r"(?<![\w])[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}(?![\w])")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_IMAGE = re.compile(r"<img\b|<svg\b|<iframe\b|<script\b", re.IGNORECASE)


def live(payload: object, *, allowed: Collection[str] = ()) -> list[str]:
    """Return everything in a payload that is live and is not one of the allowed addresses."""
    return [found for kind, text in _texts(payload) for found in _READERS[kind](text, allowed)]


def _texts(part: object) -> Iterator[tuple[str, str]]:
    """Give each text of a payload with the way in which Slack reads it."""
    if isinstance(part, Mapping):
        if part.get("type") in {"mrkdwn", "markdown"}:
            yield str(part["type"]), str(part["text"])
        elif part.get("type") == "link":
            yield "address", str(part["url"])
        elif part.get("type") in {"user", "usergroup", "broadcast", "channel"}:
            yield "mention", str(part)
        elif part.get("type") not in {"plain_text", "text"}:
            for key, value in part.items():
                if key == "fallback" and isinstance(value, str):
                    yield "mrkdwn", value
                elif not isinstance(value, str):
                    yield from _texts(value)
    elif isinstance(part, list | tuple):
        for entry in part:
            yield from _texts(entry)


def _mrkdwn(text: str, allowed: Collection[str]) -> Iterator[str]:
    for command in re.findall(r"<([^>\n]*)>?", text):
        target = html.unescape(command.partition("|")[0])
        if target not in allowed:
            yield f"<{command}>"
    yield from _CALL.findall(text)


def _markdown(text: str, allowed: Collection[str]) -> Iterator[str]:
    # Slack may undo its own three entities before it reads Markdown, and once more after.
    for read in {text, html.unescape(text)}:
        yield from (match[0] for match in _COMMAND.finditer(read) if match[1].rstrip(">") not in allowed)
        yield from _CALL.findall(read)
        yield from (url for url in _WEB.findall(read) if url.rstrip(".,;:!?*_~") not in allowed)
        for reader in (_MARKDOWN_LINK, _REFERENCE, _IMAGE, _OTHER):
            yield from reader.findall(_CODE.sub("code", read))
    prose = _CODE.sub(" ", text)
    for address in allowed:
        prose = prose.replace(address, " ")
    yield from _DOMAIN.findall(prose)


def _address(text: str, allowed: Collection[str]) -> Iterator[str]:
    if text not in allowed:
        yield text


def _mention(text: str, allowed: Collection[str]) -> Iterator[str]:
    yield text


_READERS = {"mrkdwn": _mrkdwn, "markdown": _markdown, "address": _address, "mention": _mention}
