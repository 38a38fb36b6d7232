"""Reads Markdown into blocks, line by line and in linear time.

Only what splitting needs is told apart: headings, fenced code, tables, lists, paragraphs and page marks.
Anything unknown is a paragraph, so that no text is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kb.plain import plain_text

Kind = Literal["heading", "code", "table", "list", "paragraph", "page"]

_PAGE = re.compile(r"<!-- page (\d{1,6}) -->")
_ITEM = re.compile(r"[ \t]{0,8}(?:[-*+]|\d{1,9}[.)])[ \t]")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_HEADING_ID = re.compile(r"[ \t]*\{#[^{}\n]{0,200}\}[ \t]*$")
_HEADING_CHARACTERS = 160
_CODE_LINES = 30  # how far an item's code may run on without being indented


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block. `level` is the depth of a heading (1..6) or the number of a page."""

    kind: Kind
    text: str
    level: int = 0


def read_blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown text in order."""
    lines = markdown.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        block, at = _read_block(lines, at)
        yield block


def _read_block(lines: list[str], at: int) -> tuple[Block, int]:
    line = lines[at]
    if page := _PAGE.fullmatch(line.strip()):
        return Block(kind="page", text="", level=int(page[1])), at + 1
    if heading := _heading(line):
        return heading, at + 1
    if _fence(line):
        return _read_code(lines, at)
    if _starts_table(lines, at):
        return _read_table(lines, at)
    if _ITEM.match(line):
        return _read_list(lines, at)
    return _read_paragraph(lines, at)


def _heading(line: str) -> Block | None:
    text = line.strip()
    level = len(text) - len(text.lstrip("#"))
    if not 1 <= level <= 6 or line.startswith("    ") or text[level : level + 1] not in (" ", "\t", ""):
        return None
    return Block(kind="heading", text=plain_heading(without_closing(text[level:])), level=level)


def without_closing(heading: str) -> str:
    """Return a heading without the marks that close it; those of a word, as in `C#`, stay."""
    text = heading.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else text


def plain_heading(text: str) -> str:
    """Return a heading's words without marks, links, tags and id, clipped to fit a context line."""
    words = plain_text(_HEADING_ID.sub("", text)).replace("*", "").strip()
    return words if len(words) <= _HEADING_CHARACTERS else words[: _HEADING_CHARACTERS - 1] + "…"


def _fence(line: str) -> str:
    """Return the fence that opens on this line (three or more ` or ~), or an empty string."""
    text = line.lstrip()
    for mark in ("`", "~"):
        length = len(text) - len(text.lstrip(mark))
        if length >= 3 and not (mark == "`" and mark in text[length:]):  # ```words``` is code within a line
            return mark * length
    return ""


def _read_code(lines: list[str], at: int) -> tuple[Block, int]:
    fence = _fence(lines[at])
    end = at + 1
    while end < len(lines) and not _closes(lines[end], fence):
        end += 1
    body = "\n".join(lines[at + 1 : end])
    return Block(kind="code", text=f"{lines[at].strip()}\n{body}\n{fence}"), end + 1


def _closes(line: str, fence: str) -> bool:
    text = line.strip()
    return len(text) >= len(fence) and not text.strip(fence[0])


def _starts_table(lines: list[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and _is_delimiter(lines[at + 1])


def _is_delimiter(line: str) -> bool:
    return "-" in line and "|" in line and _DELIMITER.fullmatch(line) is not None


def _read_table(lines: list[str], at: int) -> tuple[Block, int]:
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return Block(kind="table", text="\n".join(line.strip() for line in lines[at:end])), end


def _read_list(lines: list[str], at: int) -> tuple[Block, int]:
    """Read items and what belongs to them: a blank line ends the list unless an item or indent follows."""
    opened = _fence(_ITEM.sub("", lines[at], count=1))
    end = _end_of_code(lines, at + 1, opened) if opened else at + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            if end + 1 < len(lines) and (_ITEM.match(lines[end + 1]) or lines[end + 1].startswith("  ")):
                end += 1
                continue
            break
        if _heading(line) or _PAGE.fullmatch(line.strip()) or (_fence(line) and not line.startswith("  ")):
            break
        opened = _fence(_ITEM.sub("", line, count=1))
        end = _end_of_code(lines, end + 1, opened) if opened else end + 1
    return Block(kind="list", text="\n".join(lines[at:end]).rstrip()), end


def _end_of_code(lines: list[str], at: int, fence: str) -> int:
    """Return where the code of an item ends whose first line stands at `at`: a heading in it is code.

    A fence that is never closed ends with its item, at the first line that is not indented; the closing
    one may still follow closely, because many writers do not indent such code.
    """
    outside = 0
    for end in range(at, len(lines)):
        if lines[end].lstrip().startswith(fence) and _closes(lines[end], fence):
            return end + 1
        if outside and end > outside + _CODE_LINES:
            break
        outside = outside or (end if lines[end][:1].strip() else 0)
    return outside or len(lines)


def _read_paragraph(lines: list[str], at: int) -> tuple[Block, int]:
    end = at + 1
    while end < len(lines) and not _interrupts(lines, end):
        if level := _underline(lines[end]):
            text = plain_heading(" ".join(line.strip() for line in lines[at:end]))
            return Block(kind="heading", text=text, level=level), end + 1
        end += 1
    return Block(kind="paragraph", text="\n".join(lines[at:end]).strip()), end


def _interrupts(lines: list[str], at: int) -> bool:
    line = lines[at]
    return (
        not line.strip()
        or _heading(line) is not None
        or bool(_fence(line))
        or _PAGE.fullmatch(line.strip()) is not None
        or _starts_table(lines, at)
        or _ITEM.match(line) is not None
    )


def _underline(line: str) -> int:
    text = line.strip()
    if len(text) >= 3 and not text.strip("="):
        return 1
    return 2 if len(text) >= 3 and not text.strip("-") else 0


def list_items(text: str) -> list[str]:
    """Split a list block into its outermost items, each with what is nested in it."""
    items: list[list[str]] = []
    indent = len(text) - len(text.lstrip())
    for line in text.splitlines():
        starts = _ITEM.match(line) and len(line) - len(line.lstrip()) <= indent
        if starts or not items:
            items.append([line])
        else:
            items[-1].append(line)
    return ["\n".join(item).rstrip() for item in items]


def item_segments(item: str) -> Iterator[tuple[bool, list[str]]]:
    """Cut a list item into runs of lines, each with whether it is a whole code fence."""
    lines = item.splitlines()
    words: list[str] = []
    at = 0
    while at < len(lines):
        fence = _fence(_ITEM.sub("", lines[at], count=1))
        end = _end_of_code(lines, at + 1, fence) if fence else 0
        if end - 1 > at and _closes(lines[end - 1], fence):
            if words:
                yield False, words
            yield True, lines[at:end]
            words, at = [], end
        else:
            words.append(lines[at])
            at += 1
    if words:
        yield False, words
