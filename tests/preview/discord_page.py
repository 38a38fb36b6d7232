"""Discord's messages as a page that looks as Discord shows them, with HTML and CSS of our own."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.preview.discord_markdown import to_html

Component = Mapping[str, Any]

STYLE = """
:root { --page: #313338; --ink: #dbdee1; --strong: #f2f3f5; --soft: #949ba4; --card: #2b2d31; --line:
  #3f4147;
  --link: #00a8fc; --code: #1e1f22; --blurple: #5865f2; }
* { box-sizing: border-box; }
html, body { background: var(--page); } body { margin: 0; padding-bottom: 6px; color: var(--ink);
  font: 16px/1.375 "gg sans", "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif; }
.bar { height: 48px; display: flex; align-items: center; gap: 8px; padding: 0 16px; font-weight: 600;
  color: var(--strong); border-bottom: 1px solid #26282c; box-shadow: 0 1px 0 rgba(0,0,0,.2); }
.bar i { color: var(--soft); font-style: normal; font-size: 22px; font-weight: 400; }
.bar small { color: var(--soft); font-weight: 400; font-size: 14px; border-inline-start: 1px solid
  var(--line);
  padding-inline-start: 10px; margin-inline-start: 4px; }
.pane { padding: 14px 16px 10px; }
.message { display: grid; grid-template-columns: 40px 1fr; column-gap: 16px; padding: 4px 0 6px; margin-
  bottom: 11px; }
.reply { grid-column: 1 / 3; display: flex; align-items: center; gap: 5px; font-size: 14px; color: #b5bac1;
  margin: 0 0 4px 20px; padding-inline-start: 36px; position: relative; white-space: nowrap; overflow:
  hidden; }
.reply::before { content: ""; position: absolute; left: 0; top: 9px; width: 31px; height: 12px;
  border: 2px solid #4e5058; border-right: 0; border-bottom: 0; border-top-left-radius: 6px; }
.reply b { color: #c9cdfb; font-weight: 500; background: rgba(88,101,242,.0); } .reply b.cmd { color:
  #00a8fc; }
.reply .face { width: 16px; height: 16px; font-size: 9px; }
.face { width: 40px; height: 40px; border-radius: 50%; display: grid; place-items: center; color: #fff;
  font-weight: 700; }
.who { display: flex; align-items: center; gap: 6px; line-height: 1.375; color: var(--strong); font-
  weight: 500; }
.who b { background: var(--blurple); color: #fff; font-size: 10.5px; font-weight: 600; border-radius: 4px;
  padding: 1px 5px; line-height: 14px; } .who time { color: var(--soft); font-size: 12px; font-weight:
  400; }
.body { max-width: 620px; display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.text > :first-child { margin-top: 0; } .line { min-height: 1.1em; }
.text h1, .text h2, .text h3 { color: var(--strong); margin: 8px 0 4px; font-weight: 700; line-height:
  1.3; }
.text h1 { font-size: 24px; } .text h2 { font-size: 20px; } .text h3 { font-size: 16px; }
.text b { color: inherit; font-weight: 700; } .text small { display: block; font-size: 13px; color:
  var(--soft); line-height: 1.45; }
.text small b { color: #b5bac1; } a { color: var(--link); }
.text time { background: rgba(255,255,255,.06); border-radius: 3px; padding: 0 2px; }
.item { position: relative; } .item i { position: absolute; margin-inline-start: -20px; font-style:
  normal; }
blockquote { margin: 2px 0; padding: 0 8px 0 12px; border-inline-start: 4px solid #4e5058; border-radius:
  4px; }
code { font: 85%/1.2 "Liberation Mono", "DejaVu Sans Mono", monospace; background: var(--code); border-
  radius: 4px; padding: 2px 4px; }
pre { font: 14px/1.25 "DejaVu Sans Mono", monospace; background: var(--card); border: 1px solid #1e1f22;
  border-radius: 4px; padding: 8px; margin: 6px 0; white-space: pre-wrap; font-size: 13px; } .card pre {
  background: var(--code); }
.mention { background: rgba(88,101,242,.3); color: #c9cdfb; border-radius: 3px; padding: 0 2px; font-
  weight: 500; }
.spoiler { background: #1e1f22; color: transparent; border-radius: 4px; }
.separator { height: 1px; background: var(--line); margin: 4px 0; } .separator.large { margin: 10px 0; }
  .separator.gap { background: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px;
  display: flex;
  flex-direction: column; gap: 8px; max-width: 600px; position: relative; overflow: hidden; }
.card.accent::before { content: ""; position: absolute; inset: 0 auto 0 0; width: 4px; background:
  var(--accent); }
.section { display: flex; gap: 16px; justify-content: space-between; align-items: flex-start; } .section >
  .text { flex: 1; min-width: 0; }
.row { display: flex; flex-wrap: wrap; gap: 8px; }
.button { height: 32px; padding: 0 14px; border-radius: 8px; font-size: 14px; font-weight: 500; color:
  #fff; display: inline-flex;
  align-items: center; gap: 6px; white-space: nowrap; background: #43444b; border: 1px solid #4b4c53; }
.button.s1 { background: var(--blurple); border-color: var(--blurple); } .button.s3 { background: #248046;
  border-color: #248046; }
.button.s4 { background: #da373c; border-color: #da373c; } .button svg, .emoji svg { width: 18px; height:
  18px; }
.button.only { padding: 0 12px; } .emoji { display: inline-block; vertical-align: -3px; } .text h2 .emoji
  svg { width: 22px; height: 22px; }
.text small .emoji svg { width: 14px; height: 14px; } .text small .emoji { vertical-align: -2px; }
.select { width: 100%; max-width: 400px; height: 40px; background: #1e1f22; border: 1px solid #26282c;
  border-radius: 8px;
  color: var(--soft); display: flex; align-items: center; justify-content: space-between; padding: 0 12px;
  font-size: 15px; }
.only-you { font-size: 12px; color: var(--soft); margin-top: 2px; } .only-you a { color: var(--link); }
.ephemeral { background: rgba(88,101,242,.08); box-shadow: inset 2px 0 0 var(--blurple); margin: 0 -16px
  11px; padding: 8px 16px; }
.modal { width: 440px; margin: 22px auto; background: #313338; border: 1px solid #404249; border-radius:
  12px; overflow: hidden;
  box-shadow: 0 12px 40px rgba(0,0,0,.4); } .modal header { display: flex; align-items: center; gap: 10px;
  padding: 16px 16px 12px;
  font-size: 20px; font-weight: 700; color: var(--strong); } .modal header i { margin-inline-start: auto;
  font-style: normal; color: var(--soft); }
.modal header .face { width: 28px; height: 28px; font-size: 13px; }
.modal > div { padding: 0 16px 4px; } .field { margin-bottom: 16px; } .field label { font-size: 15px;
  font-weight: 600; color: var(--strong); display: block; }
.field label u { color: #f23f43; text-decoration: none; } .field p { margin: 1px 0 0; font-size: 13.5px;
  color: #b5bac1; }
.input { margin-top: 7px; background: #1e1f22; border: 1px solid #26282c; border-radius: 8px; padding: 8px
  10px; min-height: 40px; color: var(--ink); }
.input.tall { min-height: 120px; white-space: pre-wrap; } .input.empty { color: #87898c; }
.modal footer { padding: 12px 16px 16px; display: grid; grid-template-columns: 1fr 1fr; gap: 8px; } .modal
  footer .button { justify-content: center; height: 40px; }
"""

_CIRCLE = '<circle cx="9" cy="9" r="6.5" fill="{}"/>'
_HAND = (
    '<path fill="#ffcc4d" d="M6.3 8 9 2.2c1.2 0 2 .9 2 2V7h3.6c1.1 0 1.8 1 1.6 2l-1 5c-.2.9-1 1.5-1.8 1.5'
    'H6.3zM2 8h3v7.5H2z"/>'
)
_EMOJI = {
    "👍": _HAND,
    "👎": f'<g transform="rotate(180 9 9)">{_HAND}</g>',
    "📚": '<path fill="#3b88c3" d="M2 3h4v12H2z"/><path fill="#dd2e44" d="M6.5 3h4v12h-4z"/>'
    '<path fill="#77b255" d="m11 4 3.8-1 2.4 11.2-3.8 1z"/>',
    "🙋": '<circle cx="9" cy="6" r="3.2" fill="#ffcc4d"/>'
    '<path fill="#3b88c3" d="M3.5 17c0-4 2.3-6 5.5-6s5.5 2 5.5 6z"/>'
    '<path stroke="#ffcc4d" stroke-width="2" stroke-linecap="round" d="M14 13.5 15.8 4"/>',
    "✅": '<rect x="2" y="2" width="14" height="14" rx="3" fill="#77b255"/>'
    '<path d="m5 9.4 2.7 2.7L13 6" stroke="#fff" stroke-width="2" fill="none"/>',
    "✏️": '<path fill="#ffcc4d" d="m3 12 8.4-8.4 3 3L6 15l-4 1z"/>',
    "⚠️": '<path fill="#ffcc4d" d="M9 2 17 16H1z"/>'
    '<path stroke="#231f20" stroke-width="1.8" d="M9 7v4.2M9 12.8v1.7"/>',
    "\u2795": '<path stroke="#fff" stroke-width="2.6" d="M9 3v12M3 9h12"/>',
    "ⓘ": '<circle cx="9" cy="9" r="7" fill="none" stroke="#949ba4" stroke-width="1.6"/>'
    '<path stroke="#949ba4" stroke-width="1.8" d="M9 8v5M9 5v1.6"/>',
    "👁": '<path fill="none" stroke="#949ba4" stroke-width="1.5"'
    ' d="M1.5 9C5 3.5 13 3.5 16.500 9 13 14.500 5 14.500 1.500 9z"/>'
    '<circle cx="9" cy="9" r="2.4" fill="#949ba4"/>',
    "🧵": '<path stroke="#949ba4" stroke-width="1.7" d="M6 2 4.500 16M12.500 2 11 16M2 6h14M2 12h9"/>',
    "⏹️": '<rect x="2" y="2" width="14" height="14" rx="3" fill="#3b88c3"/>'
    '<rect x="6" y="6" width="6" height="6" fill="#fff"/>',
    "🟢": _CIRCLE.format("#57b560"),
    "🔴": _CIRCLE.format("#dd2e44"),
    "🟡": _CIRCLE.format("#fdcb58"),
    "⚪": _CIRCLE.format("#e6e7e8"),
    "🔄": '<rect x="2" y="2" width="14" height="14" rx="3" fill="#3b88c3"/>'
    '<path d="M12.6 7.4A4 4 0 0 0 5.4 7M5.4 10.6a4 4 0 0 0 7.2.4" stroke="#fff" stroke-width="1.8"'
    ' fill="none"/>',
    "⏸️": '<rect x="2" y="2" width="14" height="14" rx="3" fill="#3b88c3"/>'
    '<path stroke="#fff" stroke-width="2" d="M7 5.5v7M11 5.5v7"/>',
}
_OPEN = (
    ' <svg viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="1.6">'
    '<path d="M10 3h5v5M15 3 8 10M13 10v5H3V5h5"/></svg>'
)
_EMOJI_WORD = re.compile("|".join(sorted(_EMOJI, key=len, reverse=True)))
_COLOURS = {"Lorekeeper": "#1f2937", "Mara": "#7c3aed", "Jonas": "#0f766e"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message on the page. `reply` is the line above it: a quoted message, or who used a command."""

    who: str = "Lorekeeper"
    payload: Mapping[str, Any] | None = None
    text: str = ""
    time: str = "10:24"
    reply: tuple[str, str] | None = None
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """How times and mentions read on a page."""

    now: float
    names: Mapping[str, str]

    def channel(self, title: str, messages: Sequence[Shown], *, note: str = "", sign: str = "#") -> str:
        """Return a page with messages under each other."""
        small = f"<small>{html.escape(note)}</small>" if note else ""
        inner = "".join(map(self._message, messages))
        return _page(
            f'<div class="bar"><i>{_drawn(sign)}</i>{html.escape(title)} {small}</div>'
            f'<div class="pane">{inner}</div>'
        )

    def modal(self, data: Mapping[str, Any]) -> str:
        """Return a page with a modal."""
        inner = "".join(map(self._field, data["components"]))
        title = f"<header>{_face('Lorekeeper')}{html.escape(data['title'])}<i>✕</i></header>"
        buttons = '<span class="button">Cancel</span><span class="button s1">Submit</span>'
        return _page(f'<div class="modal">{title}<div>{inner}</div><footer>{buttons}</footer></div>')

    def _message(self, shown: Shown) -> str:
        above = ""
        if shown.reply:
            who, what = shown.reply
            command = what.startswith("/")
            said = f"used <b class=cmd>{html.escape(what)}</b>" if command else html.escape(what)
            name = f"<b>{'' if command else '@'}{html.escape(who)}</b>"
            above = f'<div class="reply">{_face(who)}{name} {said}</div>'
        badge = "<b>APP</b>" if shown.who == "Lorekeeper" else ""
        who = f'<div class="who">{html.escape(shown.who)}{badge}<time>{shown.time}</time></div>'
        parts = [*((shown.payload or {}).get("components") or ())]
        text = shown.text or str((shown.payload or {}).get("content") or "")
        inner = (self._text(text) if text else "") + "".join(map(self._component, parts))
        only = (
            '<div class="only-you">👁 Only you can see this · <a>Dismiss message</a></div>'
            if shown.ephemeral
            else ""
        )
        kind = "message ephemeral" if shown.ephemeral else "message"
        body = f'<div>{who}<div class="body">{inner}</div>{_drawn(only)}</div>'
        return f'<div class="{kind}">{above}{_face(shown.who)}{body}</div>'

    def _component(self, part: Component) -> str:
        return _KINDS[part["type"]](self, part)

    def _text(self, content: str) -> str:
        shown = to_html(content, moment=self._moment)
        for identifier, name in self.names.items():
            shown = re.sub(rf"&lt;@(?:&amp;)?{identifier}&gt;", f"@{name}", shown)
        return f'<div class="text">{_drawn(shown)}</div>'

    def _moment(self, at: int) -> str:
        span = self.now - at
        for size, word in (
            (31_536_000, "year"),
            (2_592_000, "month"),
            (86_400, "day"),
            (3_600, "hour"),
            (60, "minute"),
        ):
            if abs(span) >= size:
                number = round(abs(span) // size)
                count = f"{number} {word}{'s' if number > 1 else ''}"
                return f"{count} ago" if span > 0 else f"in {count}"
        return "a few seconds ago"

    def _field(self, part: Component) -> str:
        if part["type"] != 18:
            return f'<div class="field">{self._component(part)}</div>'
        held = part["component"]
        star = " <u>*</u>" if held.get("required", True) else ""
        hint = f"<p>{_drawn(html.escape(part['description']))}</p>" if part.get("description") else ""
        value = str(held.get("value") or "")
        if held["type"] == 3:
            value = next((one["label"] for one in held["options"] if one.get("default")), "Select…")
        tall = " tall" if held.get("style") == 2 else ""
        return (
            f'<div class="field"><label>{html.escape(part["label"])}{star}</label>{hint}'
            f'<div class="input{tall}{"" if value else " empty"}">{html.escape(value)}</div></div>'
        )

    def _section(self, part: Component) -> str:
        inner = "".join(map(self._component, part["components"]))
        return f'<div class="section">{inner}{self._component(part["accessory"])}</div>'

    def _container(self, part: Component) -> str:
        accent = part.get("accent_color")
        style = f' accent" style="--accent:#{accent:06x}' if accent is not None else ""
        return f'<div class="card{style}">{"".join(map(self._component, part["components"]))}</div>'

    def _row(self, part: Component) -> str:
        return f'<div class="row">{"".join(map(self._component, part["components"]))}</div>'


def _button(_page: Page, part: Component) -> str:
    label = html.escape(part.get("label", ""))
    emoji = _drawn(part["emoji"]["name"]) if "emoji" in part else ""
    arrow = _OPEN if part["style"] == 5 else ""
    only = "" if label else " only"
    return f'<span class="button s{part["style"]}{only}">{emoji}{label}{arrow}</span>'


def _separator(_page: Page, part: Component) -> str:
    large = " large" if part.get("spacing") == 2 else ""
    return f'<div class="separator{large}{"" if part.get("divider", True) else " gap"}"></div>'


def _select(_page: Page, part: Component) -> str:
    return f'<div class="select">{html.escape(part["placeholder"])}<span>⌄</span></div>'


_KINDS: dict[int, Callable[[Page, Component], str]] = {
    1: Page._row,
    2: _button,
    3: _select,
    9: Page._section,
    10: lambda page, part: page._text(part["content"]),
    14: _separator,
    17: Page._container,
}


def _page(inner: str) -> str:
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{inner}</body>"


def _face(who: str) -> str:
    return f'<div class="face" style="background:{_COLOURS.get(who, "#4e5058")}">{html.escape(who[:1])}</div>'


def _drawn(shown: str) -> str:
    """Put pictures in place of emoji, for which there may be no font here."""
    return _EMOJI_WORD.sub(
        lambda found: f'<span class="emoji"><svg viewBox="0 0 18 18">{_EMOJI[found[0]]}</svg></span>', shown
    )
