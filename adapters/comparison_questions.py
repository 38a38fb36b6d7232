"""The questions that a persona is compared on: JSON lines with what is expected of the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapters.errors import UsageError
from bot.comparing import Asked
from bot.scoring import Expected

_EXAMPLE = '{"question": "…", "answers": ["…"]}'


def read_asked(file: Path, limit: int | None) -> list[Asked]:
    """Read the questions, at most `limit`. Raise UsageError for what is none.

    "answers" is a list of right ones, "answerable": false marks a question that the documents do not answer.
    """
    try:
        lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}.") from None
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    asked = [_asked(line, f"{file}, line {number}") for number, line in numbered[:limit]]
    if not asked:
        raise UsageError(f"{file}: has no questions. Write one JSON object a line: {_EXAMPLE}")
    return asked


def _asked(line: bytes, place: str) -> Asked:
    row = _object(line, place)
    question = row.get("question")
    if not isinstance(question, str) or not question.strip():
        raise UsageError(f'{place}: has no "question". Write {_EXAMPLE}.')
    answers = row.get("answers", row.get("answer", []))
    answers = [answers] if isinstance(answers, str) else answers
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        raise UsageError(f'{place}: "answers" is no list of texts. Write {_EXAMPLE}.')
    answerable = row.get("answerable", True)
    if not isinstance(answerable, bool):
        raise UsageError(f'{place}: "answerable" is neither true nor false.')
    kept = tuple(one for one in answers if one.strip())
    return Asked(question=question.strip(), expected=Expected(answers=kept, answerable=answerable))


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError(f"{place}: not UTF-8 text.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{place}: not JSON. Write {_EXAMPLE}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{place}: is no JSON object. Write {_EXAMPLE}.")
    return value
