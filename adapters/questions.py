"""Questions from a file: JSON lines with `id` and `question`. All of it is read before work starts."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """One line of a questions file; `id` is handed back as it came."""

    id: Any
    question: str


def read_questions(file: Path) -> list[AskedLine]:
    """Read a questions file, or standard input for `-`; blank lines are skipped."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}.") from None
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [parse_line(line, f"{name}, line {n}") for n, line in enumerate(lines, start=1) if line.strip()]


def parse_line(line: bytes, place: str) -> AskedLine:
    """Read one line; `place` is what an error message calls it."""
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError(f"{place}: not UTF-8 text.") from None
    except (ValueError, RecursionError):
        raise UsageError(f'{place}: not JSON. Write {{"id": 1, "question": "…"}}.') from None
    question = value.get("question") if isinstance(value, dict) else None
    if not isinstance(question, str) or not question.strip():
        raise UsageError(f'{place}: has no "question". Write {{"id": 1, "question": "…"}}.')
    return AskedLine(id=value.get("id"), question=question)
