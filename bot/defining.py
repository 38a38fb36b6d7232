"""How a source is defined by a command: a location, and keys of its settings as a person writes them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bot.errors import CommandError
from kb.connectors.guessing import guess_source
from kb.sources import AnySource

_SOURCES: TypeAdapter[AnySource] = TypeAdapter(AnySource)
_CLASSES = {cls.model_fields["type"].default: cls for cls in get_args(get_args(AnySource)[0])}
_NAMED_BY_GUESS = ("name", "every", "audience")
_NOT_SET = ("name", "type", "location")


def define_source(
    location: str, kind: str | None, options: Mapping[str, Any], settings: Iterable[str] = ()
) -> AnySource:
    """Return the settings of a source.

    `options` are keys with values of their types, `settings` are texts KEY=VALUE for any key of its type;
    in these a list is written with commas or as JSON, a table as JSON. Raise `CommandError` for what
    cannot be, and what `guess_source` raises.
    """
    named = {key: value for key, value in options.items() if key in _NAMED_BY_GUESS}
    source = guess_source(location, type=kind, **named)
    given = {**options, **_read(source, settings)}
    for key in given:
        if key not in type(source).model_fields:
            raise CommandError(_unknown(key, source))
    try:
        return _SOURCES.validate_python({**source.model_dump(), **given})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        # The first part of the place is the type.
        key = next((part for part in problem["loc"][1:] if isinstance(part, str)), "location")
        message = problem["msg"].removeprefix("Value error, ").rstrip(".")
        raise CommandError(f"{_written(key, options)} {problem['input']!r}: {message}.") from None


def _read(source: AnySource, settings: Iterable[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in settings:
        key, separator, value = text.partition("=")
        key = key.strip()
        if not separator or not key:
            raise CommandError(f"--set {text!r}: write KEY=VALUE, such as --set private_hosts=true.")
        if key in _NOT_SET:
            raise CommandError(f"--set {key}: it has an option or argument of its own.")
        if (field := type(source).model_fields.get(key)) is None:
            raise CommandError(_unknown(key, source))
        values[key] = _value(key, value.strip(), field)
    return values


def _value(key: str, text: str, field: FieldInfo) -> object:
    if isinstance(field.default, tuple) and not text.startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if not isinstance(field.default, tuple | dict):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        form = """["a", "b"]""" if isinstance(field.default, tuple) else """{"key": "value"}"""
        raise CommandError(f"--set {key}: not JSON ({error}). Write it as {form}.") from None


def _unknown(key: str, source: AnySource) -> str:
    known = [name for name in type(source).model_fields if name not in _NOT_SET]
    others = [kind for kind, cls in _CLASSES.items() if key in cls.model_fields]
    if others:
        return f"{_dashed(key)}: a source of the type {source.type} has no such setting; {_listed(others)}."
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
    return f"--set {key}: a source of the type {source.type} has no such setting. {hint}"


def _listed(kinds: list[str]) -> str:
    return f"{', '.join(kinds)} {'has' if len(kinds) == 1 else 'have'} it"


def _written(key: str, options: Mapping[str, Any]) -> str:
    return _dashed(key) if key in options else f"--set {key}:"


def _dashed(key: str) -> str:
    return f"--{key.replace('_', '-')}"
