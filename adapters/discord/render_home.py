"""What the bot knows, as one message: sources and how fresh they are, and what one could ask. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from adapters.discord.gate import gate_line, literal, plain
from adapters.discord.layouts import (
    BLUE,
    FORM,
    LABEL,
    SUGGEST,
    Component,
    Payload,
    button,
    container,
    message,
    rows,
    separator,
    shortened,
    text,
)
from adapters.discord.render import time_mark

if TYPE_CHECKING:
    from bot.home import HomeSource, HomeView
    from bot.texts import Texts

MOST_SOURCES = 12
SOURCES_ROOM = 1_500  # of the 4,000 characters of a message
MOST_QUESTIONS = 5
MOST_SUGGESTED = 5
_LINE = 220
PLUS = "\u2795"

_SIGNS = {
    "syncing": "🔄",
    "paused": "⏸️",
    "held": "🟡",
    "hung": "🟡",
    "attention": "🔴",
    "gone": "⚪",
    "never": "⚪",
}


def home_payload(view: HomeView, texts: Texts, *, now: float | None = None) -> Payload:
    """Return the overview of a person: what they may see, and for admins what needs attention."""
    moment = time.time() if now is None else now
    card = [
        text(f"## 📚 {texts.home_title}\n{texts.greeting}"),
        separator(),
        text(_sources(view, texts, moment)),
    ]
    if view.admin:
        card += _for_admins(view, texts)
    parts: list[Component] = [container(card, accent=BLUE)]
    if recent := [f"- {literal(question, 90)}" for question in view.recent[:MOST_QUESTIONS]]:
        parts.append(text(_within([f"**{texts.your_questions}**", *recent], 600)))
    asks = [
        button(plain(question, LABEL), f"{SUGGEST}:{number}")
        for number, question in enumerate(view.suggested[:MOST_SUGGESTED])
        if plain(question, LABEL)
    ]
    if asks:
        parts += [text(f"**{texts.suggested}**"), *rows(asks)]
    return message(parts)


def _sources(view: HomeView, texts: Texts, now: float) -> str:
    if not view.sources:
        return texts.nothing_yet
    documents = texts.count(view.documents, texts.document)
    lines = [f"**{texts.what_i_know}**  {documents}, {texts.count(len(view.sources), texts.source)}"]
    room = SOURCES_ROOM
    for number, source in enumerate(view.sources):
        shown = f"{_sign(source)} **{literal(source.name, 60)}**\n-# {_state(source, texts, now)}"
        room -= len(shown) + 1
        if number == MOST_SOURCES or room < 0:
            lines.append(f"-# {texts.more.format(number=texts.number(len(view.sources) - number))}")
            break
        lines.append(shown)
    return "\n".join(lines)


def _within(lines: list[str], room: int) -> str:
    """Return the first lines that fit; a line is never cut, for half a line may be other markup."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            kept.append("-# …")
            break
        kept.append(line)
    return "\n".join(kept)


def _sign(source: HomeSource) -> str:
    return "🔴" if source.error else _SIGNS.get(source.state, "🟢")


def _state(source: HomeSource, texts: Texts, now: float) -> str:
    """Return a source's size, when it was synced and when it will be; times as Discord tells them."""
    parts = [
        part for part in (literal(source.type, 30), texts.count(source.documents, texts.document)) if part
    ]
    if source.failed:
        parts.append(texts.count(source.failed, texts.changes["failed"]))
    if source.last_good is None:
        parts.append(texts.never_synced)
    else:
        parts.append(texts.last_synced.format(when=time_mark(min(source.last_good, now))))
    word = {"syncing": texts.syncing, "paused": texts.paused, "held": texts.held, "hung": texts.syncing}
    if source.state in word:
        parts.append(word[source.state])
    elif source.next_run is not None:
        parts.append(texts.next_sync.format(when=time_mark(source.next_run)))
    return " · ".join(parts)


def _for_admins(view: HomeView, texts: Texts) -> list[Component]:
    parts: list[Component] = []
    troubles = [
        f"- {texts.labelled(f'**{literal(source.name, 60)}**', shortened(gate_line(source.error), _LINE))}"
        for source in view.sources[:MOST_SOURCES]
        if source.error
    ]
    if troubles:
        parts += [separator(), text(_within([f"**{texts.troubles}**", *troubles], 800))]
    if known := [_setting(label, value, texts) for label, value in view.settings]:
        parts += [separator(), text(_within([f"**{texts.settings}**", *known], 700))]
    return [*parts, *rows([button(texts.add_source, f"{FORM}:add", style="primary", emoji=PLUS)])]


def _setting(label: str, value: str, texts: Texts) -> str:
    shown = literal(label, 160)
    return f"-# {texts.labelled(shown, literal(value, 160)) if value else shown}"
