"""What Slack's documentation allows in blocks, for the tests: every breach is named by its path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Problems = Iterator[str]

_IN_MESSAGES = {
    "markdown", "section", "context", "context_actions", "actions", "divider", "header", "rich_text", "table",
}  # fmt: skip
_IN_MODALS = {"section", "context", "actions", "divider", "header", "rich_text", "input"}
_IN_HOME = _IN_MODALS

_KEYS: Mapping[str, tuple[set[str], set[str]]] = {  # required, optional; block_id is always optional
    "markdown": ({"text"}, set()),
    "section": (set(), {"text", "fields", "accessory", "expand"}),
    "context": ({"elements"}, set()),
    "context_actions": ({"elements"}, set()),
    "actions": ({"elements"}, set()),
    "divider": (set(), set()),
    "header": ({"text"}, {"level"}),
    "rich_text": ({"elements"}, set()),
    "input": ({"label", "element"}, {"hint", "optional", "dispatch_action"}),
    "button": ({"text", "action_id"}, {"value", "style", "accessibility_label", "url", "confirm"}),
    "feedback_buttons": ({"action_id", "positive_button", "negative_button"}, set()),
    "plain_text_input": (
        {"action_id"},
        {"multiline", "initial_value", "placeholder", "min_length", "max_length"},
    ),
    "static_select": ({"action_id", "options"}, {"initial_option", "placeholder"}),
    "overflow": ({"action_id", "options"}, {"confirm"}),
    "modal": ({"title", "blocks"}, {"callback_id", "close", "submit", "private_metadata", "notify_on_close"}),
    "home": ({"blocks"}, {"callback_id", "private_metadata"}),
}


def message_problems(blocks: Sequence[Mapping[str, Any]], text: str) -> list[str]:
    """Return what Slack would refuse in a message."""
    found = list(_blocks(blocks, _IN_MESSAGES, 50))
    markdown = sum(len(block.get("text", "")) for block in blocks if block["type"] == "markdown")
    found += _longer("markdown blocks", markdown, 12_000)
    found += _longer("text", len(text), 4_000)
    return found + ([] if text.strip() else ["text: empty, so notifications say nothing"])


def view_problems(view: Mapping[str, Any]) -> list[str]:
    """Return what Slack would refuse in a modal or a Home tab."""
    found = list(_keys("view", view))
    allowed = _IN_MODALS if view["type"] == "modal" else _IN_HOME
    found += _blocks(view["blocks"], allowed, 100)
    for part in ("title", "close", "submit"):
        if part in view:
            found += _text(part, view[part], 24, kinds=("plain_text",))
    found += _longer("private_metadata", len(view.get("private_metadata", "")), 3_000)
    found += _longer("callback_id", len(view.get("callback_id", "")), 255)
    found += _longer("view", len(json.dumps(view)), 250_000)
    has_input = any(block["type"] == "input" for block in view["blocks"])
    return found + (["submit: missing beside inputs"] if has_input and "submit" not in view else [])


def _blocks(blocks: Sequence[Mapping[str, Any]], allowed: set[str], most: int) -> Problems:
    yield from _longer("blocks", len(blocks), most)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id: used twice"
    for position, block in enumerate(blocks):
        path = f"blocks[{position}]"
        if block.get("type") not in allowed:
            yield f"{path}: {block.get('type')!r} does not belong here"
            continue
        yield from _keys(path, block)
        yield from _longer(f"{path}.block_id", len(block.get("block_id", "")), 255)
        yield from _CHECKS.get(block["type"], _nothing)(path, block)


def _keys(path: str, part: Mapping[str, Any]) -> Problems:
    required, optional = _KEYS[part["type"]]
    if missing := required - part.keys():
        yield f"{path}: without {sorted(missing)}"
    if unknown := part.keys() - required - optional - {"type", "block_id", "focus_on_load"}:
        yield f"{path}: unknown {sorted(unknown)}"


def _longer(path: str, length: int, most: int) -> Problems:
    if length > most:
        yield f"{path}: {length} where {most} is the most"


def _text(
    path: str, text: Mapping[str, Any], most: int, kinds: Iterable[str] = ("plain_text", "mrkdwn")
) -> Problems:
    if text.get("type") not in kinds:
        yield f"{path}: is {text.get('type')!r}"
    if text.keys() - {"type", "text", "emoji" if text.get("type") == "plain_text" else "verbatim"}:
        yield f"{path}: unknown {sorted(text)}"
    if not text.get("text"):
        yield f"{path}: empty"
    yield from _longer(path, len(text.get("text", "")), most)


def _section(path: str, block: Mapping[str, Any]) -> Problems:
    if "text" not in block and "fields" not in block:
        yield f"{path}: neither text nor fields"
    if "text" in block:
        yield from _text(f"{path}.text", block["text"], 3_000)
    yield from _longer(f"{path}.fields", len(block.get("fields", ())), 10)
    for field in block.get("fields", ()):
        yield from _text(f"{path}.fields", field, 2_000)
    if "accessory" in block:
        yield from _element(f"{path}.accessory", block["accessory"])


def _context(path: str, block: Mapping[str, Any]) -> Problems:
    yield from _between(path, block, 10)
    for element in block["elements"]:
        yield from _text(f"{path}.elements", element, 3_000)


def _actions(path: str, block: Mapping[str, Any]) -> Problems:
    most = 25 if block["type"] == "actions" else 5
    yield from _between(path, block, most)
    ids = [element.get("action_id") for element in block["elements"]]
    if len(ids) != len(set(ids)):
        yield f"{path}: action_id used twice"
    for element in block["elements"]:
        yield from _element(f"{path}.elements", element)


def _between(path: str, block: Mapping[str, Any], most: int) -> Problems:
    if not block["elements"]:
        yield f"{path}: no elements"
    yield from _longer(f"{path}.elements", len(block["elements"]), most)


def _element(path: str, element: Mapping[str, Any]) -> Problems:
    yield from _keys(path, element)
    yield from _longer(f"{path}.action_id", len(element.get("action_id", "")), 255)
    yield from _longer(f"{path}.value", len(element.get("value", "")), 2_000)
    if "text" in element:
        yield from _text(f"{path}.text", element["text"], 75, kinds=("plain_text",))
    for thumb in ("positive_button", "negative_button"):
        if thumb in element:
            yield from _text(f"{path}.{thumb}", element[thumb]["text"], 75, kinds=("plain_text",))
            yield from _longer(f"{path}.{thumb}", len(element[thumb]["value"]), 2_000)
    yield from _longer(f"{path}.accessibility_label", len(element.get("accessibility_label", "")), 75)
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield f"{path}.style: {element['style']!r}"
    yield from _options(path, element)


def _options(path: str, element: Mapping[str, Any]) -> Problems:
    if "options" not in element:
        return
    if not element["options"]:
        yield f"{path}.options: none"
    yield from _longer(
        f"{path}.options", len(element["options"]), 100 if element["type"] != "overflow" else 5
    )
    for option in element["options"]:
        yield from _text(f"{path}.options", option["text"], 75)
        yield from _longer(f"{path}.options", len(option["value"]), 150)


def _input(path: str, block: Mapping[str, Any]) -> Problems:
    yield from _text(f"{path}.label", block["label"], 2_000, kinds=("plain_text",))
    if "hint" in block:
        yield from _text(f"{path}.hint", block["hint"], 2_000, kinds=("plain_text",))
    yield from _element(f"{path}.element", block["element"])
    yield from _longer(f"{path}.initial_value", len(block["element"].get("initial_value", "")), 3_000)
    if "placeholder" in block["element"]:
        yield from _text(f"{path}.placeholder", block["element"]["placeholder"], 150, kinds=("plain_text",))


def _markdown(path: str, block: Mapping[str, Any]) -> Problems:
    if not block["text"].strip():
        yield f"{path}: empty"


def _header(path: str, block: Mapping[str, Any]) -> Problems:
    yield from _text(f"{path}.text", block["text"], 150, kinds=("plain_text",))


def _nothing(path: str, block: Mapping[str, Any]) -> Problems:
    return iter(())


_CHECKS: Mapping[str, Callable[[str, Mapping[str, Any]], Problems]] = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "markdown": _markdown,
    "header": _header,
}
