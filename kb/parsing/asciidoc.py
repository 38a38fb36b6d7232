"""AsciiDoc becomes Markdown line by line: sections, code, tables, lists, notes and links.

What has no words of its own goes: attributes, comments, includes, anchors and page breaks. Anything
unknown stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.parsing.asciidoc_tables import table_rows
from kb.parsing.markdown import first_title
from kb.parsing.parsed import Parsed
from kb.parsing.source_code import fenced
from kb.parsing.tables import render_table
from kb.parsing.text import clean_text

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_ATTRIBUTE = re.compile(r":!?([A-Za-z0-9_][\w-]{0,60})!?:(?:[ \t]+(.*))?")
_NAME = re.compile(r"\{([A-Za-z0-9_][\w-]{0,60})\}")
_SILENT = re.compile(r"(?:include|image|video|audio|toc|ifdef|ifndef|ifeval|endif)::.*|<<<|'''|//(?!/).*|\+")
_STYLE = re.compile(r"\[[^\[\]]*\]|\[\[[^\[\]]*\]\]")
_BLOCK_TITLE = re.compile(r"\.([^\s.].*)")
_CODE = re.compile(r"-{4,}|\.{4,}|`{3,}[\w+-]*")
_UNREAD = re.compile(r"/{4,}|\+{4,}")
_BOX = re.compile(r"={4,}|\*{4,}|_{4,}|--")
_TABLE = re.compile(r"[|,:!]={3,}")
_NOTE = re.compile(r"(NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+")
_ITEM = re.compile(r"[ \t]*(\*{1,5}|\.{1,5}|-|<\.>|<\d{1,2}>|\d{1,3}\.)[ \t]+(\S.*)")
_TERM = re.compile(r"[ \t]*(\S[^\n]{0,200}?):{2,4}(?:[ \t]+(.*))?")
_UNDERLINES = "=-~^+"  # of the document's title, then of deeper and deeper sections
_HEADER_LINES = 40
_NOTES = ("NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION")

_LINK = re.compile(r"(?:link:)?((?:https?://|mailto:)[^\s\[\]<>]{1,1000})\[([^\[\]\n]{0,500})\]")
_OTHER_LINK = re.compile(r"(?:link|xref):([^\s\[\]]{1,500})\[([^\[\]\n]{0,500})\]")
_REFERENCE = re.compile(r"<<([^<>,\n]{1,200})(?:,[ \t]*([^<>\n]{1,300}))?>>")
_FOOTNOTE = re.compile(r"footnote:[\w-]{0,60}\[([^\[\]\n]{1,2000})\]")
_KEYS = re.compile(r"(?:kbd|btn):\[([^\[\]\n]{1,100})\]")
_MENU = re.compile(r"menu:([^\[\]\s]{1,100})\[([^\[\]\n]{0,200})\]")
_IMAGE = re.compile(r"image:[^:\s\[\]][^\s\[\]]{0,500}\[[^\[\]\n]{0,300}\]")
_BOLD = re.compile(r"(?<![\w*\\])\*([^\s*][^*\n]{0,300}?)(?<!\s)\*(?![\w*])")
_PLUS = re.compile(r"`\+([^`\n]{1,300}?)\+`")


def read_asciidoc(text: str) -> Parsed:
    """Read an AsciiDoc document."""
    reader = _Reader(clean_text(text).split("\n"))
    markdown = re.sub(r"\n{3,}", "\n\n", "\n".join(reader.blocks())).strip()
    return Parsed(markdown=markdown, title=first_title(markdown))


class _Reader:
    """Goes over the lines once, with the document's attributes and what was said of the next block."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._attributes: dict[str, str] = {}
        self._style = ""
        self._numbers: dict[int, int] = {}  # how far the numbered list of each depth has come

    def blocks(self) -> Iterator[str]:
        """Yield lines of Markdown."""
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            yield from self._line(line)

    def _line(self, line: str) -> Iterator[str]:
        if self._takes_attribute(line):
            yield from ()
        elif _CODE.fullmatch(line) or _UNREAD.fullmatch(line):
            body = "\n".join(self._until(_closing(line))).strip("\n")
            yield from ("", fenced(body, self._language(line)) if _CODE.fullmatch(line) else "", "")
        elif _TABLE.fullmatch(line):
            rows = [
                [self._inline(cell) for cell in row] for row in table_rows(self._until(line), self._style)
            ]
            yield from ("", render_table(rows), "")
        elif _STYLE.fullmatch(line):
            self._style = line
            yield from self._label(line)
            return
        elif _BOX.fullmatch(line) or _SILENT.fullmatch(line):
            yield ""
        else:
            yield from self._words(line)
        self._style = self._style if _BLOCK_TITLE.fullmatch(line) else ""

    def _words(self, line: str) -> Iterator[str]:
        if heading := _HEADING.fullmatch(line):
            self._numbers.clear()
            yield from ("", "#" * len(heading[1]) + " " + self._inline(heading[2]), "")
            self._skip_header(heading[1])
        elif (item := _ITEM.fullmatch(line)) and not _BLOCK_TITLE.fullmatch(line):
            yield self._mark(item[1]) + self._inline(item[2])
        elif title := _BLOCK_TITLE.fullmatch(line):
            self._numbers.clear()
            yield from ("", f"**{self._inline(title[1])}**", "")
        elif note := _NOTE.match(line):
            yield f"**{note[1].capitalize()}:** {self._inline(line[note.end() :])}"
        elif (term := _TERM.fullmatch(line)) and "://" not in term[1]:
            yield f"- **{self._inline(term[1])}**: {self._inline(term[2] or '')}".rstrip()
        elif (level := self._underlined(line)) is not None:
            self._at += 1
            yield from self._words(f"{'=' * (level + 1)} {line}")
        else:
            if self._begins():
                self._numbers.clear()
            yield self._inline(line)

    def _begins(self) -> bool:
        """Tell whether the line that was just read begins a paragraph."""
        return self._at < 2 or not self._lines[self._at - 2].strip()

    def _underlined(self, line: str) -> int | None:
        """Return the level of a section whose title is underlined, in the older form."""
        below = self._lines[self._at].rstrip() if self._at < len(self._lines) else ""
        alike = len(below) > 3 and abs(len(below) - len(line)) < 2 and not below.strip(below[0])
        return _UNDERLINES.find(below[0]) if alike and below[0] in _UNDERLINES and self._begins() else None

    def _mark(self, mark: str) -> str:
        """Return the mark of a list item in Markdown, with its depth and number."""
        depth = len(mark) - 1 if mark[0] in "*." else 0
        self._numbers = {level: number for level, number in self._numbers.items() if level <= depth}
        if mark[0] in "*-":
            return "  " * depth + "- "
        named = mark.strip("<>.")
        self._numbers[depth] = int(named) if named else self._numbers.get(depth, 0) + 1
        return "   " * depth + f"{self._numbers[depth]}. "

    def _skip_header(self, mark: str) -> None:
        """Pass over the author and the revision, which stand below the document's title."""
        if len(mark) > 1 or self._at > _HEADER_LINES:
            return
        while self._at < len(self._lines) and self._lines[self._at].strip():
            self._takes_attribute(self._lines[self._at].rstrip())
            self._at += 1

    def _takes_attribute(self, line: str) -> bool:
        """Keep the attribute of the document that a line sets; tell whether it sets one."""
        found = _ATTRIBUTE.fullmatch(line)
        if found:
            self._attributes[found[1].lower()] = (found[2] or "").strip()
        return found is not None

    def _until(self, closing: str) -> list[str]:
        start = self._at
        lines = self._lines
        while self._at < len(lines) and lines[self._at].rstrip() != closing:
            self._at += 1
        self._at += 1
        return lines[start : self._at - 1]

    def _label(self, style: str) -> Iterator[str]:
        name = style.strip("[]")
        if name in _NOTES:
            yield from ("", f"**{name.capitalize()}:**", "")

    def _language(self, opening: str) -> str:
        parts = [part.strip() for part in self._style.strip("[]").split(",")]
        named = parts[1] if len(parts) > 1 and parts[0] in ("source", "") else opening.strip("`-.")
        return named if named.replace("+", "").replace("-", "").isalnum() else ""

    def _inline(self, text: str) -> str:
        """Return a line's words with links and bold as in Markdown, and attributes by their value."""
        if "{" in text:
            text = _NAME.sub(lambda name: self._attributes.get(name[1].lower(), name[0]), text)
        if "[" in text:
            text = _LINK.sub(lambda link: f"[{_first(link[2]) or link[1]}]({link[1]})", text)
            text = _OTHER_LINK.sub(lambda link: _first(link[2]) or link[1], text)
            text = _MENU.sub(r"\1 > \2", _KEYS.sub(r"\1", _FOOTNOTE.sub(r" (\1)", _IMAGE.sub("", text))))
        if "<<" in text:
            text = _REFERENCE.sub(lambda found: found[2] or found[1], text)
        text = _PLUS.sub(r"`\1`", text) if "`+" in text else text
        return _BOLD.sub(r"**\1**", text) if "*" in text else text


def _closing(opening: str) -> str:
    return "```" if opening.startswith("```") else opening


def _first(label: str) -> str:
    """Return a link's words without the attributes behind them."""
    return label.split(",", 1)[0].strip().strip('"').rstrip("^")
