"""Slack's own markup: text as it is stored, its rich-text form, and what of it is alive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Payload = dict[str, Any]

_TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+|#[CG][A-Z0-9]+|![a-z]+|https?://|mailto:)[^<>]*>")
_ALIVE = re.compile(r"<([@#!])([^<>|]+)(?:\|[^<>]*)?>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^<>|]+)(?:\|[^<>]*)?>")
_BARE = re.compile(r"(?<![<|\w(])https?://[^\s<>|)\]]+")
_MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([a-zA-Z][a-zA-Z0-9+.-]*:[^)>\s]+)")


def stored(text: str) -> str:
    """Return typed text as Slack keeps it; tokens such as `<@U1>` and `<https://…>` stay alive."""
    kept, last = [], 0
    for token in _TOKEN.finditer(text):
        kept += [_escaped(text[last : token.start()]), token[0]]
        last = token.end()
    return "".join([*kept, _escaped(text[last:])])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rich_text(text: str, block_id: str) -> Payload:
    """Return the block in which a person's message arrives."""
    elements: list[Payload] = []
    last = 0
    for token in _TOKEN.finditer(text):
        elements += _words(text[last : token.start()])
        elements.append(_element(token[0][1:-1]))
        last = token.end()
    elements += _words(text[last:])
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


def _words(text: str) -> list[Payload]:
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return [{"type": "text", "text": plain}] if plain else []


def _element(token: str) -> Payload:
    target, _, label = token.partition("|")
    if target[0] == "@":
        return {"type": "user", "user_id": target[1:]}
    if target[0] == "#":
        return {"type": "channel", "channel_id": target[1:]}
    if target[0] == "!":
        return {"type": "broadcast", "range": target[1:]}
    return {"type": "link", "url": target} | ({"text": label} if label else {})


def live_mentions(message: Payload) -> list[str]:
    """Return what a message would notify or link to: `@U1`, `!channel`, `!subteam^S1`, `#C1`."""
    found = [kind + target for text in marked(message) for kind, target in _ALIVE.findall(text)]
    return [one for one in found if not one.startswith("!date^")] + list(_rich_mentions(message))


def _rich_mentions(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _rich_mentions(one)
    elif isinstance(node, dict):
        if node.get("type") in {"user", "channel", "usergroup"}:
            yield next(str(value) for key, value in node.items() if key.endswith("_id"))
        elif node.get("type") == "broadcast":
            yield f"!{node.get('range')}"
        for value in node.values():
            yield from _rich_mentions(value)


def links(message: Payload) -> list[str]:
    """Return every address that a reader could follow or that a client would load."""
    found = [str(value) for value in _addresses(message)]
    for text in marked(message):
        found += _LINK.findall(text) + _BARE.findall(text) + _MARKDOWN_LINK.findall(text)
    return found


def _addresses(node: object) -> Iterator[object]:
    if isinstance(node, list):
        for one in node:
            yield from _addresses(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in {"url", "image_url", "thumbnail_url", "video_url", "title_url", "icon_url"} and value:
                yield value
            else:
                yield from _addresses(value)


def marked(message: Payload) -> Iterator[str]:
    """Yield each text of a message in which markup is alive."""
    if message.get("mrkdwn", True) and isinstance(message.get("text"), str):
        yield message["text"]
    yield from _marked(message.get("blocks") or [])
    yield from _marked(message.get("attachments") or [])


def _marked(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _marked(one)
    elif isinstance(node, dict):
        if node.get("type") in {"mrkdwn", "markdown"} and isinstance(node.get("text"), str):
            yield node["text"]
        for key in ("pretext", "fallback", "footer"):
            if isinstance(node.get(key), str):
                yield node[key]
        for value in node.values():
            yield from _marked(value)
