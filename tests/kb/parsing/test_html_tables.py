"""Tables and definition lists of web pages."""

from __future__ import annotations

import pytest

from kb.parsing.html_blocks import blocks_of
from kb.parsing.html_tables import make_plain
from kb.parsing.reading import parse


def rows(html: str) -> list[list[str]]:
    """Return the cells of the tables of a page."""
    markdown = parse(
        f"<html><body><main><h1>T</h1><p>Words.</p>{html}</main></body></html>".encode(), "a.html", ""
    )
    lines = [line for line in markdown.markdown.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if "--" not in line
    ]


def plain(html: str) -> str:
    from lxml.html import document_fromstring

    tree = document_fromstring(html)
    make_plain(tree)
    return blocks_of(tree)


def test_a_cell_is_repeated_in_each_row_that_it_spans() -> None:
    """A row of a table with spanning cells has all its values, each below its header."""
    table = (
        "<table><tr><th>Day</th><th>Opens</th><th>Desk</th></tr>"
        "<tr><td rowspan='2'>Monday</td><td>08:00</td><td rowspan=3>A</td></tr><tr><td>13:00</td></tr>"
        "<tr><td>Friday</td><td>09:00</td></tr><tr><td colspan='2'>Sunday</td><td>none</td></tr></table>"
    )
    assert rows(table) == [
        ["Day", "Opens", "Desk"],
        ["Monday", "08:00", "A"],
        ["Monday", "13:00", "A"],
        ["Friday", "09:00", "A"],
        ["Sunday", "", "none"],
    ]


def test_a_caption_is_not_the_header() -> None:
    """The caption stands before the table, whose first row is the header."""
    cells = "<tr><th>Day</th><th>Opens</th></tr><tr><td>Mo</td><td>8</td></tr>"
    table = f"<table><caption>Desk hours</caption>{cells}</table>"
    assert rows(table) == [["Day", "Opens"], ["Mo", "8"]]
    assert plain(f"<body>{table}</body>").startswith("Desk hours\n\n| Day")


def test_lines_of_a_cell_are_parted() -> None:
    """A line break in a cell does not glue two words together."""
    assert "| Mo Tu | one two |" in plain(
        "<body><table><tr><td>a</td><td>b</td></tr><tr><td>Mo<br>Tu</td><td><p>one</p><p>two</p></td></tr></table></body>"
    )


def test_a_term_stands_with_its_meaning() -> None:
    """A short definition is one item; a list whose meanings are long stays as it is."""
    terms = "<dt>Escort</dt><dd>Stays <b>with</b> the visitor.</dd><dt>Host</dt><dd><p>Invites.</p></dd>"
    assert (
        plain(f"<body><dl>{terms}</dl></body>")
        == "- **Escort**: Stays **with** the visitor.\n- **Host**: Invites."
    )
    long = "<body><dl><dt>Escort</dt><dd><p>One.</p><p>Two.</p></dd></dl></body>"
    assert "- Escort" in plain(long)


@pytest.mark.parametrize("span", ["0", "-1", "x", "", "99999999999999999999", "²", "65000"])
def test_odd_spans_are_harmless(span: str) -> None:
    """A span that is no small number neither fails nor fills the memory."""
    cells = f"<td rowspan='{span}' colspan='{span}'>a</td>" * 50
    found = rows(f"<table><tr><th>h</th></tr>{f'<tr>{cells}</tr>' * 50}</table>")
    assert any("a" in row for row in found)
