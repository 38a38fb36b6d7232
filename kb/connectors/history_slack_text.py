"""Slack's message objects as plain values and Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kb.connectors.history_text import markdown, tame

Payload = Mapping[str, Any]
Name = Callable[[str], str]

# Everything else, such as joins, topics, reminders and what is left of a deleted root, nobody has said.
_SAID = frozenset({"", "thread_broadcast", "file_share", "me_message", "bot_message"})
_TOKEN = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}


def is_said(message: Payload, bots: frozenset[str]) -> bool:
    """Say whether a message is a person's, or a bot's that is to be kept."""
    if str(message.get("subtype") or "") not in _SAID or message.get("hidden"):
        return False
    if message.get("bot_id") or message.get("subtype") == "bot_message":
        return bool(bots & {str(message.get(key)) for key in ("bot_id", "user", "app_id")})
    return bool(message.get("user"))


def people_of(message: Payload) -> set[str]:
    """Return the ids of who wrote a message and who is named in it."""
    author = {str(message["user"])} if message.get("user") else set[str]()
    return author | set(_PERSON.findall(raw_text(message)))


def addresses(message: Payload, user: str) -> bool:
    """Say whether a message names a user."""
    return bool(user) and user in _PERSON.findall(raw_text(message))


def raw_text(message: Payload) -> str:
    """Return what a message says in Slack's own marks; the text of its parts when it has none itself."""
    text = message.get("text")
    return text if isinstance(text, str) and text.strip() else "\n".join(_parts(message))


def message_text(message: Payload, name: Name) -> str:
    """Return what a message says as Markdown, with the titles of its files."""
    said = text_markdown(raw_text(message), name)
    files = [_file(one) for one in _list(message.get("files"))]
    return "\n\n".join(part for part in (said, *files) if part)


def text_markdown(text: str, name: Name) -> str:
    """Turn Slack's marks into Markdown, ids into names."""
    return markdown(
        text,
        prose=lambda piece: _replaced(piece, lambda found: _shown(found, name), _unescaped),
        code=lambda piece: _replaced(piece, lambda found: _shown_in_code(found, name), _unescaped),
        languages=False,
    )


def _parts(message: Payload) -> Iterator[str]:
    """Yield the texts of blocks, or else those of attachments."""
    blocks = [_block(one) for one in _list(message.get("blocks"))]
    if any(blocks):
        yield from (text for text in blocks if text)
        return
    for one in _list(message.get("attachments")):
        shown = [one.get(key) for key in ("pretext", "title", "text")]
        texts = [text for text in shown if isinstance(text, str) and text]
        fallback = one.get("fallback")
        yield from texts or ([fallback] if isinstance(fallback, str) else [])


def _block(block: Payload) -> str:
    fields = [block.get("text"), *_list(block.get("fields")), *_list(block.get("elements"))]
    texts = [one.get("text") for one in fields if isinstance(one, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _list(value: object) -> list[Payload]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _file(file: Payload) -> str:
    title = file.get("title") or file.get("name")
    return f"File: {tame(' '.join(title.split()))}" if isinstance(title, str) and title.strip() else ""


def _replaced(text: str, token: Callable[[re.Match[str]], str], rest: Callable[[str], str]) -> str:
    parts: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        parts += [rest(text[at : found.start()]), token(found)]
        at = found.end()
    return "".join([*parts, rest(text[at:])])


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], text)


def _shown(found: re.Match[str], name: Name) -> str:
    """Return a token in Markdown: `<@U1>`, `<#C1|general>`, `<!here>` or `<https://host|label>`."""
    target, label = found[1], _unescaped(found[2] or "")
    if target[0] not in "@#!" and label:
        address = _unescaped(target)
        if address in (label, f"mailto:{label}", f"tel:{label}", f"http://{label}"):
            return label
        return f"[{label.replace('[', '(').replace(']', ')')}]({_address(address)})"
    return _shown_in_code(found, name)


def _shown_in_code(found: re.Match[str], name: Name) -> str:
    target, label = found[1], _unescaped(found[2] or "")
    kind, rest = target[0], target[1:]
    if kind == "@":
        return name(rest)
    if kind == "#":
        return f"#{label or 'channel'}"
    if kind == "!":
        return label.removeprefix("@") or rest.partition("^")[0]
    return _unescaped(target)


def _address(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
