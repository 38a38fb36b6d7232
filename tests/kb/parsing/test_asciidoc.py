"""AsciiDoc read as Markdown."""

from __future__ import annotations

import pytest

from kb.parsing.asciidoc_tables import table_rows
from kb.parsing.reading import parse

HANDBOOK = """\
= Operations handbook
Ann Author <ann@example.com>
v1.2, 2026-03-01
:toc:
:product: Gizmo

// a comment
== Restart

To restart *{product}* run:

[source,bash]
----
# wait {product}
systemctl restart gizmo
----

NOTE: A restart takes 40 seconds.

. Drain the node
. Restart it
.. Check the log

Then:

. Go home

* one
** two

.Ports
|===
|Service |Port

|api
|8080

|admin
|9090
|===

[WARNING]
====
Never restart two nodes at once, see <<ports,the ports>> and https://example.com/x[the page].
====

Drain:: Takes the node out.
include::other.adoc[]
"""

MARKDOWN = """\
# Operations handbook

## Restart

To restart **Gizmo** run:

```bash
# wait {product}
systemctl restart gizmo
```

**Note:** A restart takes 40 seconds.

1. Drain the node
2. Restart it
   1. Check the log

Then:

1. Go home

- one
  - two

**Ports**

| Service | Port |
| --- | --- |
| api | 8080 |
| admin | 9090 |

**Warning:**

Never restart two nodes at once, see the ports and [the page](https://example.com/x).

- **Drain**: Takes the node out."""


def read(text: str) -> str:
    return parse(text.encode(), "a.adoc", "").markdown


def test_a_handbook_becomes_markdown() -> None:
    """Sections, code, tables, lists, notes and links are kept; what has no words goes."""
    parsed = parse(HANDBOOK.encode(), "ops.adoc", "")
    assert parsed.title == "Operations handbook"
    assert parsed.markdown == MARKDOWN


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Title\n=====\n\nPart\n----\n\nWords.\n", "# Title\n\n## Part\n\nWords."),
        ("Text before the code.\n----\nx = 1\n----\n", "Text before the code.\n\n```\nx = 1\n```"),
        ("----\n== no heading\n", "```\n== no heading\n```"),
        ("////\nhidden\n////\nseen\n", "seen"),
        (
            "Press kbd:[Ctrl] in menu:File[Save]. See xref:a.adoc#b[the rest].",
            "Press Ctrl in File > Save. See the rest.",
        ),
        ("Use `+a*b*c+` and 2 * 3 * 4, footnote:[Not 5.] too.", "Use `a*b*c` and 2 * 3 * 4,  (Not 5.) too."),
        ("std::vector is a type.", "std::vector is a type."),
        ("{unknown} stays", "{unknown} stays"),
        ("```ruby\nputs 1\n```\n", "```ruby\nputs 1\n```"),
        ("<1> The first call.", "1. The first call."),
        ("[[anchor]]\n[.lead]\nWords.\n\n<<<\n\n'''\n\nMore.", "Words.\n\nMore."),
    ],
)
def test_parts_of_asciidoc(text: str, markdown: str) -> None:
    """Each part reads as a page of it does."""
    assert read(text) == markdown


@pytest.mark.parametrize(
    ("lines", "style", "rows"),
    [
        (["|a |b", "|1 |2"], "", [["a", "b"], ["1", "2"]]),
        (["|a", "|b", "|1", "|2"], '[cols="1,2"]', [["a", "b"], ["1", "2"]]),
        (["|a |b", "2*|same"], "[cols=2*]", [["a", "b"], ["same", "same"]]),
        (["|a |b", "2+|wide", "|1", "a|2"], "", [["a", "b"], ["wide", ""], ["1", "2"]]),
        (["a,b", "1,2"], '[format="csv"]', [["a", "b"], ["1", "2"]]),
        (["no cells"], "", []),
        ([], "[cols=3*]", []),
    ],
)
def test_cells_of_a_table(lines: list[str], style: str, rows: list[list[str]]) -> None:
    """Cells may stand side by side, one a line, be repeated or span."""
    assert table_rows(lines, style) == rows
