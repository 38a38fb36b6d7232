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


STEPS = """1. Get the tool:

   ```bash
   # install the client
   brew install shipit

   brew test shipit
   ```

2. Log in.

## Next

Words.
"""


def test_a_comment_in_the_code_of_an_item_is_no_heading() -> None:
    """Code in a list item keeps its comments, and what follows the list is read as usual."""
    blocks = list(read_blocks(STEPS))
    assert [(block.kind, block.text[:6]) for block in blocks] == [
        ("list", "1. Get"),
        ("heading", "Next"),
        ("paragraph", "Words."),
    ]
    assert "# install the client" in blocks[0].text
    assert "2. Log in." in blocks[0].text


def test_code_may_begin_on_the_line_of_its_item() -> None:
    """A fence behind an item's mark is a fence; a comment in it is code."""
    assert kinds("- ```sh\n  # one\n  ls\n  ```\n- two\n\n# End\n") == ["list", "heading"]


def test_code_of_an_item_that_is_never_closed_ends_with_the_item() -> None:
    """The heading after such an item stays a heading."""
    assert kinds("- see\n  ```sh\n  ls\n\n# End\n") == ["list", "heading"]


def test_code_of_an_item_need_not_be_indented() -> None:
    """A closing fence that follows closely closes code that its writer did not indent."""
    assert kinds("1. see\n   ```sh\n# one\nls\n   ```\n2. two\n\n# End\n") == ["list", "heading"]


def test_three_backticks_around_words_are_no_fence() -> None:
    """Code within a line does not take the rest of the document with it."""
    assert kinds("```make``` builds it.\n\n# End\n") == ["paragraph", "heading"]


def test_the_mark_of_a_word_does_not_close_a_heading() -> None:
    """`C#` keeps its mark; marks behind a space close the heading."""
    texts = [block.text for block in read_blocks("# Using C#\n\n## Limits ##\n\n### F# and C# #\n\n#\n")]
    assert texts == ["Using C#", "Limits", "F# and C#", ""]
