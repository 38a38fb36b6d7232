"""What all exports are turned into: messages, and the people who wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["slack", "discord", "mail", "text", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message as an export has it.

    `text` is in the marks of its `kind`. Messages of one `conversation` belong together; with `gaps` a long
    silence begins a new one. `at` is in seconds since the epoch, and orders messages; `parent` is the key
    of the message that it replies to. `speaker` is an id with its platform before it: `slack:U1`.
    """

    key: str
    kind: Kind
    conversation: str
    speaker: str
    text: str
    at: float
    parent: str = ""
    gaps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person of an export and what they are called there, best name first."""

    id: str
    names: tuple[str, ...]


Found = Said | Known
