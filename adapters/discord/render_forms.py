"""Forms become Discord's modals, and what is sent back becomes values by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from adapters.discord.gate import gate, plain
from adapters.discord.layouts import (
    COMMENT,
    FORM,
    OPTIONS,
    Component,
    Payload,
    button,
    message,
    rows,
    shortened,
    text,
)
from bot.forms import Field, Form
from bot.texts import Texts

TITLE: Final = 45
LABEL: Final = 45
HINT: Final = 100
VALUE: Final = 4_000
FIELDS: Final = 5


def form_modal(form: Form, *, errors: Mapping[str, str] | None = None) -> Payload:
    """Return a form as a modal. `errors` says by field what was wrong with it, shown in place of its hint.

    Raise ValueError for a form with more fields than a modal holds.
    """
    if len(form.fields) > FIELDS:
        raise ValueError(f"The form {form.title!r} has {len(form.fields)} fields; a modal holds {FIELDS}.")
    wrong = errors or {}
    spare = len(form.fields) < FIELDS
    noted = None if spare else next((field.name for field in form.fields if not field.hint), None)
    parts = [
        _label(field, wrong.get(field.name, ""), form.note if field.name == noted else "")
        for field in form.fields
    ]
    if form.note and spare:
        parts.append(text(f"-# {shortened(' '.join(gate(form.note).split()), 500)}"))
    return _modal(f"{FORM}:{form.action}", form.title, parts)


def form_payload(form: Form, texts: Texts, *, line: str = "") -> Payload:
    """Return a message with the button that opens a form, for where a modal cannot be opened at once."""
    opens = button(plain(form.title, 80) or texts.open, f"{FORM}:{form.action}", style="primary")
    said = gate(line or form.note)[:VALUE]
    return message([*([text(said)] if said else []), *rows([opens])])


def comment_modal(answer: str, texts: Texts) -> Payload:
    """Return the form that asks what was wrong with an answer."""
    field = Field(name="comment", label=texts.what_was_wrong, hint=texts.comment_hint, multiline=True)
    return _modal(f"{COMMENT}:{answer}", texts.not_helpful, [_label(field, "", "")])


def submitted(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what was filled in, by field; of several choices all, with commas between."""
    return {
        str(part["custom_id"]): _value(part)
        for part in _inputs(data.get("components") or ())
        if part.get("custom_id")
    }


def _modal(identifier: str, title: str, parts: Sequence[Component]) -> Payload:
    return {
        "custom_id": identifier[:100],
        "title": plain(title, TITLE) or "…",
        "components": list(parts),
    }


def _label(field: Field, error: str, note: str) -> Component:
    """Return a field under its label; a hint stands in the empty field, an error or a note above it."""
    above = f"⚠️ {plain(error, HINT - 3)}" if error else plain(note or field.hint, HINT)
    made: Component = {"type": 18, "label": plain(field.label, LABEL) or field.name}
    if above:
        made["description"] = above
    return made | {"component": _select(field) if field.choices else _input(field)}


def _input(field: Field) -> Component:
    made: Component = {
        "type": 4,
        "custom_id": field.name,
        "style": 2 if field.multiline else 1,
        "required": not field.optional,
        "max_length": VALUE if field.multiline else 1_000,
    }
    if field.value:
        made["value"] = field.value[: made["max_length"]]
    return made


def _select(field: Field) -> Component:
    return {
        "type": 3,
        "custom_id": field.name,
        "required": not field.optional,
        "options": [
            {"label": shortened(choice, 100), "value": choice[:100], "default": choice == field.value}
            for choice in field.choices[:OPTIONS]
        ],
    }


def _inputs(components: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in components:
        if "component" in part:
            yield part["component"]
        elif "components" in part:
            yield from _inputs(part["components"])
        else:
            yield part


def _value(part: Mapping[str, Any]) -> str:
    if "values" in part:
        return ",".join(map(str, part["values"] or ()))
    return str(part.get("value") or "")
