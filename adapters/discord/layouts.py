"""The parts that a Discord message is built of, as the API takes them, and the ids of what can be pressed.

Every message is in components v2: text displays, sections, separators, containers and buttons in place of
content and embeds. Builders cut what is longer than Discord allows; they do not make text safe, `gate` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from bot.chat import Control

Component = dict[str, Any]
Payload = dict[str, Any]
Style = Literal["primary", "secondary", "success", "danger"]

SUPPRESS_EMBEDS = 1 << 2
EPHEMERAL = 1 << 6
COMPONENTS_V2 = 1 << 15

CONTENT = 2_000  # characters of a plain message
TEXT = 4_000  # characters of all text displays of a message together
COMPONENTS = 40
ROW = 5
CARD = 17  # the type of a container
LABEL = 80
ADDRESS = 512  # characters of a link button's address
OPTIONS = 25

GREY, BLUE, GREEN, YELLOW, RED = 0x4E5058, 0x5865F2, 0x248046, 0xF0B232, 0xDA373C

CONFIRM, CANCEL, SUGGEST = "lk:confirm", "lk:cancel", "lk:suggest"
FORM, COMMENT, STOP, CHOOSE = "lk:form", "lk:comment", "lk:stop", "lk:choose"
TEMPLATE = re.compile(
    r"lk:(?P<control>feedback|sources|person|resolved|share|approve|discard)"
    r":(?P<answer>[\w-]{1,64})(?::(?P<verdict>good|bad))?"
)

_STYLES: dict[Style, int] = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}
_CONTROLS: frozenset[str] = frozenset(get_args(Control))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button under an answer. `good` is what a press on feedback says, None on the other buttons."""

    control: Control
    answer: str
    good: bool | None = None


def custom_id(control: Control, answer: str, *, good: bool | None = None) -> str:
    """Return a button's id, which holds all that a press must tell, so that it outlives a restart."""
    verdict = "" if good is None else ":good" if good else ":bad"
    return f"lk:{control}:{answer}{verdict}"


def read_custom_id(text: str) -> Pressed | None:
    """Return what a press on a button says; None when the button is none under an answer."""
    found = TEMPLATE.fullmatch(text)
    if found is None or found["control"] not in _CONTROLS:
        return None
    verdict = {"good": True, "bad": False}.get(found["verdict"] or "")
    return Pressed(control=cast("Control", found["control"]), answer=found["answer"], good=verdict)


def message(components: Sequence[Component], *, flags: int = 0) -> Payload:
    """Return a message that consists of components."""
    return {"flags": COMPONENTS_V2 | flags, "components": list(components)}


def text(content: str) -> Component:
    """Return Markdown as a block of its own."""
    return {"type": 10, "content": content or "\u200b"}


def separator(*, line: bool = True, large: bool = False) -> Component:
    """Return a gap, with a line in it or not."""
    return {"type": 14, "divider": line, "spacing": 2 if large else 1}


def section(content: str, accessory: Component) -> Component:
    """Return Markdown with a button at its side."""
    return {"type": 9, "components": [text(content)], "accessory": accessory}


def container(components: Sequence[Component], *, accent: int | None = None) -> Component:
    """Return a card around components, with a coloured edge."""
    return {"type": CARD, "components": list(components), "accent_color": accent}


def button(
    label: str, identifier: str, *, style: Style = "secondary", emoji: str = "", disabled: bool = False
) -> Component:
    """Return a button; `emoji` is a Unicode emoji, and enough where there is no label."""
    made: Component = {"type": 2, "style": _STYLES[style], "custom_id": identifier}
    if label:
        made["label"] = shortened(label, LABEL)
    if emoji:
        made["emoji"] = {"name": emoji}
    return made | ({"disabled": True} if disabled else {})


def link_button(label: str, address: str) -> Component:
    """Return a button that opens an address, which must be one that `gate.address` let through."""
    return {"type": 2, "style": 5, "label": shortened(label, LABEL), "url": address}


def rows(buttons: Sequence[Component]) -> list[Component]:
    """Return buttons in rows of as many as Discord allows."""
    return [{"type": 1, "components": list(part)} for part in _parts(buttons, ROW)]


def shortened(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, cut at a word where one ends near."""
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - 1)]
    space = kept.rfind(" ")
    return (kept[:space] if space > limit * 0.7 else kept).rstrip() + "…"


def walk(components: Sequence[Component]) -> Iterator[Component]:
    """Yield each component, outer before inner."""
    for component in components:
        yield component
        yield from walk(component.get("components", ()))
        yield from walk([component[key] for key in ("accessory", "component") if key in component])


def letters(components: Sequence[Component]) -> int:
    """Return how many characters of text components hold, as Discord counts them for a message."""
    return sum(len(part["content"]) for part in walk(components) if part["type"] == 10)


def _parts(items: Sequence[Component], size: int) -> Iterator[Sequence[Component]]:
    return (items[start : start + size] for start in range(0, len(items), size))
