"""What a command shows in a chat: a text, a question before it does something, a form to fill in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.errors import CommandError

FormAction = Literal["add", "save"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form. `choices` limit what may be given; empty: any text."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    multiline: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form; what is sent back goes to `ChatCommands.submit` under its `action`. `note` is small print."""

    title: str
    fields: tuple[Field, ...]
    action: FormAction
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A question before something is done; once confirmed, `command` goes to `ChatCommands.run`."""

    title: str
    text: str
    label: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command says: Markdown that went through the output gate, each in place of the one before."""

    text: str
    confirm: Confirm | None = None
    form: Form | None = None
    failed: bool = False


class FieldError(CommandError):
    """What was given in one field of a form cannot be."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field
