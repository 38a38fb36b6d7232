"""Documents split into pieces."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.nodes import Piece, index_text
from kb.splitting import split_markdown


def words(text: str) -> int:
    return len(text.split())


def split(markdown: str, *, title: str = "", limit: int = 40) -> list[Piece]:
    return split_markdown(markdown, title=title, count=words, limit=limit)


def test_a_short_document_is_one_piece() -> None:
    """What fits is not cut."""
    assert split("One paragraph.\n\nAnother.") == [Piece(text="One paragraph.\n\nAnother.")]


def test_sections_carry_their_heading_path_without_the_title() -> None:
    """The path names the headings above a piece; the document's title is kept apart."""
    pieces = split("# Guide\n\nHello.\n\n## Set-up\n\nDo this.\n\n### Linux\n\nDo that.", title="Guide")
    assert [(p.heading, p.text) for p in pieces] == [
        ((), "Hello."),
        (("Set-up",), "Do this."),
        (("Set-up", "Linux"), "Do that."),
    ]


def test_no_piece_exceeds_the_limit_with_its_context() -> None:
    """Title and heading path are counted against the limit."""
    text = "# A long title of six words\n\n## Part\n\n" + "Sentence of four words. " * 60
    for piece in split(text, title="A long title of six words"):
        assert words(index_text("A long title of six words", piece.heading, piece.text)) <= 40


def test_a_cut_table_repeats_its_header() -> None:
    """Each piece of a long table can be read alone."""
    rows = "\n".join(f"| key{n} | value {n} |" for n in range(60))
    pieces = split(f"| Key | Value |\n| --- | --- |\n{rows}")
    assert len(pieces) > 3
    assert all(piece.text.startswith("| Key | Value |\n| --- | --- |\n| key") for piece in pieces)
    assert sum(piece.text.count("| key") for piece in pieces) == 60


def test_cut_code_is_fenced_again() -> None:
    """Every piece of a long code block opens and closes its own fence."""
    body = "\n\n".join(f"def f{n}():\n    return {n}" for n in range(40))
    pieces = split(f"```python\n{body}\n```")
    assert len(pieces) > 3
    for piece in pieces:
        assert piece.text.startswith("```python\n")
        assert piece.text.endswith("\n```")
    assert [f"f{n}()" in "".join(p.text for p in pieces) for n in range(40)] == [True] * 40


def test_code_is_cut_at_blank_lines() -> None:
    """A function is not torn from its first line when a blank line is near."""
    body = "\n\n".join(f"def f{n}():\n    return {n}" for n in range(40))
    assert all(re.match(r"```python\ndef ", piece.text) for piece in split(f"```python\n{body}\n```"))


def test_a_line_that_introduces_a_list_goes_with_it() -> None:
    """`The steps are:` is not left at the end of the piece before."""
    filler = "word " * 30
    pieces = split(f"{filler}\n\nThe steps are:\n\n- " + "\n- ".join("step words here" for _ in range(4)))
    assert pieces[1].text.startswith("The steps are:\n\n- step")


def test_page_marks_number_the_pieces() -> None:
    """A piece has the page it begins on, and the mark itself is not shown."""
    pieces = split("<!-- page 1 -->\nfirst " + "word " * 30 + "\n\n<!-- page 2 -->\nsecond " + "word " * 30)
    assert [piece.page for piece in pieces] == [1, 2]
    assert not any("<!--" in piece.text for piece in pieces)


def test_a_heading_after_a_page_mark_has_that_page() -> None:
    """The page is known to sections that begin on it."""
    (piece,) = split("<!-- page 3 -->\n## Part\n\ntext")
    assert (piece.page, piece.heading) == (3, ("Part",))


def test_deep_paths_leave_room_for_text() -> None:
    """Outer headings are dropped before the context fills the window."""
    text = "\n\n".join(f"{'#' * n} " + f"heading{n} " * 8 for n in range(1, 7)) + "\n\nBody words."
    piece = split(text)[-1]
    assert piece.text == "Body words."
    assert piece.heading[-1].startswith("heading6")
    assert len(piece.heading) < 6


def test_an_endless_word_is_cut() -> None:
    """Text without spaces, such as base64, is cut by characters."""
    pieces = split("x" * 5_000)
    assert "".join(piece.text for piece in pieces) == "x" * 5_000
    assert max(len(piece.text) for piece in pieces) <= 40 * 8 + 8


def test_same_text_gives_same_pieces_wherever_it_stands() -> None:
    """An edit in one section leaves the pieces of the others as they were."""
    before = split("## A\n\nalpha text\n\n## B\n\nbeta text")
    after = split("## A\n\nalpha text, edited and longer\n\n## B\n\nbeta text")
    assert before[1] == after[1]


def test_an_outline_without_a_body_is_kept() -> None:
    """A document of headings alone can be found by them."""
    (piece,) = split("# One\n\n## Two\n")
    assert piece.text == "One\n\nTwo"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab #|-`~>*1.\n\\[]()é漢。!", max_size=400))
def test_any_text_is_split_within_the_limit(text: str) -> None:
    """No input raises, and every piece has text and fits."""
    for piece in split(text, limit=30):
        assert piece.text.strip()
        assert words(index_text("", piece.heading, piece.text)) <= 30


def test_the_code_of_a_long_item_is_fenced_in_each_piece() -> None:
    """An item that is cut does not tear a fence open."""
    code = "\n".join(f"   run step {number} with care" for number in range(60))
    text = f"1. Do this first:\n\n   ```sh\n{code}\n   ```\n\n   Then wait for the end of it.\n2. Next.\n"
    pieces = split(text)
    assert len(pieces) > 1
    for piece in pieces:
        assert piece.text.count("```") % 2 == 0, piece.text
    assert "Then wait for the end of it." in " ".join(piece.text for piece in pieces)
