from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.gate import gate
from adapters.discord.pieces import split

BITS = [
    "word ",
    "\n",
    "\n\n",
    "```py\n",
    "```\n",
    "x" * 70,
    "👍🏽",
    "é",
    "- item\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
]


def words(text: str) -> str:
    """Return a text without what cutting may add or take: white space and fences."""
    return re.sub(r"\s|```(?:py)?", "", text)


@given(st.lists(st.sampled_from(BITS), max_size=80).map("".join), st.integers(60, 400))
def test_nothing_is_lost(text: str, limit: int) -> None:
    """All words are there in order, each piece fits, and each closes the code that it opens."""
    whole = gate(text)
    pieces = split(whole, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert all(len(re.findall(r"(?m)^```", piece)) % 2 == 0 for piece in pieces)
    assert words("".join(pieces)) == words(whole)


def test_cut_between_paragraphs() -> None:
    """A text is cut where a paragraph ends when that leaves pieces full enough."""
    assert split("a" * 60 + "\n\n" + "b" * 60, 100) == ["a" * 60, "b" * 60]


def test_cut_between_lines_and_words() -> None:
    """A long paragraph is cut between lines, a long line between words."""
    assert split("a" * 60 + "\n" + "b" * 60, 100) == ["a" * 60, "b" * 60]
    assert all(piece.strip("a ") == "" for piece in split("aaaa " * 40, 50))


def test_code_is_opened_again() -> None:
    """Code that is cut is closed, and opened again in its language."""
    first, second = split("```py\n" + "x = 1\n" * 20 + "```", 100)
    assert first.startswith("```py\nx = 1")
    assert first.endswith("\n```")
    assert second.startswith("```py\n")


def test_one_visible_character_is_not_cut() -> None:
    """An emoji with its skin tone and a letter with its accent stay whole."""
    assert all(not piece.startswith("🏽") for piece in split("👍🏽" * 60, 61))
    assert all(not piece.startswith("\u0301") for piece in split("e\u0301" * 60, 61))


def test_room_in_the_last_piece() -> None:
    """The last piece leaves room for what follows it; an empty text has no pieces."""
    pieces = split("word " * 70, 400, last=220)
    assert len(pieces) == 2
    assert len(pieces[-1]) <= 220
    assert split("", 100) == []
