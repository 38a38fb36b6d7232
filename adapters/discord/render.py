"""What the desk says becomes Discord messages. Pure: nothing here calls Discord.

A finished reply is in components v2; what is written so far is plain content, which is how an unfinished
reply is told from a finished one. Ages are Discord's own time marks: each reader sees them in their language,
and they do not grow old.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adapters.discord.gate import address, gate, gate_line, link, literal, plain, shortened
from adapters.discord.layouts import (
    CANCEL,
    CARD,
    CHOOSE,
    CONFIRM,
    CONTENT,
    FORM,
    RED,
    SUPPRESS_EMBEDS,
    TEXT,
    YELLOW,
    Component,
    Payload,
    button,
    container,
    custom_id,
    letters,
    link_button,
    message,
    rows,
    section,
    separator,
    text,
)
from adapters.discord.pieces import split
from bot.output_gate import kept_lines

if TYPE_CHECKING:
    from bot.chat import Choice, Outcome
    from bot.forms import Confirm, Told
    from bot.messages import Answer, Citation
    from bot.texts import Texts

ARROW = " \u203a "
PIECE = 3_600  # of the 4,000 characters a message may hold
SOURCES_ROOM = 1_900  # characters that the list of sources under an answer may take
QUOTE_ROOM = 240
MOST_DETAILS = 8  # sources with their passage in one message: 32 of its 40 components
THREAD_NAME = 100
PRESENCE = 128

_MARKUP = re.compile(r"[*_~`#>|\\]+")


def stream_payload(written: str, *, stop: Component | None = None, standing: bool = False) -> Payload:
    """Return what is shown while this much of an answer is written, with a button that stops it.

    `standing` tells that it takes the place of a message, which may be in components v2: that stays so.
    """
    pieces = split(gate(written), CONTENT - 10)
    shown = f"{pieces[0]}\n…" if len(pieces) > 1 else (pieces or ["…"])[0]
    below = rows([stop] if stop else [])
    if standing:
        return message([text(shown), *below])
    return {"content": shown, "flags": SUPPRESS_EMBEDS, "components": below}


def answer_payloads(outcome: Outcome, texts: Texts, *, now: float | None = None) -> tuple[Payload, ...]:
    """Return a reply as the messages it takes, mostly one; sources, notes and buttons end the last."""
    moment = time.time() if now is None else now
    answer = outcome.answer
    body = answer.text if answer else kept_lines(outcome.alone)
    foot = _foot(outcome, texts, moment)
    head = _draft_head(outcome, texts) if outcome.shown == "draft" else []
    room = TEXT - 50 - letters(foot)
    pieces = split(gate(body, allowed=_allowed(answer)), PIECE - letters(head), last=room)
    parts = [[text(piece)] for piece in pieces] or [[text("…")]]
    parts[0] = [*head, *parts[0]]
    parts[-1] = [*parts[-1], *foot]
    if outcome.shown == "draft":
        parts = [[_card(part)] for part in parts]
    return tuple(message(part) for part in parts)


def line_payload(line: str, *, failed: bool = False) -> Payload:
    """Return a short line of Markdown: an error, a notice, a word to one person."""
    shown = text((split(gate(kept_lines(line)), PIECE) or ["…"])[0])
    return message([container([shown], accent=RED)] if failed else [shown])


def notice_payloads(line: str, choices: Sequence[Choice] = ()) -> tuple[Payload, ...]:
    """Return Markdown for a channel as the messages it takes; its buttons end the last."""
    parts = [[text(piece)] for piece in split(gate(kept_lines(line)), PIECE)] or [[text("…")]]
    parts[-1] += rows([button(one.label, f"{CHOOSE}:{one.command}") for one in choices])
    return tuple(message(part) for part in parts)


def person_payload(who: str, line: str, *, role: bool) -> Payload:
    """Return a line that calls a person or a role: the one place that mentions anybody.

    `who` is an id from the settings. Raise ValueError when it is none, so that no text can take its place.
    """
    if re.fullmatch(r"\d{15,20}", who, re.ASCII) is None:
        raise ValueError(f"{who!r} is no user or role of Discord. Set `person` to an id, 15 to 20 digits.")
    return message([text(f"<@{'&' if role else ''}{who}> {gate_line(line)[:PIECE]}")])


def told_payload(told: Told, texts: Texts) -> Payload:
    """Return what a command tells, with buttons to confirm it or to open its form."""
    if told.confirm:
        return _confirm(told.text, told.confirm, texts)
    pieces = split(gate(kept_lines(told.text)), PIECE) or ["…"]
    shown = pieces[0] if len(pieces) == 1 else f"{pieces[0]}\n…"
    if told.failed:
        return message([container([text(shown)], accent=RED)])
    if told.form:
        opens = button(told.form.title, f"{FORM}:{told.form.action}", style="primary")
        return message([text(shown), *rows([opens])])
    return message([text(shown)])


def sources_payload(
    citations: Sequence[Citation], texts: Texts, *, now: float | None = None
) -> tuple[Payload, ...]:
    """Return what an answer stands on, passage by passage, each with a button that opens its document."""
    moment = time.time() if now is None else now
    if not citations:
        return (line_payload(texts.no_sources),)
    parts = [citations[start : start + MOST_DETAILS] for start in range(0, len(citations), MOST_DETAILS)]
    return tuple(
        message([part for citation in held for part in _passage(citation, texts, moment, numbered=True)])
        for held in parts
    )


def thread_name(question: str) -> str:
    """Return the name of the thread that a question is answered in."""
    words = " ".join(_MARKUP.sub(" ", plain(question, 1_000)).split())
    return shortened(words, THREAD_NAME) if any(map(str.isalnum, words)) else "Lorekeeper"


def presence(freshest: float | None, texts: Texts, *, now: float | None = None) -> str:
    """Return what stands under the bot's name: how fresh its knowledge is; empty when it knows nothing."""
    if freshest is None:
        return ""
    moment = time.time() if now is None else now
    return texts.presence.format(when=texts.when(freshest, moment))[:PRESENCE]


def source_line(citation: Citation, texts: Texts, now: float) -> str:
    """Return one source in small print: its number, title and heading, where it lies and how old it is."""
    parts = [f"**{citation.number}**  {place(citation)}"]
    if citation.source:
        parts.append(literal(citation.source, 60))
    if age := age_mark(citation.updated, texts, now):
        parts.append(age)
    return f"-# {' · '.join(parts)}"


def place(citation: Citation) -> str:
    """Return title and heading path; a link where the document has an address on the web."""
    return link(citation.url, ARROW.join(_path(citation)), 130)


def age_mark(updated: str, texts: Texts, now: float) -> str:
    """Return how old a document is, as a mark that Discord keeps up to date; empty when that is unknown."""
    try:
        stamp = datetime.fromisoformat(updated)
    except ValueError:
        return ""
    at = min((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp(), now)
    return texts.updated.format(age=time_mark(at))


def time_mark(at: float) -> str:
    """Return a moment as Discord tells it to each reader: how long ago it was, or how far ahead it lies."""
    return f"<t:{int(at)}:R>"


def _foot(outcome: Outcome, texts: Texts, now: float) -> list[Component]:
    """Return what stands under the body of a reply: sources or nearest passages, notes, buttons."""
    answer = outcome.answer
    parts: list[Component] = []
    if answer and answer.citations:
        parts += [separator(), text(_sources(answer.citations, texts, now))]
    elif answer and answer.nearest:
        parts.append(_nearest(answer.nearest, texts, now))
    notes = [answer.notice] if answer and answer.notice else []
    if small := [_note(note) for note in [*notes, *outcome.notes] if note.strip()]:
        parts.append(text("\n".join(small)))
    return [*parts, *rows(_controls(outcome, texts))]


def _note(note: str) -> str:
    return f"-# ⓘ {shortened(gate_line(note), 300)}"


def _sources(citations: Sequence[Citation], texts: Texts, now: float) -> str:
    """Return the list of sources; those that find no room are counted, the button shows them."""
    lines: list[str] = []
    room = SOURCES_ROOM
    for citation in citations:
        line = source_line(citation, texts, now)
        if lines and len(line) >= room:
            lines.append(f"-# {texts.more.format(number=texts.number(len(citations) - len(lines)))}")
            break
        lines.append(line)
        room -= len(line) + 1
    return "\n".join(lines)


def _nearest(passages: Sequence[Citation], texts: Texts, now: float) -> Component:
    parts: list[Component] = [text(f"**{texts.nearest}**")]
    for passage in passages:
        parts += [separator(), *_passage(passage, texts, now, numbered=False)]
    return container(parts)


def _passage(citation: Citation, texts: Texts, now: float, *, numbered: bool) -> list[Component]:
    """Return a passage: where it stands, its words, its age, and at its side the button to its document."""
    title, *headings = _path(citation)
    number = f"{citation.number}. " if numbered else ""
    named = f"**{number}{literal(title, 120)}**"
    lines = [ARROW.join([named, literal(ARROW.join(headings), 120)]) if headings else named]
    if quote := literal(citation.quote, QUOTE_ROOM):
        lines.append(f"> {quote}")
    small = [literal(citation.source, 60), age_mark(citation.updated, texts, now)]
    if any(small):
        lines.append(f"-# {' · '.join(part for part in small if part)}")
    shown = "\n".join(lines)
    target = address(citation.url)
    return [section(shown, link_button(texts.open, target)) if target else text(shown)]


def _path(citation: Citation) -> list[str]:
    """Return title and headings, outermost first."""
    title = citation.title or citation.document or "–"
    headings = [part for part in citation.heading.split(" > ") if part]
    return [title, *(headings[1:] if headings[:1] == [title] else headings)]


def _controls(outcome: Outcome, texts: Texts) -> list[Component]:
    answer = outcome.answer.id if outcome.answer else ""
    if not answer:
        return []
    made: dict[str, list[Component]] = {
        "feedback": [
            button("", custom_id("feedback", answer, good=True), emoji="👍"),
            button("", custom_id("feedback", answer, good=False), emoji="👎"),
        ],
        "approve": [button(texts.approve, custom_id("approve", answer), style="success")],
        "discard": [button(texts.discard, custom_id("discard", answer), style="danger")],
        "share": [button(texts.share, custom_id("share", answer), style="primary")],
        "sources": [button(texts.sources, custom_id("sources", answer), emoji="📚")],
        "person": [button(texts.person, custom_id("person", answer), emoji="🙋")],
        "resolved": [button(texts.resolved, custom_id("resolved", answer), emoji="✅")],
    }
    return [part for control, parts in made.items() if control in outcome.controls for part in parts]


def _draft_head(outcome: Outcome, texts: Texts) -> list[Component]:
    lines = [f"-# ✏️ {texts.draft}"]
    if outcome.answer:
        lines.append(f"> {literal(outcome.answer.question, 500)}")
    return [text("\n".join(lines))]


def _card(parts: Sequence[Component]) -> Component:
    """Return a draft's card. A card cannot stand in a card: of one among the parts, its parts are taken."""
    flat = [inner for part in parts for inner in (part["components"] if part["type"] == CARD else [part])]
    return container(flat, accent=YELLOW)


def _confirm(said: str, confirm: Confirm, texts: Texts) -> Payload:
    """Return a question before something is done. `said` repeats it in words where nothing else is shown."""
    words = gate(confirm.text or said)[:PIECE]
    return message(
        [
            container(
                [
                    text(f"### {literal(confirm.title, 100)}\n{words}"),
                    *rows([button(confirm.label, CONFIRM, style="danger"), button(texts.cancel, CANCEL)]),
                ],
                accent=RED,
            )
        ]
    )


def _allowed(answer: Answer | None) -> frozenset[str]:
    """Return the addresses that may be links in an answer's text: those of its own sources."""
    if answer is None:
        return frozenset()
    cited = (*answer.citations, *answer.nearest)
    return frozenset(citation.url for citation in cited if address(citation.url))
