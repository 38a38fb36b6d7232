"""Turns a document's Markdown into pieces that fit the embedding model's window.

A piece stays within one section where it can. Paragraphs, tables, lists and code fences stay whole where
they fit; where they do not, a table is cut between rows and repeats its header, code is cut between lines
and is fenced again, a list between items, a paragraph between sentences. The title and the heading path
are counted against the limit because they are embedded in front of the text (`kb.nodes.index_text`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from textwrap import dedent

from kb.blocks import Block, item_segments, list_items, read_blocks
from kb.nodes import Piece, index_text
from kb.plain import plain_text

Count = Callable[[str], int]

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_WORD = re.compile(r"\S{1,24}\s*")
_CONTEXT_SHARE = 3  # the context takes at most a third of the window
_CHARACTERS_A_TOKEN = 8  # WordPiece gives one token for a word of 100 characters and more
_MARKS_A_TOKEN = 32  # characters with the marks that plain text is without, such as link targets


@dataclass(slots=True)
class _Section:
    """A run of blocks under one heading path."""

    heading: tuple[str, ...]
    page: int | None
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """Text that is not cut any further, with its size in tokens."""

    text: str
    size: int
    glue: str = "\n\n"  # what stands between it and the part before it
    leads: bool = False  # introduces what follows ("The steps are:")
    page: int | None = None


def split_markdown(markdown: str, *, title: str, count: Count, limit: int = 240) -> list[Piece]:
    """Split a document into pieces of at most `limit` tokens, title and heading path included.

    `count` gives a text's tokens in the embedding model's terms.
    """
    splitter = _Splitter(count, limit, title)
    pieces = [piece for section in _sections(markdown, title) for piece in splitter.pieces(section)]
    return pieces or list(splitter.pieces(_only_headings(markdown)))


def _capped(count: Count) -> Count:
    def capped(text: str) -> int:
        words = plain_text(text)
        return max(count(words), len(words) // _CHARACTERS_A_TOKEN, len(text) // _MARKS_A_TOKEN)

    return capped


def _sections(markdown: str, title: str) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    page: int | None = None
    section = _Section((), None)
    for block in read_blocks(markdown):
        if block.kind == "heading":
            yield section
            outer = [(level, text) for level, text in path if level < block.level]
            path = [*outer, (block.level, block.text)]
            section = _Section(_without_title(path, title), page)
        else:
            page = block.level if block.kind == "page" else page
            section.blocks.append(block)
    yield section


def _only_headings(markdown: str) -> _Section:
    """Return the headings as text: an outline without a body is still worth finding."""
    headings = [block.text for block in read_blocks(markdown) if block.kind == "heading"]
    return _Section((), None, [Block(kind="paragraph", text=text) for text in headings if text])


def _without_title(path: list[tuple[int, str]], title: str) -> tuple[str, ...]:
    headings = tuple(text for _, text in path if text)
    return headings[1:] if headings and headings[0] == title else headings


class _Splitter:
    """Packs the parts of one section into pieces."""

    def __init__(self, count: Count, limit: int, title: str) -> None:
        self._pieces_of = count
        self._count = _capped(count)
        self._limit = limit
        self._title = title

    def pieces(self, section: _Section) -> Iterator[Piece]:
        heading = self._fitting(section.heading)
        room = self._limit - self._count(index_text(self._title, heading, ""))
        parts = self._parts(section, room)
        for packed in _pack(parts, room):
            text = _joined(packed)
            if text:
                yield Piece(text=text, heading=heading, page=packed[0].page)

    def _fitting(self, heading: tuple[str, ...]) -> tuple[str, ...]:
        """Drop outer headings until the context leaves room for text; the innermost says most."""
        while len(heading) > 1 and self._context(heading) > self._limit // _CONTEXT_SHARE:
            heading = heading[1:]
        return heading

    def _context(self, heading: tuple[str, ...]) -> int:
        return self._count(index_text(self._title, heading, ""))

    def _parts(self, section: _Section, room: int) -> Iterator[_Part]:
        page = section.page
        for block in section.blocks:
            if block.kind == "page":
                page = block.level
                continue
            for part in self._cut(block, room):
                part.page = page
                yield part

    def _cut(self, block: Block, room: int) -> Iterator[_Part]:
        size = self._count(block.text)
        if size <= room:
            leads = block.kind == "paragraph" and block.text.endswith(":")
            yield _Part(block.text, size, leads=leads)
        elif block.kind == "table":
            yield from self._cut_table(block.text, room)
        elif block.kind == "code":
            yield from self._cut_code(block.text, room)
        elif block.kind == "list":
            yield from self._cut_list(block.text, room)
        else:
            yield from self._cut_prose(block.text, room)

    def _cut_table(self, text: str, room: int) -> Iterator[_Part]:
        lines = text.splitlines()
        header = "\n".join(lines[:2])
        space = room - self._count(header)
        if space < room // 4:  # a header that fills the window cannot be repeated
            yield from self._cut_lines(lines, room)
            return
        for rows in self._groups(lines[2:], space):
            body = f"{header}\n" + "\n".join(rows)
            yield _Part(body, self._count(body))

    def _cut_code(self, text: str, room: int) -> Iterator[_Part]:
        opening, *body, closing = text.splitlines()
        space = room - self._count(f"{opening}\n{closing}") - 2
        if space < room // 4:
            yield from self._cut_lines([opening, *body], room)
            return
        for lines in self._groups(body, space, prefer_blank=True):
            code = "\n".join(lines).strip("\n")
            if code:
                fenced = f"{opening}\n{code}\n{closing}"
                yield _Part(fenced, self._count(fenced))

    def _cut_list(self, text: str, room: int) -> Iterator[_Part]:
        for item in list_items(text):
            size = self._count(item)
            if size <= room:
                yield _Part(item, size, glue="\n")
            else:
                yield from self._cut_item(item, room)

    def _cut_item(self, item: str, room: int) -> Iterator[_Part]:
        """Cut a long item between its lines; the code in it stays whole or is fenced again."""
        for code, lines in item_segments(item):
            text = "\n".join(lines)
            if not code:
                yield from self._cut_lines(lines, room)
            elif (size := self._count(text)) <= room:
                yield _Part(text, size, glue="\n")
            else:
                yield from self._cut_code(dedent(text), room)

    def _cut_lines(self, lines: list[str], room: int) -> Iterator[_Part]:
        for line in lines:
            glue = "\n"
            for short, size in self._short_enough(line, room):
                yield _Part(short, size, glue=glue)
                glue = " "

    def _cut_prose(self, text: str, room: int) -> Iterator[_Part]:
        glue = "\n\n"
        for sentence in _SENTENCE_END.split(text):
            for short, size in self._short_enough(sentence, room):
                yield _Part(short, size, glue=glue)
                glue = " "

    def _groups(self, lines: list[str], room: int, *, prefer_blank: bool = False) -> Iterator[list[str]]:
        """Gather lines into groups of at most `room` tokens; code may end early, at a blank line."""
        group: list[tuple[str, int]] = []
        size = 0
        for line, cost in (short for long in lines for short in self._short_enough(long, room - 1)):
            if group and size + cost + 1 > room:
                end = _last_blank(group) if prefer_blank else len(group)
                yield [text for text, _ in group[:end]]
                group = group[end:]
                size = sum(kept + 1 for _, kept in group)
            group.append((line, cost))
            size += cost + 1
        if group:
            yield [text for text, _ in group]

    def _short_enough(self, text: str, room: int) -> Iterator[tuple[str, int]]:
        """Yield a text and its size, cut between words (where there are none, characters) until it fits."""
        size = self._count(text)
        if size <= room:
            yield text, size
            return
        start, size = 0, 0
        for at, word in _words(text):
            cost = max(self._pieces_of(word), len(word) // _CHARACTERS_A_TOKEN)
            if size + cost > room and at > start:
                yield text[start:at].strip(), size
                start, size = at, 0
            size += cost
        yield text[start:].strip(), size


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Yield words with where they start; longer ones, and scripts without spaces, in short runs."""
    for match in _WORD.finditer(text):
        yield match.start(), match[0]


def _last_blank(lines: list[tuple[str, int]]) -> int:
    """Return where a group may end: after its last blank line in the second half, or at its end."""
    for at in range(len(lines) - 1, len(lines) // 2, -1):
        if not lines[at][0].strip():
            return at + 1
    return len(lines)


def _pack(parts: Iterator[_Part], room: int) -> Iterator[list[_Part]]:
    """Fill pieces greedily; a line that introduces what follows moves over with it."""
    packed: list[_Part] = []
    size = 0
    for part in parts:
        if packed and size + part.size > room:
            lead = [packed.pop()] if len(packed) > 1 and packed[-1].leads else []
            if lead and lead[0].size + part.size > room:
                packed, lead = [*packed, *lead], []
            yield packed
            packed, size = lead, sum(kept.size for kept in lead)
        packed.append(part)
        size += part.size
    if packed:
        yield packed


def _joined(parts: list[_Part]) -> str:
    text = parts[0].text
    for part in parts[1:]:
        text += part.glue + part.text
    return text.strip()
