"""How things look to a person: answers with their citations, passages, tables. Plain without a terminal.

Everything that comes from documents passes `adapters.plain` first: a terminal obeys what it is sent.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from adapters.figures import count, duration
from adapters.plain import printable, single_line
from bot.messages import Answer, Citation

if TYPE_CHECKING:
    from kb.retriever import SearchResult

_WIDTH_OF_FILES = 200
_LONGEST_WORD = 12
_QUOTE_LENGTH = 160
_PASSAGE_LENGTH = 600
_WIDEST = 100
# Fences and cell borders say nothing once a quote is folded into a line.
_MARKS = re.compile(r"```\w*|\*\*|\|(?:\s*:?-+:?\s*\|)*")
# The terminal's own colours: they suit its background, whatever it is.
_THEME = Theme({"markdown.code": "cyan", "markdown.code_block": "cyan", "markdown.h1": "bold"})
_CODE_THEME = "ansi_dark"


def open_consoles() -> tuple[Console, Console]:
    """Return the consoles of standard output and standard error; colours only on terminals."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return _console(stderr=False), _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, theme=_THEME)
    # Into a pipe or a file: one line stays one line, as grep wants it.
    console.width = min(console.width, _WIDEST) if console.is_terminal else 10_000
    return console


def show_answer(console: Console, answer: Answer) -> None:
    """Print an answer, what it stands on, and how it came about."""
    if answer.notice:
        console.print(Text(single_line(answer.notice), style="yellow"))
    console.print(_prose(console, answer.text))
    if answer.citations:
        console.print()
        for citation in answer.citations:
            # A quoted answer is made of these very words already.
            _show_citation(console, citation, quote=answer.mode != "extractive")
    elif answer.nearest:
        console.print()
        console.print(Text("Nearest passages", style="bold"))
        for citation in answer.nearest:
            _show_citation(console, citation, quote=True)
    console.print()
    console.print(Text(_how(answer), style="dim"))


def show_search(console: Console, result: SearchResult, limit: int) -> None:
    """Print ranked passages."""
    for rank, passage in enumerate(result.passages[:limit], start=1):
        node = passage.node
        console.print(
            _place(str(rank), node.uri, " > ".join(node.heading), node.source, f"{passage.score:.3f}")
        )
        text = _shortened(printable(passage.text), _PASSAGE_LENGTH)
        console.print(_indented(console, text))
        console.print()
    found = min(limit, len(result.passages))
    console.print(Text(f"{count(found, 'passage')} in {duration(result.milliseconds / 1000)}", style="dim"))


def show_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: aligned columns on a terminal and elsewhere; each row by itself on a narrow one."""
    names, rows = [column.rstrip(">") for column in columns], list(rows)
    if console.is_terminal and _least_width([names, *rows]) > console.width:
        for at, row in enumerate(rows):
            if at:
                console.print()
            show_pairs(console, ((name, cell) for name, cell in zip(names, row, strict=True) if cell))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(single_line(cell)) for cell in row))
    _print_table(console, table)


def show_pairs(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values below each other."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="bold" if console.is_terminal else "")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, Text(single_line(value)))
    _print_table(console, table)


def _print_table(console: Console, table: Table) -> None:
    """Print to the terminal's width; elsewhere wide, and without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(table)
        return
    for line in console.render_lines(table, console.options.update(width=_WIDTH_OF_FILES), pad=False):
        console.print(Text("".join(segment.text for segment in line).rstrip()), soft_wrap=True)


def _least_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the width below which the words of a table are cut."""
    longest = (max(map(len, " ".join(cells).split()), default=0) for cells in zip(*rows, strict=True))
    return sum(min(width, _LONGEST_WORD) + 2 for width in longest)


def say(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    """Print one line that may quote names from documents."""
    console.print(Text(" " * indent + single_line(text), style=style))


def _prose(console: Console, text: str) -> RenderableType:
    if not console.is_terminal:
        return Text(printable(text))
    from rich.markdown import Markdown

    return Markdown(printable(text), hyperlinks=False, code_theme=_CODE_THEME)


def _show_citation(console: Console, citation: Citation, *, quote: bool) -> None:
    details = (citation.source, citation.updated[:10])
    console.print(_place(str(citation.number), citation.document, citation.heading, *details))
    if quote and citation.quote:
        quoted = _shortened(single_line(_MARKS.sub(" ", citation.quote)), _QUOTE_LENGTH)
        console.print(_indented(console, f"“{quoted}”", style="dim"))


def _indented(console: Console, text: str, style: str = "") -> RenderableType:
    """Set text in; a terminal wraps it, a file gets no padding behind it."""
    if console.is_terminal:
        return Padding(Text(text, style=style), (0, 0, 0, 4))
    return Text(textwrap.indent(text, "    "))


def _place(number: str, document: str, heading: str, *details: str) -> Text:
    text = Text(f"[{number}] ", style="")
    text.stylize("bold cyan")
    text.append(single_line(document), style="bold")
    if heading:
        text.append(f" > {single_line(heading)}")
    shown = " · ".join(single_line(detail) for detail in details if detail)
    text.append(f"  {shown}", style="dim")
    return text


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + " …"


def _how(answer: Answer) -> str:
    writer = "quoted" if answer.mode == "extractive" else single_line(answer.model) or answer.mode
    parts = [
        writer if answer.answered else "not answered",
        f"confidence {answer.confidence:.2f}",
        duration(answer.milliseconds / 1000),
    ]
    if tokens := answer.usage.input_tokens + answer.usage.output_tokens:
        parts.append(f"{tokens:,} tokens")
    return " · ".join(parts)
