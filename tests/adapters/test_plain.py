"""Text from documents on its way to a terminal or a program."""

from __future__ import annotations

import json

import pytest

from adapters.plain import json_line, printable, single_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("a\x08\x08b\rc", "abc"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\u202egnp.exe", "gnp.exe"),
        ("file\udcff.md", "file?.md"),
    ],
)
def test_a_terminal_obeys_nothing_in_a_document(text: str, shown: str) -> None:
    """Escape sequences, control characters and direction marks are gone, the rest stays."""
    assert printable(text) == shown


def test_single_line_folds_whitespace() -> None:
    """Names with line breaks stay on one line."""
    assert single_line(" a\n b\t c ") == "a b c"


def test_json_survives_any_text() -> None:
    """Control characters, separators and lone surrogates come back as they were, on one line of UTF-8."""
    value = {"text": "ä 漢 \x9b \u2028 \udcff \n"}
    line = json_line(value)
    assert "\n" not in line
    assert line.isprintable()
    assert json.loads(line) == value
    assert "漢" in line
