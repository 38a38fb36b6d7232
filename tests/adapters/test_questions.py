"""Files of questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import UsageError
from adapters.questions import AskedLine, read_questions


def test_lines_are_read_in_order(tmp_path: Path) -> None:
    """Ids come back as they were, of any type; blank lines and a byte order mark do not count."""
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "question": "one?"}\r\n\n{"id": 7, "question": "two?"}\n{"question": "3?"}'
    )
    assert read_questions(path) == [
        AskedLine(id="a", question="one?"),
        AskedLine(id=7, question="two?"),
        AskedLine(id=None, question="3?"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"what?", "line 2: not JSON"),
        (b'{"id": 1}', 'line 2: has no "question"'),
        (b'{"question": "  "}', 'line 2: has no "question"'),
        (b'["question"]', 'line 2: has no "question"'),
        (b'{"question": "\xff"}', "line 2: not UTF-8"),
        (b"[" * 100_000, "line 2: not JSON"),
    ],
)
def test_bad_lines_are_named(line: bytes, said: str, tmp_path: Path) -> None:
    """A line that asks nothing is told by its number."""
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'{"question": "fine?"}\n' + line + b"\n")
    with pytest.raises(UsageError, match=said):
        read_questions(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(UsageError, match=r"none\.jsonl: cannot be read"):
        read_questions(tmp_path / "none.jsonl")
