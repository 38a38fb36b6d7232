"""Drops what a reader of rendered Markdown does not see: comments, hidden elements, embedded data.

Code keeps everything. Each search goes forward only, so the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?![^\n]*`)|~{3,})")
_TICKS = re.compile(r"(`{1,8}+)(?!`)[^`\n]{1,2000}\1(?!`)")
_DATA_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\(\s*<?data:[^)\n!]*\)")
_DATA_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:\s*<?data:[^\n]*$", re.MULTILINE)
_DATA_URI = re.compile(r"data:[\w.+-]{1,60}/[\w.+-]{1,60}(?:;[\w=.+-]{1,60}){0,5},[A-Za-z0-9+/=_%-]{40,}")
_IMAGE_TAG = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
_OPENING = re.compile(r"<([A-Za-z][A-Za-z0-9-]{0,30})\b([^<>]{0,4000})>")
_UNCLOSED_LIMIT = 50  # each search for a closing tag may read the whole text
_UNSEEN_TAGS = frozenset(("script", "style", "template", "noscript", "iframe", "object", "svg", "head"))
_VOID_TAGS = frozenset(("br", "hr", "img", "input", "meta", "link", "source", "wbr", "col"))
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0*(?:\.\d+|[01](?:\.\d*)?)(?![\d.])(?!\s*r?em)"
    r"|opacity\s*:\s*0*(?:\.0\d*|0(?:\.0*)?)(?![\d.])",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|[;\"'\s])(color|background(?:-color)?)\s*:\s*([^;\"'!]{1,40})", re.IGNORECASE)
_HIDDEN_ATTRIBUTE = re.compile(r"(?:^|\s)hidden(?:\s|=|/|$)|aria-hidden\s*=\s*[\"']?true", re.IGNORECASE)


def without_hidden(markdown: str) -> str:
    """Return the Markdown without comments, hidden HTML elements, images' data and `<img>` tags."""
    if "<" not in markdown and "data:" not in markdown:
        return markdown
    parts: list[str] = []
    at = 0
    masked = mask_code(markdown)
    for start, end in _unseen_spans(masked):
        if start >= at:
            parts.append(markdown[at:start])
        at = max(at, end)
    text = "".join([*parts, markdown[at:]])
    return _without_data(text) if "data:" in text else text


def is_hidden_style(style: str) -> bool:
    """Tell whether an inline style makes its element invisible."""
    if _HIDDEN_STYLE.search(style):
        return True
    colours = {name.lower()[:10]: value.strip().lower() for name, value in _COLOUR.findall(style)}
    return "color" in colours and colours["color"] == colours.get("background")


def mask_code(markdown: str) -> str:
    """Return a text of the same length in which code holds no markup."""
    if "`" not in markdown and "~~~" not in markdown:
        return markdown
    masked = "\n".join("x" * len(line) if inside else line for line, inside in code_lines(markdown))
    return _TICKS.sub(lambda found: "x" * len(found[0]), masked) if "`" in masked else masked


def code_lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield each line and whether it belongs to a code fence, the fence's own lines included."""
    fence = ""
    for line in markdown.split("\n"):
        opening = _FENCE.match(line)
        if fence:
            yield line, True
            if opening and opening[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        else:
            fence = opening[1] if opening else ""
            yield line, bool(fence)


def _unseen_spans(text: str) -> list[tuple[int, int]]:
    spans = [*_comments(text), *(found.span() for found in _IMAGE_TAG.finditer(text)), *_elements(text)]
    return sorted(spans)


def _comments(text: str) -> list[tuple[int, int]]:
    """Find comments; one that is never closed hides the rest where it begins a line, as in CommonMark."""
    spans: list[tuple[int, int]] = []
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        if end < 0:
            start = re.compile(r"^ {0,3}<!--", re.MULTILINE).search(text, at)
            return [*spans, (start.start(), len(text))] if start else spans
        spans.append((at, end + 3))
        at = text.find("<!--", end + 3)
    return spans


def _elements(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    unclosed = at = 0
    while opening := _OPENING.search(text, at):
        at = opening.end()
        tag, attributes = opening[1].lower(), opening[2]
        if tag not in _VOID_TAGS and not attributes.endswith("/") and _is_hidden(tag, attributes):
            end = _closing(text, tag, at) if unclosed < _UNCLOSED_LIMIT else -1
            unclosed += end < 0
            at = end if end >= 0 else _end_of_paragraph(text, at)
            spans.append((opening.start(), at))
    return spans


def _is_hidden(tag: str, attributes: str) -> bool:
    if tag in _UNSEEN_TAGS:
        return True
    if not attributes:
        return False
    return bool(_HIDDEN_ATTRIBUTE.search(attributes)) or (
        "style" in attributes.lower() and is_hidden_style(attributes)
    )


def _closing(text: str, tag: str, at: int) -> int:
    """Return where an element ends, or -1 when it is never closed."""
    depth = 1
    for found in re.compile(rf"<(/?){tag}\b[^<>]{{0,4000}}>", re.IGNORECASE).finditer(text, at):
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return -1


def _end_of_paragraph(text: str, at: int) -> int:
    blank = text.find("\n\n", at)
    return blank if blank >= 0 else len(text)


def _without_data(text: str) -> str:
    text = _DATA_IMAGE.sub(r"\1", text)
    text = _DATA_REFERENCE.sub("", text)
    return _DATA_URI.sub("", text)
