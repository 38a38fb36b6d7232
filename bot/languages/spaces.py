"""Spaces at which no line breaks, where a language wants them: set when its lines are loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NO_BREAK = "\N{NO-BREAK SPACE}"
BEFORE_MARKS = r" (?=[:;?!»])|(?<=«) "  # French
BEFORE_DOTS = r" (?=…)"  # German
_CODE = re.compile(r"(`[^`]*`)")

_Lines = TypeVar("_Lines", bound="DataclassInstance")


def bound(lines: _Lines, spaces: str) -> _Lines:
    """Return lines in which no line breaks at `spaces`, a regular expression; code stays as it is typed."""
    found = re.compile(spaces)

    def spaced(value: Any) -> Any:  # noqa: ANN401 - a text, or texts in a tuple or a mapping
        if isinstance(value, str):
            parts = _CODE.split(value)
            return "".join(part if part[:1] == "`" else found.sub(NO_BREAK, part) for part in parts)
        if isinstance(value, tuple):
            return tuple(map(spaced, value))
        if isinstance(value, Mapping):
            return {key: spaced(one) for key, one in value.items()}
        return value

    return replace(lines, **{field.name: spaced(getattr(lines, field.name)) for field in fields(lines)})
