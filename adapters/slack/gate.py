"""The output gate of Slack: what leaves it holds no live mention and no link but those that code built.

It comes after `bot.output_gate`, which knows no platform. Slack turns every word with a dot into a link
(`README.md` becomes http://README.md) and reads `<…>` as a command, inside code too. So in prose such words
are shown as code, which Slack neither links nor hides, and which can be copied as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote, urlsplit

from bot.output_gate import CODE, ZERO_WIDTH, defang, defang_line, one_line, strip_unseen, without_escapes

LONGEST_ADDRESS = 1_800  # leaves room for what stands beside it in a text of 3,000

_FENCE = re.compile(r"(?s)([ \t]*)(?:`{3,}|~{3,})[ \t]*([^\n`]*)(?:\n(.*))?\Z")
_FENCE_END = re.compile(r"(?:\A|\n)[ \t]*(?:`{3,}|~{3,})[ \t]*\n?\Z")
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_RUN = re.compile(r"`{3,}|~{3,}")
_DEFINITION = re.compile(r"(?m)^([ \t>]*\[[^\]\n]*\])(?=:)")
_STRAY = re.compile("`+")
_COMMAND = re.compile(
    r"((?:<|&(?:lt|#0*60|#x0*3c);?)\s*)(?=[@!#]|(?:https?|ftp|mailto|tel|slack|javascript|vbscript|data):)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"<([^\W\d_][\w .:-]{0,60})>")
_WORD = re.compile(r"[^\s<>()\[\]{}\"'`|,;*“”«»„‘’\u200b]+(?:\[\.\][^\s<>()\[\]{}\"'`|,;*]+)*")
_LINKED = re.compile(
    r"[\w\]-]\.[^\W\d_]{2}|\w\[\.\]\w|://|[^\W_]@[^\W_]|\b(?:mailto|tel|xmpp):", re.IGNORECASE
)
_NEW_SENTENCE = re.compile(r"(?:^|[\s(])(?:[^\W_A-Z]+)\.[A-Z][a-z]+$")
_HALF_ENTITY = re.compile(r"&[a-z]*\Z")
_EDGES = "_~.:!?…"


def gate(text: str, *, allowed: Collection[str] = (), closed: bool = True) -> str:
    """Return text that is safe as Markdown for Slack: a markdown block, or a piece of a stream.

    `allowed` holds whole addresses that may stay links. A code block that is open at the end is closed,
    but not when `closed` is false: more of a stream follows.
    """
    clean = defang(without_escapes(strip_unseen(text)), allowed=allowed)
    parts: list[str] = []
    end = 0
    for code in CODE.finditer(clean):
        parts.append(_prose(clean[end : code.start()], allowed))
        whole = closed or code.end() < len(clean)
        parts.append(_fence(code.group(), whole) if code.group(1) else _inline(code.group()))
        end = code.end()
    parts.append(_prose(clean[end:], allowed))
    return _COMMAND.sub(rf"\1{ZERO_WIDTH}", "".join(parts))


def gate_line(text: str) -> str:
    """Return text that is safe as one line of Markdown."""
    return one_line(gate(one_line(text)))


def literal(text: str, limit: int = 3_000) -> str:
    """Return text that stands as it is in a mrkdwn object: one line, at most `limit` characters."""
    escaped = escape(shortened(defang_line(text), limit))
    return escaped if len(escaped) <= limit else cut_escaped(escaped, limit)


def cut_escaped(escaped: str, limit: int) -> str:
    """Return escaped text of at most `limit` characters, not cut inside of an entity."""
    return escaped if len(escaped) <= limit else _HALF_ENTITY.sub("", escaped[: limit - 1]) + "…"


def plain(text: str, limit: int = 3_000) -> str:
    """Return text for a plain_text object, which Slack neither formats nor links."""
    return shortened(defang_line(text), limit)


def escape(text: str) -> str:
    """Write the three characters that Slack reads as commands as what they stand for."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, cut at a word where one ends near."""
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - 1)]
    space = kept.rfind(" ")
    return (kept[:space] if space > limit * 0.7 else kept).rstrip() + "…"


def address(url: str) -> str:
    """Return a web address with nothing in it that could end a link early; empty when it is none."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        return ""
    whole = quote(url.strip(), safe="%/:=&?~#+!$,;'@()*[]-._")
    return whole if len(escape(whole)) <= LONGEST_ADDRESS else ""


def link(url: str, label: str, limit: int = 150) -> str:
    """Return a link for a mrkdwn object; the label alone when the address is none of the web."""
    target, name = address(url), literal(label, limit).replace("|", "¦")
    return f"<{escape(target)}|{name}>" if target and name else name


def own_link(url: str) -> str:
    """Return a web address as a link to itself; what is no web address as plain text."""
    target = address(url)
    label = shortened(strip_unseen(target.partition("://")[2]).rstrip("/"), 120).replace("|", "¦")
    return f"<{escape(target)}|{escape(label)}>" if target and label else literal(url, 200)


def _fence(block: str, closed: bool) -> str:
    """Write a code block with three backticks, whatever it was fenced with."""
    opened = _FENCE.match(block)
    if opened is None:
        return _prose(block, ())
    indent, info, content = opened[1], opened[2], opened[3] or ""
    tail = "\n" if block.endswith("\n") and closed else ""
    if ended := _FENCE_END.search(content):
        content, closed = content[: ended.start()], True
    language = _LANGUAGE.match(info.strip())
    body = _RUN.sub(lambda run: "'" * len(run[0]), content)
    end = f"\n{indent}```{tail}" if closed else ""
    return f"{indent}```{language[0] if language else ''}\n{body.rstrip() if closed else body}{end}"


def _inline(span: str) -> str:
    """Write a code span with one backtick, so that no reader disagrees where it ends."""
    content = _STRAY.sub("'", span.strip("`"))
    return f"`{content}`" if content.strip() else content


def _prose(text: str, allowed: Collection[str]) -> str:
    if not text:
        return text
    text = _DEFINITION.sub(rf"\1{ZERO_WIDTH}", _STRAY.sub("'", text))
    text = text.replace("](", "] (")  # the label of a link may have been code, which came before
    text = _PLACEHOLDER.sub(r"`\g<0>`", text)
    parts = text.split("`")  # what is between two backticks is now a placeholder alone
    parts[::2] = [_WORD.sub(lambda word: _word(word[0], allowed), part) for part in parts[::2]]
    return "`".join(parts)


def _word(word: str, allowed: Collection[str]) -> str:
    """Show a word that Slack would turn into a link as code."""
    if not _LINKED.search(word):
        return word
    if _NEW_SENTENCE.search(word):
        return word.replace(".", f".{ZERO_WIDTH}")
    core = word.strip(_EDGES)
    if core in allowed or word in allowed:
        return word
    start = word.find(core)
    return f"{word[:start]}`{core}`{word[start + len(core) :]}"
