"""reStructuredText as documentation projects write it, with the directives of Sphinx."""

from __future__ import annotations

import pytest

from kb.parsing.reading import parse


def read(text: str) -> str:
    return parse(f"Title\n=====\n\n{text}".encode(), "a.rst", "").markdown.removeprefix("# Title\n\n")


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (".. versionadded:: 3.1\n   The ``x`` option.\n", "**Added in version 3.1:** The `x` option."),
        (".. versionchanged:: 3.2\n\n   Slower.\n", "**Changed in version 3.2:**\n\nSlower."),
        (".. deprecated:: 4.0 Use *y*.\n", "**Deprecated since version 4.0:** Use *y*."),
        (".. note::\n   Keep it dry.\n\n   Always.\n", "**Note:** Keep it dry.\n\nAlways."),
        (".. warning::\n\n   - a\n", "**Warning:**\n\n- a"),
        (
            ".. function:: f(a, *args, **kw)\n              f(b)\n\n   Body.\n",
            "`f(a, *args, **kw)`\n\n`f(b)`\n\nBody.",
        ),
        (".. option:: --dry-run, -n\n\n   Shows only.\n", "`--dry-run, -n`\n\nShows only."),
        (".. topic:: Know this\n\n   Words.\n", "**Know this**\n\nWords."),
        (".. sidebar:: Aside\n\n   Words.\n", "**Aside**\n\nWords."),
        (".. tab-item:: Linux\n\n   Run it.\n", "**Linux**\n\nRun it."),
        (".. only:: html\n\n   Words.\n", "Words."),
        (".. figure:: x.png\n\n   The caption.\n\n   The legend.\n", "The caption.\n\nThe legend."),
        (".. seealso:: `Other <x.html>`_\n", "**See also:** Other"),
    ],
)
def test_a_directive_says_what_a_page_shows(text: str, markdown: str) -> None:
    """Labels, titles, signatures and captions are read; what only sets a page is not."""
    assert read(text) == markdown


def test_the_table_of_contents_is_not_read() -> None:
    """A page's own list of headings would be found for every one of them."""
    assert read(".. contents:: On this page\n\nWords.\n") == "Words."


def test_a_box_beside_the_text_opens_no_section() -> None:
    """What follows a sidebar stays under the heading above it."""
    assert "#" not in read(".. sidebar:: Aside\n\n   Words.\n\nMore words.\n")


def test_cells_that_span_are_repeated_down_and_padded_across() -> None:
    """Each row of a grid table has its values below their headers."""
    table = (
        "+----+----+----+\n| a  | b  | c  |\n+====+====+====+\n"
        "| 1  | x  | p  |\n+    +----+----+\n|    | y  | q  |\n"
        "+----+----+----+\n| both    | r  |\n+---------+----+\n"
    )
    assert read(table) == "| a | b | c |\n| --- | --- | --- |\n| 1 | x | p |\n| 1 | y | q |\n| both |  | r |"
