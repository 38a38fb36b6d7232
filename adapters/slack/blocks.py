"""Block Kit: small builders for the blocks that are used, and a checker of Slack's documented limits.

A block that breaks a limit makes Slack refuse the whole message, so the builders cut what is too long and
the checker stands in every test that renders something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.slack.gate import plain

Block = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN = 12_000  # of all markdown blocks of a message together
SECTION = 3_000
HEADER = 150
LABEL = 75
BUTTON_VALUE = 2_000
MODAL_TITLE = 24
INPUT_LABEL = 2_000
PLACEHOLDER = 150
OPTIONS = 100
PREFILL = 3_000
EMPTY = "–"  # Slack refuses a text without characters
FALLBACK = 3_500  # `text` beside blocks: 40,000 when posted, but 4,000 when updated


def plain_text(text: str, limit: int) -> Block:
    """Return a text object that Slack shows as it is."""
    return {"type": "plain_text", "text": plain(text, limit) or EMPTY, "emoji": False}


def mrkdwn(text: str) -> Block:
    """Return a text object of markup; `text` must come from `gate.literal` and `gate.link`."""
    return {"type": "mrkdwn", "text": text if text.strip() else EMPTY, "verbatim": True}


def markdown(text: str) -> Block:
    """Return standard Markdown; `text` must come from `gate.gate`."""
    return {"type": "markdown", "text": text}


def section(text: str, *, accessory: Block | None = None, fields: Sequence[str] = ()) -> Block:
    """Return a paragraph of markup, with a button beside it or short fields below."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if fields:
        block["fields"] = [mrkdwn(field) for field in fields]
    if accessory:
        block["accessory"] = accessory
    return block


def context(lines: Sequence[str]) -> list[Block]:
    """Return lines of markup in small print, in as many blocks as their length takes."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= SECTION:
            packed[-1] += f"\n{line}"
        else:
            packed.append(line)
    return [{"type": "context", "elements": [mrkdwn(text)]} for text in packed]


def header(text: str) -> Block:
    """Return a heading."""
    return {"type": "header", "text": plain_text(text, HEADER)}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def quote(text: str) -> Block:
    """Return text of a document as a quotation, in which Slack reads no markup at all."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_quote", "elements": [{"type": "text", "text": text or EMPTY}]}],
    }


def button(label: str, action: str, value: str, *, style: str = "", hint: str = "") -> Block:
    """Return a button. `style` is "primary" or "danger"; `hint` is what a screen reader says."""
    element: Block = {
        "type": "button",
        "action_id": action,
        "text": plain_text(label, LABEL),
        "value": value[:BUTTON_VALUE],
    }
    if style:
        element["style"] = style
    if hint:
        element["accessibility_label"] = plain(hint, LABEL)
    return element


def actions(elements: Sequence[Block]) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def feedback(action: str, good: tuple[str, str], bad: tuple[str, str]) -> Block:
    """Return Slack's own thumbs; `good` and `bad` are label and value."""

    def thumb(label: str, value: str) -> Block:
        return {
            "text": plain_text(label, LABEL),
            "value": value[:BUTTON_VALUE],
            "accessibility_label": plain(label, LABEL),
        }

    element = {
        "type": "feedback_buttons",
        "action_id": action,
        "positive_button": thumb(*good),
        "negative_button": thumb(*bad),
    }
    return {"type": "context_actions", "elements": [element]}


def field(name: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    """Return a field of a modal; `name` is its block id and its element's action id is "value"."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, INPUT_LABEL),
        "element": {**element, "action_id": "value"},
        "optional": optional,
    }
    if hint:
        block["hint"] = plain_text(hint, INPUT_LABEL)
    return block


def text_input(value: str, *, multiline: bool = False, placeholder: str = "") -> Block:
    """Return the element in which text is typed."""
    element: Block = {"type": "plain_text_input", "multiline": multiline}
    if value:
        element["initial_value"] = value[:PREFILL]
    if placeholder:
        element["placeholder"] = plain_text(placeholder, PLACEHOLDER)
    return element


def choice(choices: Sequence[str], value: str) -> Block:
    """Return the element in which one of several texts is chosen."""
    options = [{"text": plain_text(text, LABEL), "value": text[:LABEL]} for text in choices[:OPTIONS]]
    element: Block = {"type": "static_select", "options": options}
    chosen = [option for option in options if option["value"] == value[:LABEL]]
    return {**element, "initial_option": chosen[0]} if chosen else element


def modal(
    title: str, blocks: Sequence[Block], *, close: str, callback: str, submit: str = "", keep: str = ""
) -> Block:
    """Return a modal; without `submit` it can only be closed."""
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, MODAL_TITLE),
        "close": plain_text(close, MODAL_TITLE),
        "blocks": list(blocks)[:VIEW_BLOCKS],
        "private_metadata": keep,
    }
    return {**view, "submit": plain_text(submit, MODAL_TITLE)} if submit else view
