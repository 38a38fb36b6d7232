from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.sentences import UnitReader, split_units

TEXT = """Printer PINs have 6 digits. [1] They expire after 3.5 days [2]. See e.g. the guide [1][2].

1. First do this [1].
| x. y | 2 [1] |
```sh
curl x. y
```
它有六位数。第二句。 end"""


def test_units() -> None:
    """Sentences keep the markers after their full stop; rows and fences stay whole."""
    texts = [unit.text for unit in split_units(TEXT) if not unit.blank]
    assert texts == [
        "Printer PINs have 6 digits. [1] ",
        "They expire after 3.5 days [2]. ",
        "See e.g. the guide [1][2].",
        "1. First do this [1].",
        "| x. y | 2 [1] |\n",
        "```sh\ncurl x. y\n```\n",
        "它有六位数。",
        "第二句。 ",
        "end",
    ]
    assert [unit.text for unit in split_units(TEXT) if unit.code] == ["```sh\ncurl x. y\n```\n"]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60))
def test_units_do_not_depend_on_the_deltas(sizes: list[int]) -> None:
    """However a text is cut into deltas, its units are the same."""
    reader, units, at = UnitReader(), [], 0
    for size in sizes:
        units += reader.feed(TEXT[at : at + size])
        at += size
    units += reader.feed(TEXT[at:])
    assert [*units, *reader.end()] == split_units(TEXT)


@given(st.text(alphabet='ab.?! \n`~|[1]。"', max_size=80))
def test_nothing_is_lost(text: str) -> None:
    """The units of a text, joined, are the text."""
    assert "".join(unit.text for unit in split_units(text)) == text


def test_open_fence_is_code() -> None:
    """A fence that is never closed is one unit of code."""
    (unit,) = split_units("```\na. b\nc")
    assert unit.code
