"""Reads MDX, Markdown with components of JSX, as its page shows it.

Imports, exports, comments and the tags of components go; a component's title stays in bold, a note is
introduced by its name, and what stands indented inside a component is no code, for MDX has no indented code.
Code fences and code spans keep everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kb.parsing.hidden import code_lines, mask_code

_LONGEST_INDENT = 200
_LONGEST_MODULE = 200  # lines; more are no import, but a bracket that is never closed
_MODULE = re.compile(
    r"import\s[^\n]{0,500}[\"'][^\"'\n]{1,500}[\"'];?\s*|import\s*(?:\w{1,60}\s*,\s*)?\{[^}]{0,500}"
    r"|export\s+(?:default|const|let|var|function|async|class)\b.*|export\s*[{*].*"
)
_SPACING = re.compile(r"\{\s?[\"'][ ]*[\"']\s?\}")
_VALUE = r"(?:\"[^\"<>]{0,500}\"|'[^'<>]{0,500}'|\{(?:[^{}]|\{[^{}]{0,500}\}){0,1000}\})"
_TAG = re.compile(
    r"<(?P<closing>/?)(?P<name>[A-Z][\w.]{0,60})"
    rf"(?P<attributes>(?:\s+[\w:-]{{1,60}}(?:={_VALUE})?){{0,30}})\s*(?P<empty>/?)>"
)
_TITLE = re.compile(rf"\s(?:title|label|header|heading|summary)=({_VALUE})")
# What a component that holds text is about: a field of an API, or the method of a route.
_SUBJECT = re.compile(rf"\s(?:name|path|query|body|param|method)=({_VALUE})")
_NOTES = frozenset(("Note", "Tip", "Info", "Warning", "Caution", "Danger", "Important", "Check", "Callout"))
_SPACE = re.compile(r"\s{1,100}")
_BLOCK = re.compile(r"\s*(?:[-*+>|#]|\d{1,9}[.)]\s|`{3}|~{3}|<|\Z)")


def to_markdown(text: str) -> str:
    """Return the Markdown that a page of MDX shows."""
    text = _replaced(_SPACING, _without_comments(_without_modules(text)), lambda _text, _found: (" ", 0))
    return _replaced(_TAG, _dedented(text), _shown)


def _without_comments(text: str) -> str:
    kept: list[str] = []
    masked = mask_code(text) if "{/*" in text else text
    at = 0
    while (start := masked.find("{/*", at)) >= 0 and (end := masked.find("*/}", start)) >= 0:
        kept.append(text[at:start])
        at = end + len("*/}")
    return "".join([*kept, text[at:]])


def _without_modules(text: str) -> str:
    kept: list[str] = []
    lines = list(code_lines(text))
    at = 0
    while at < len(lines):
        line, in_code = lines[at]
        starts = not in_code and (not kept or not kept[-1].strip())
        if starts and _MODULE.fullmatch(line):
            at = _end_of_module([line for line, _ in lines[at : at + _LONGEST_MODULE]]) + at
        else:
            kept.append(line)
            at += 1
    return "\n".join(kept)


def _end_of_module(lines: list[str]) -> int:
    """Return how many lines an import or export has: to a blank line outside its brackets."""
    depth = 0
    blank = 0
    for number, line in enumerate(lines):
        if not line.strip():
            blank = blank or number
            if depth <= 0:
                return number
        depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
    return blank or len(lines)


class _Component(NamedTuple):
    """An open component: where its tag stands, where its text, and how far left its tag was moved."""

    tag_at: int
    moved: int
    text_at: int | None = None

    @property
    def shift(self) -> int:
        """How far left the text goes."""
        return self.moved + max(0, (self.text_at or 0) - self.tag_at)


def _dedented(text: str) -> str:
    """Return the lines in components as far to the left as the component's own tag."""
    tags = _tags_of_lines(text)
    inside: list[_Component] = []
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        indent = len(line) - len(line.lstrip(" "))
        opened, closed, first = tags.get(number, (0, 0, False))
        if first:  # the line begins with a closing tag
            del inside[max(0, len(inside) - closed) :]
            closed = 0
        if inside and inside[-1].text_at is None and line.strip():
            inside[-1] = inside[-1]._replace(text_at=indent)
        shift = inside[-1].shift if inside else 0
        lines.append(line[min(indent, shift) :])
        del inside[max(0, len(inside) - closed) :]
        inside += [_Component(tag_at=indent, moved=shift)] * opened
    return "\n".join(lines)


def _tags_of_lines(text: str) -> dict[int, tuple[int, int, bool]]:
    """Return for lines with tags how many components they open and close, and whether a closing is first.

    A component that ends in the line that opens it is not counted. A tag counts for its last line.
    """
    tags: dict[int, tuple[int, int, bool]] = {}
    masked = mask_code(text)
    number = at = 0
    for found in _TAG.finditer(masked):
        number += masked.count("\n", at, found.end())
        at = found.end()
        if found["empty"]:
            continue
        opened, closed, first = tags.get(number, (0, 0, False))
        if not found["closing"]:
            opened += 1
        elif opened:
            opened -= 1
        else:
            first = first or not _line_before(masked, found.start()).strip()
            closed += 1
        tags[number] = (opened, closed, first)
    return tags


def _replaced(
    pattern: re.Pattern[str], text: str, function: Callable[[str, re.Match[str]], tuple[str, int]]
) -> str:
    """Replace what is found outside code; the function also says how many characters behind it go."""
    return "".join(_parts(pattern, text, function))


def _parts(
    pattern: re.Pattern[str], text: str, function: Callable[[str, re.Match[str]], tuple[str, int]]
) -> Iterator[str]:
    at = 0
    for found in pattern.finditer(mask_code(text)):
        shown, more = function(text, found)
        yield text[at : found.start()]
        yield shown
        at = found.end() + more
    yield text[at:]


def _shown(text: str, found: re.Match[str]) -> tuple[str, int]:
    """Return what a tag shows, and how much of the space behind it goes."""
    indent = _line_before(text, found.start())
    attributes = text[found.start("attributes") : found.end("attributes")]
    title = _value(_TITLE.search(attributes)) or _value(
        None if found["empty"] else _SUBJECT.search(attributes)
    )
    note = found["name"] in _NOTES and not found["empty"]
    if found["closing"] or not (title or note):
        return "", 0
    if indent.strip():  # within a line
        return (title, 0) if found["empty"] else ("", 0)
    before = "" if _after_blank(text, found.start() - len(indent)) else f"\n{indent}"
    if not note:
        return f"{before}**{title}**\n\n{indent}", 0
    name = f"{before}**{title or found['name']}:**"
    if _BLOCK.match(text, found.end()):
        return f"{name}\n\n{indent}", 0
    space = _SPACE.match(text, found.end())
    return f"{name} ", space.end() - found.end() if space else 0


def _line_before(text: str, at: int) -> str:
    """Return what stands before a place in its line, of a long line its end."""
    return text[max(0, at - _LONGEST_INDENT) : at].rpartition("\n")[2]


def _after_blank(text: str, start: int) -> bool:
    return start == 0 or not _line_before(text, start - 1).strip()


def _value(found: re.Match[str] | None) -> str:
    """Return an attribute's words; nothing where a program computes them."""
    value = found[1] if found else ""
    words = value.strip("{}").strip("\"'`")
    computed = value.startswith("{") and not set("{(<").isdisjoint(words)
    return "" if computed else " ".join(words.split())
