"""Markdown reduced to words."""

from __future__ import annotations

import pytest

from kb.plain import plain_text


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("See [the guide](https://example.org/a_(b)).", "See the guide."),
        ("![A chart](chart.png) follows", "A chart follows"),
        ("[text][ref] and <https://example.org>", "text and https://example.org"),
        (r"version 6\.5\.0 of a\_b", "version 6.5.0 of a_b"),
        ("| a | b |\n| --- | :-: |\n| 1 | 2 |", "a b\n1 2"),
        ("```python\nx = 1 | 2\n```", "x = 1 | 2"),
        ("## Heading\n\n**bold** `code`", "Heading\nbold code"),
        ("a <b>bold</b> move, 1 < 2 and 3 > 2", "a bold move, 1 < 2 and 3 > 2"),
        ("Mo<br>Tu<BR />We", "Mo Tu We"),
        ("", ""),
    ],
)
def test_marks_go_and_words_stay(markdown: str, words: str) -> None:
    """Links, escapes, tables and fences are reduced to what a reader sees."""
    assert plain_text(markdown) == words


@pytest.mark.parametrize(
    "unit", ["[", "![", "](", "<a", "|", "\\", "[a](", "`", "[x][", "#", "| |\n", "<!--"]
)
def test_repeated_marks_cost_linear_time(unit: str) -> None:
    """A megabyte of one mark is read without catastrophic matching."""
    assert len(plain_text(unit * (200_000 // len(unit)))) <= 200_000
