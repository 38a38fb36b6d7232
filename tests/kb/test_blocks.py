"""Markdown read into blocks."""

from __future__ import annotations

from kb.blocks import list_items, read_blocks


def kinds(markdown: str) -> list[str]:
    return [block.kind for block in read_blocks(markdown)]


def test_each_kind_is_recognised() -> None:
    """Headings, paragraphs, lists, tables, fences and page marks are told apart."""
    text = "# T\n\nwords\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    text += "```sh\n# code\n```\n<!-- page 2 -->\nend"
    assert kinds(text) == ["heading", "paragraph", "list", "table", "code", "page", "paragraph"]


def test_an_unclosed_fence_runs_to_the_end() -> None:
    """Code whose fence never closes is code, and nothing is lost."""
    (block,) = read_blocks("```\nx\n\n# y\n")
    assert block.kind == "code"
    assert "# y" in block.text


def test_a_longer_fence_holds_a_shorter_one() -> None:
    """A fence of four marks is not closed by three."""
    (block,) = read_blocks("````md\n```\ninner\n```\n````")
    assert block.text.count("```") == 4


def test_underlined_headings_have_levels() -> None:
    """Setext headings are headings of level one and two."""
    blocks = list(read_blocks("Title\n=====\n\nPart\n-----\n"))
    assert [(b.kind, b.text, b.level) for b in blocks] == [("heading", "Title", 1), ("heading", "Part", 2)]


def test_a_hash_without_a_space_is_text() -> None:
    """`#channel` is a word, not a heading."""
    assert kinds("#general is our channel") == ["paragraph"]


def test_nested_items_stay_with_their_parent() -> None:
    """Only outermost items are split apart."""
    assert list_items("- a\n  - a1\n- b\n  more") == ["- a\n  - a1", "- b\n  more"]


def test_no_text_is_lost() -> None:
    """Every word of a mixed text is in some block."""
    text = (
        "Intro:\n1. one\n2. two\n\n   still two\nafter\n> quote\n\n    indented\n| not a table |\n***\nlast"
    )
    joined = " ".join(block.text for block in read_blocks(text))
    assert all(
        word in joined
        for word in ("Intro", "one", "still", "after", "quote", "indented", "not a table", "last")
    )
