"""Turns messages into one Markdown document. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from kb.connectors.history_channel import Message

_TITLE_CHARACTERS = 80
_TELLING_CHARACTERS = 20
_INLINE_CODE = re.compile(r"(`[^`\n]+`)")
_LANGUAGE = re.compile(r"([A-Za-z0-9_+#.-]{1,20})\n")
# What would be read as HTML, or as a comment that a reader does not see.
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_HEADING_START = re.compile(r"^( {0,3})(#{1,6}(?:[ \t]|$))", re.MULTILINE)
_UNDERLINE = re.compile(r"^([ \t]*)(={3,}|-{3,})([ \t]*)$", re.MULTILINE)
_TILDE_FENCE = re.compile(r"^([ \t]*)(~{3,})", re.MULTILINE)
# A person, a role or a channel may be notified where the text is shown; a mail address or a package not.
_NOTIFYING = re.compile(r"(?<![\w`@/.-])@(everyone|here|channel)\b(?![/@\w-])", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(r"[*`~]|(?<!\w)_+|_+(?!\w)|^\s*(?:(?:[>#+-]|\d{1,9}\.)\s+){1,9}|\\(?=[<#*_\-=~`])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u2028\u2029]")


def document(messages: Sequence[Message], title: str = "") -> str:
    """Return a Markdown document of messages, oldest first; its title is what the first of them say."""
    parts = [f"# {tidy(title) or _title(messages)}"]
    for message in messages:
        when = datetime.fromtimestamp(message.at, UTC)
        parts.append(f"**{tidy(message.author)}** ({when:%Y-%m-%d %H:%M}):\n{message.text}")
    return "\n\n".join(parts) + "\n"


def markdown(text: str, *, prose: Callable[[str], str], code: Callable[[str], str], languages: bool) -> str:
    """Turn a message's text into Markdown that holds no headings, no HTML and no open code.

    `prose` and `code` turn what stands outside and inside of code; `languages` says that the first line of a
    code block may name its language.
    """
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    pieces = text.split("```")
    if len(pieces) % 2 == 0:
        # The last fence is never closed: chat programs show it as it is.
        pieces[-2:] = ["\\`\\`\\`".join(pieces[-2:])]
    shown = [
        _code_block(code(piece), languages=languages) if number % 2 else _prose(piece, prose, code)
        for number, piece in enumerate(pieces)
    ]
    return re.sub(r"\n{3,}", "\n\n", "".join(shown)).strip()


def tidy(text: str) -> str:
    """Return a name or title in one line, without what Markdown or a chat would act on."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return _NOTIFYING.sub(r"\1", _TAG_START.sub(r"\\<", flat)).replace("*", "").strip("# ")


def _prose(text: str, prose: Callable[[str], str], code: Callable[[str], str]) -> str:
    pieces = _INLINE_CODE.split(text)
    shown = [code(piece) if number % 2 else tame(prose(piece)) for number, piece in enumerate(pieces)]
    joined = "".join(shown)
    joined = _HEADING_START.sub(r"\1\\\2", joined)
    joined = _UNDERLINE.sub(r"\1\\\2\3", joined)
    return _TILDE_FENCE.sub(r"\1\\\2", joined)


def tame(text: str) -> str:
    """Return a text in which nothing is HTML and nobody is notified."""
    return _NOTIFYING.sub(r"\1", _TAG_START.sub(r"\\<", text))


def _code_block(text: str, *, languages: bool) -> str:
    found = _LANGUAGE.match(text) if languages else None
    language, body = (found[1], text[found.end() :]) if found else ("", text)
    body = body.strip("\n")
    return f"\n```{language}\n{body}\n```\n" if body.strip() else ""


def _title(messages: Sequence[Message]) -> str:
    lines = [line for message in messages if (line := _first_words(message.text))]
    telling = (line for line in lines if len(line) >= _TELLING_CHARACTERS)
    return next(telling, lines[0] if lines else "Messages")


def _first_words(text: str) -> str:
    """Return the first line of prose without its marks, cut between words."""
    for line in text.split("\n"):
        words = tidy(_MARKS.sub("", _LINK.sub(r"\1", line)))
        if words and not line.startswith("```"):
            return words if len(words) <= _TITLE_CHARACTERS else _cut(words)
    return ""


def _cut(words: str) -> str:
    return words[:_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
