"""Slack's blocks as a page that looks as Slack shows them: HTML and CSS of our own, no file of Slack's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

Block = Mapping[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

STYLE = (Path(__file__).parent / "slack.css").read_text(encoding="utf-8")

_EYE = (
    '<svg class="eye" width="14" height="14" viewBox="0 0 20 20" fill="none" stroke="#616061">'
    '<path d="M1.5 10S4.5 4.5 10 4.5 18.5 10 18.5 10 15.5 15.5 10 15.5 1.5 10 1.5 10z"/>'
    '<circle cx="10" cy="10" r="2.5"/></svg>'
)
_EMOJI: Mapping[str, str] = {  # shapes of our own: the browser may have no font with coloured emoji
    ":large_green_circle:": '<i class="dot" style="background:#2ea664"></i>',
    ":large_blue_circle:": '<i class="dot" style="background:#1d9bd1"></i>',
    ":large_yellow_circle:": '<i class="dot" style="background:#ecb22e"></i>',
    ":large_orange_circle:": '<i class="dot" style="background:#e8912d"></i>',
    ":red_circle:": '<i class="dot" style="background:#e01e5a"></i>',
    ":white_circle:": '<i class="dot" style="background:#e3e3e3"></i>',
    ":information_source:": '<i class="sign" style="background:#1d9bd1">i</i>',
    ":warning:": '<i class="sign" style="background:#e8912d">!</i>',
}
_THUMB = (
    '<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round">'
    '<path d="M7 9.2 10.2 3c1 0 1.8.8 1.8 1.8V8h3.6c1 0 1.7.9 1.5 1.9l-1.1 5.4c-.2.7-.8 1.2-1.5 1.2H7z'
    'M3 9.2h4v7.3H3z"/></svg>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message on the page. `only` is the line that Slack writes over what one person alone sees."""

    who: str
    blocks: Sequence[Block] = ()
    text: str = ""
    time: str = "10:24"
    app: bool = True
    only: str = ""


def thread(title: str, messages: Sequence[Shown], *, note: str = "") -> str:
    """Return a page with messages under each other."""
    small = f"<small>{html.escape(note)}</small>" if note else ""
    inner = "".join(_message(message) for message in messages)
    return _page(f'<div class="bar">{html.escape(title)} {small}</div><div class="pane">{inner}</div>')


def home(view: Mapping[str, Any]) -> str:
    """Return a page with an app's Home tab."""
    tabs = '<div class="bar"><span>Lorekeeper</span> <small>Home&ensp;Messages&ensp;About</small></div>'
    return _page(f'{tabs}<div class="pane wide">{_blocks(view["blocks"])}</div>')


def modal(view: Mapping[str, Any]) -> str:
    """Return a page with a modal."""
    face = _face("Lorekeeper")
    title = f"<header>{face}{_plain(view['title'])}<i>✕</i></header>"
    buttons = f'<span class="button">{_plain(view["close"])}</span>'
    if "submit" in view:
        buttons += f'<span class="button primary">{_plain(view["submit"])}</span>'
    inner = f"<div>{_blocks(view['blocks'])}</div><footer>{buttons}</footer>"
    return _page(f'<div class="shade"><div class="modal">{title}{inner}</div></div>')


def _page(inner: str) -> str:
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{inner}</body>"


def _message(shown: Shown) -> str:
    badge = "<b>APP</b>" if shown.app else ""
    only = f'<div class="only">{_EYE} {html.escape(shown.only)}</div>' if shown.only else ""
    body = _blocks(shown.blocks) or f'<div class="block">{_mrkdwn(shown.text)}</div>'
    who = f'<div class="who">{html.escape(shown.who)} {badge}<time>{shown.time}</time></div>'
    return f'<div class="message">{_face(shown.who)}<div>{only}{who}{body}</div></div>'


def _face(who: str) -> str:
    colour = "#1f2937" if who == "Lorekeeper" else "#7c3aed" if who < "M" else "#0f766e"
    return f'<div class="face" style="background:{colour}">{html.escape(who[:1])}</div>'


def _blocks(blocks: Sequence[Block]) -> str:
    return "".join(_BLOCKS[block["type"]](block) for block in blocks)


def _plain(text: Block) -> str:
    return html.escape(text["text"])


def _text(text: Block) -> str:
    return _mrkdwn(text["text"]) if text["type"] == "mrkdwn" else _plain(text)


def _mrkdwn(text: str) -> str:
    """Return Slack's own markup as HTML: what stands escaped in it is already fit for a page."""
    out = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r'<a href="\1">\2</a>', text)
    out = re.sub(r"<(@U\w+|!subteam\^\w+)>", r'<a style="background:#e8f5fa">@IT helpdesk</a>', out)
    out = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", out)
    out = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])", r"<b>\1</b>", out)
    out = re.sub(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])", r"<i>\1</i>", out)
    for name, shape in _EMOJI.items():
        out = out.replace(name, shape)
    return re.sub(r"(?m)^&gt; ?(.*)$", r'<span class="quote">\1</span>', out)


def _markdown(block: Block) -> str:
    rendered = _MARKDOWN.render(block["text"])
    rendered = re.sub(r"<(p|li|h\d|td|th|table|ul|ol)>", r'<\1 dir="auto">', rendered)
    return f'<div class="block markdown">{rendered}</div>'


def _section(block: Block) -> str:
    parts = f"<div>{_text(block['text'])}</div>" if "text" in block else ""
    if fields := "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", ())):
        parts += f'<div class="fields">{fields}</div>'
    if "accessory" in block:
        parts += _button(block["accessory"])
    return f'<div class="block section">{parts}</div>'


def _context(block: Block) -> str:
    inner = " ".join(_text(element) for element in block["elements"])
    return f'<div class="block context" dir="auto">{inner}</div>'


def _button(element: Block) -> str:
    return f'<span class="button {element.get("style", "")}">{_plain(element["text"])}</span>'


def _actions(block: Block) -> str:
    return f'<div class="block actions">{"".join(_button(element) for element in block["elements"])}</div>'


def _context_actions(block: Block) -> str:
    thumbs = f'<span class="thumb">{_THUMB}</span><span class="thumb down">{_THUMB}</span>'
    return f'<div class="block thumbs">{thumbs}</div>'


def _input(block: Block) -> str:
    element = block["element"]
    chosen = element.get("initial_option", {}).get("text", {}).get("text", "")
    value = element.get("initial_value") or chosen
    kind = "select" if element["type"] == "static_select" else "tall" if element.get("multiline") else ""
    shown = html.escape(value or element.get("placeholder", {}).get("text", "")) or "&nbsp;"
    optional = " <small>(optional)</small>" if block.get("optional") else ""
    hint = f'<div class="hint">{_plain(block["hint"])}</div>' if "hint" in block else ""
    empty = "" if value else "empty"
    return (
        f'<div class="field"><label>{_plain(block["label"])}{optional}</label>'
        f'<div class="input {kind} {empty}">{shown}</div>{hint}</div>'
    )


def _rich_text(block: Block) -> str:
    inner = "".join(html.escape(leaf["text"]) for part in block["elements"] for leaf in part["elements"])
    return f'<div class="block quote" dir="auto">{inner}</div>'


_BLOCKS: Mapping[str, Callable[[Block], str]] = {
    "markdown": _markdown,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "header": lambda block: f'<div class="block header">{_plain(block["text"])}</div>',
    "divider": lambda block: '<hr class="divider">',
    "input": _input,
    "rich_text": _rich_text,
}
