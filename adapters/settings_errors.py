"""One line for whatever is wrong in the settings: where, which key, which value, the nearest known key."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.chat_settings import ChannelSettings
from bot.persona_settings import NamedVoice
from kb.sources import AnySource

_SECRET = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_LONGEST_VALUE = 60
# A pasted key under a mistyped name: one long word of letters and digits.
_KEY_LIKE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.+=-]{20,}")


def describe(error: ValidationError, settings: type[BaseModel], *, file: Path | None, prefix: str) -> str:
    """Return one line about the first problem, with a count of the others."""
    problems = error.errors(include_url=False)
    more = len(problems) - 1
    tail = f" ({more} more {'problem' if more == 1 else 'problems'} after this one)" if more else ""
    return _problem(problems[0], settings, file=file, prefix=prefix) + tail


def known_keys(settings: type[BaseModel]) -> list[str]:
    """List every key as `section.key`, those of sources as `sources.key`."""
    return list(_keys(settings))


def nearest_variable(name: str, settings: type[BaseModel], *, prefix: str) -> str:
    """Return ` Did you mean …?` for an environment variable, or nothing."""
    known = [prefix + key.upper().replace(".", "__") for key in _keys(settings)]
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def shown(key: str, value: object) -> str:
    """Return a value as a message may show it: never a secret's, never a login, never long."""
    is_secret = _SECRET.search(key) and not key.endswith("_env")
    if is_secret or (isinstance(value, str) and _KEY_LIKE.fullmatch(value)):
        return "(not shown)"
    text = _LOGIN.sub("***@", repr(value))
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _problem(problem: ErrorDetails, settings: type[BaseModel], *, file: Path | None, prefix: str) -> str:
    path = _path(problem["loc"])
    place = _place(problem["loc"], file, prefix)
    if problem["type"] == "extra_forbidden":
        value = shown(path, problem["input"])
        hint = _elsewhere(problem["loc"]) or _nearest(path, settings)
        return f"{place}: unknown key {path!r} (value {value}).{hint}"
    if problem["type"] == "missing":
        return f"{place}: {path} is missing."
    if problem["type"] == "union_tag_not_found":
        return f"{place}: {path}.type is missing. Write one of: {', '.join(_source_types())}."
    if problem["type"] == "union_tag_invalid":
        tag = problem.get("ctx", {}).get("tag", "")
        return f"{place}: {path}.type = {shown('type', tag)}. Write one of: {', '.join(_source_types())}."
    key = path.rsplit(".", 1)[-1]
    return f"{place}: {path} = {shown(key, problem['input'])}: {_reason(problem)}."


def _reason(problem: ErrorDetails) -> str:
    if problem["type"] == "model_type":
        return "this is a section: write its keys under [section]"
    if problem["type"] == "tuple_type":
        return "this is a list" if len(problem["loc"]) > 1 else "write each source under [[sources]]"
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return message[:1].lower() + message[1:]


def _path(location: tuple[int | str, ...]) -> str:
    """Write a location as people do: sources[1].name, the type that pydantic puts in left out."""
    parts = list(location)
    if parts[0] == "sources" and len(parts) > 2 and parts[2] in _source_types():
        del parts[2]
    text = ""
    for part in parts:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _place(location: tuple[int | str, ...], file: Path | None, prefix: str) -> str:
    names = {name.upper(): name for name in os.environ}
    for length in (2, 1):
        wanted = prefix + "__".join(str(part).upper() for part in location[:length])
        if wanted in names:
            return f"environment variable {names[wanted]}"
    return str(file) if file else "settings"


def _nearest(path: str, settings: type[BaseModel]) -> str:
    plain = re.sub(r"\[\d+\]", "", path)
    known = list(_keys(settings))
    close = difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    if not close:
        last = plain.rsplit(".", 1)[-1]
        by_name = {key.rsplit(".", 1)[-1]: key for key in known}
        close = [by_name[name] for name in difflib.get_close_matches(last, by_name, n=1, cutoff=0.8)]
    return f" Did you mean {close[0]!r}?" if close else ""


def _elsewhere(location: tuple[int | str, ...]) -> str:
    """Return which types of sources have the key that this one has not, or nothing."""
    if location[0] != "sources" or len(location) < 4:
        return ""
    key = location[3]
    types = [cls.model_fields["type"].default for cls in _source_classes() if key in cls.model_fields]
    return f" A source of the type {location[2]} has no such key; {', '.join(types)} may." if types else ""


def _keys(settings: type[BaseModel]) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        yield name
        sections: tuple[Any, ...] = _classes_of(name) or (field.annotation,)
        for key in dict.fromkeys(key for section in sections for key in section.model_fields):
            yield f"{name}.{key}"


def _classes_of(blocks: str) -> tuple[type[BaseModel], ...]:
    """Return the classes of blocks that may stand several times."""
    blocks_of: dict[str, tuple[type[BaseModel], ...]] = {
        "sources": _source_classes(),
        "channels": (ChannelSettings,),
        "personas": (NamedVoice,),
    }
    return blocks_of.get(blocks, ())


def _source_classes() -> tuple[type[BaseModel], ...]:
    return get_args(get_args(AnySource)[0])


def _source_types() -> list[str]:
    return [cls.model_fields["type"].default for cls in _source_classes()]
