"""Tests of MDX: what its page shows, and nothing of its program."""

from __future__ import annotations

import pytest

from kb.parsing.mdx import to_markdown
from kb.parsing.reading import parse


def blocks(text: str) -> list[str]:
    """Return the paragraphs of what a page of MDX shows."""
    return [block.strip() for block in to_markdown(text).split("\n\n") if block.strip()]


def test_imports_and_exports_go() -> None:
    """A page's program is no text, whatever its brackets hold; a sentence that begins with import is."""
    program = "import {A} from './a'\nimport './b.css'\n\nexport const C = () => (\n  <p>\n\n  </p>\n)\n\n"
    assert blocks(f"{program}Words.\n\nimport the file, then export it.") == [
        "Words.",
        "import the file, then export it.",
    ]


def test_a_bracket_that_stays_open_ends_with_its_paragraph() -> None:
    """Of an export that is never closed only the first paragraph goes."""
    assert blocks("export default {\n\nWords.") == ["Words."]


def test_a_component_shows_its_title() -> None:
    """A title stands in bold before what it heads; tags without one leave nothing."""
    card = '  <Card\n    title="Quick start"\n    icon={<Icon />}\n  >\n    Go.\n  </Card>\n'
    assert blocks(f"<Cards cols={{2}}>\n{card}</Cards>") == ["**Quick start**", "Go."]
    assert blocks('A <Tip>word</Tip> and <Badge label="new" /> <Icon name="x"/>.') == ["A word and new ."]


def test_a_field_shows_its_name() -> None:
    """A component that describes a field or a route says which; an icon's name is no text."""
    page = '<Field name="limit" type="number">\n  At most 100.\n</Field>\n<Route method="GET">/users</Route>'
    assert blocks(page) == ["**limit**", "At most 100.", "**GET**", "/users"]
    assert blocks('<Icon name="x" />\n') == []


def test_a_note_is_introduced() -> None:
    """A note begins with its name or title; a list in it stays a list."""
    assert blocks("One.\n<Warning>\n  Back up first.\n</Warning>") == ["One.", "**Warning:** Back up first."]
    assert blocks('<Note title="Beware">\n  - a\n  - b\n</Note>') == ["**Beware:**", "- a\n- b"]


def test_what_is_indented_in_a_component_is_no_code() -> None:
    """Text in nested components moves to the left, fences and nested lists keep their shape."""
    page = """
<Steps>
    <Step title="One">
        Run it.

        ```bash
        a  # <B>
          b
        ```

        - c
          - d
    </Step>
</Steps>
After.
"""
    shown = to_markdown(page)
    assert "\nRun it.\n\n```bash\na  # <B>\n  b\n```\n\n- c\n  - d\n" in shown
    assert shown.rstrip().endswith("\nAfter.")


def test_a_component_in_an_item_stays_in_it() -> None:
    """What stands in a list's item is not moved out of it."""
    assert "1. a\n   \n   **Note:** b\n" in to_markdown("1. a\n   <Note>\n   b\n   </Note>\n2. c\n")


def test_comments_go_and_code_stays() -> None:
    """Comments and spacing expressions are not shown; tags in code are."""
    assert blocks('A{/* not\nshown */}{" "}b `<C d="e">` `{/* f */}`') == ['A b `<C d="e">` `{/* f */}`']


def test_only_mdx_has_components() -> None:
    """The same bytes are Markdown or MDX by the end of their name."""
    page = b'# T\n\nimport {A} from "a"\n\n<Card title="B">C</Card>\n'
    assert "import" in parse(page, "a.md", "").markdown
    parsed = parse(b"---\ntitle: T\n---\nimport {A} from 'a'\n\n<Card title='B'>C</Card>\n", "a.MDX", "")
    assert (parsed.title, parsed.markdown.split()) == ("T", ["**B**", "C"])


@pytest.mark.parametrize(
    "hostile",
    [
        "<A ",
        "{/*",
        "<A x={",
        '<B title="x">y</B>',
        "<B>\n",
        "</B>\n",
        "import {\n",
        "<A" + " " * 500,
        "`<A `",
    ],
)
def test_hostile_pages_end(hostile: str) -> None:
    """What opens again and again and never closes is read, and nothing is made up."""
    text = hostile * (200_000 // len(hostile))
    assert len(to_markdown(text)) <= 2 * len(text)
