"""Long Markdown in pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.splitting import split

_LINES = st.lists(
    st.sampled_from(
        ["word " * 9, "", "- entry one", "```python", "```", "x = 1", "| a | b |", "|---|---|", "# Head"]
    ),
    max_size=60,
)


def fences(text: str) -> int:
    """Count the lines that open or close code."""
    return len(re.findall(r"(?m)^```", text))


@given(_LINES, st.integers(60, 300))
def test_every_piece_keeps_the_limit_and_its_code_is_closed(lines: list[str], limit: int) -> None:
    """No piece is longer than the limit, and a piece that opens code closes it, if the whole does."""
    text = "\n".join(lines)
    pieces = split(text, limit)
    assert all(len(piece) <= limit for piece in pieces)
    if len(pieces) > 1:
        assert all(fences(piece) % 2 == 0 for piece in pieces[:-1])


@given(st.lists(st.text("abcdef \n", min_size=1, max_size=40), max_size=40), st.integers(60, 200))
def test_no_word_is_lost(texts: list[str], limit: int) -> None:
    """The pieces together hold all the words, in order."""
    text = "\n".join(texts)
    assert "".join(" ".join(split(text, limit)).split()) == "".join(text.split())


def test_a_short_text_is_one_piece() -> None:
    """What fits is not cut."""
    assert split("one\n\ntwo", 100) == ["one\n\ntwo"]


def test_it_is_cut_between_paragraphs() -> None:
    """A paragraph that fits as a whole stays whole."""
    first, second = "a " * 30, "b " * 30
    assert split(f"{first.strip()}\n\n{second.strip()}", 100) == [first.strip(), second.strip()]


def test_code_is_closed_and_opened_again_with_its_language() -> None:
    """Code that goes on in the next piece begins there with the same fence."""
    code = "\n".join(f"line {number}" for number in range(40))
    pieces = split(f"```python\n{code}\n```", 150)
    assert len(pieces) > 2
    assert all(piece.startswith("```python\n") and piece.endswith("\n```") for piece in pieces)
    shown = "\n".join(piece.removeprefix("```python\n").removesuffix("\n```") for piece in pieces)
    assert shown == code


def test_a_table_gets_its_head_again() -> None:
    """A table that goes on in the next piece begins there with its header rows."""
    head = "| Region | Window |\n| --- | --- |\n"
    rows = "".join(f"| r{number} | {number}:00 |\n" for number in range(30))
    pieces = split(head + rows, 200)
    assert len(pieces) > 2
    assert all(piece.startswith(head) for piece in pieces)


@pytest.mark.parametrize("glyph", ["👩\u200d🚀", "e\u0301", "👍🏽", "❤\ufe0f"])
def test_no_visible_character_is_cut_in_two(glyph: str) -> None:
    """A cut without any space does not fall inside of one character."""
    pieces = split(glyph * 200, 101)
    assert all(piece.replace(glyph, "") == "" for piece in pieces)
