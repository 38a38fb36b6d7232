"""What the desk says becomes Slack messages. Pure: nothing here calls Slack.

A body is a `markdown` block, which Slack renders itself: headings, lists, tables and code look native. All
that stands around it is built from fields, never from text that could hold markup.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.slack.blocks import (
    FALLBACK,
    MARKDOWN,
    Block,
    actions,
    button,
    context,
    feedback,
    markdown,
    mrkdwn,
    section,
)
from adapters.slack.gate import address, cut_escaped, escape, gate, link, literal, shortened
from adapters.slack.interactions import CHOOSE, CONFIRM, FORM
from adapters.slack.splitting import split
from bot.chat import Choice, Control, Outcome
from bot.messages import Answer, Citation
from bot.output_gate import kept_lines

if TYPE_CHECKING:
    from bot.forms import Told
    from bot.wording import Texts

PIECE = 11_000  # of the 12,000 a message may hold: a piece may grow a little when its code is closed
PATH = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "  # between the headings of a path
NEAREST_QUOTE = 160
MOST_CITATIONS = 20
NOTHING = "…"  # Slack takes no empty block

_MARKUP = re.compile(r"(?m)^[ \t]*(?:#{1,6}[ \t]+|```.*$|>[ \t]?)|\*\*|__|~~|`")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: its blocks, and the text that notifications and screen readers use."""

    blocks: tuple[Block, ...]
    text: str


def stream_text(answer_text: str, *, allowed: Collection[str] = ()) -> str:
    """Return what a stream shows when this much of an answer is written.

    It mostly grows at its end; where it does not, what was streamed must be replaced.
    """
    return gate(answer_text, allowed=allowed, closed=False)


def answer_messages(outcome: Outcome, texts: Texts, *, now: float | None = None) -> tuple[Message, ...]:
    """Return a reply as the messages it takes, mostly one; sources, notes and buttons end the last."""
    body = outcome.answer.text if outcome.answer else kept_lines(outcome.alone)
    allowed = _allowed(outcome.answer)
    pieces = body_pieces(body, allowed=allowed) or [NOTHING]
    messages = [_message([markdown(piece)], piece) for piece in pieces]
    first: list[Block] = _draft_head(outcome, texts) if outcome.shown == "draft" else []
    last = messages[-1]
    blocks = (*last.blocks, *stream_end_blocks(outcome, texts, now=now))
    messages[-1] = Message(blocks=blocks, text=last.text)
    messages[0] = Message(blocks=(*first, *messages[0].blocks), text=messages[0].text)
    return tuple(messages)


def body_pieces(text: str, *, allowed: Collection[str] = ()) -> list[str]:
    """Return gated Markdown in pieces of which each fits into one message or one stream."""
    pieces: list[str] = []
    for piece in split(gate(text, allowed=allowed), PIECE):
        whole = gate(piece, allowed=allowed)  # a cut through code may have left half of it as prose
        pieces += [whole] if len(whole) <= MARKDOWN else split(whole, PIECE)
    return [piece for piece in pieces if piece.strip()]


def stream_end_blocks(outcome: Outcome, texts: Texts, *, now: float | None = None) -> tuple[Block, ...]:
    """Return what stands under the body of a reply: sources or nearest passages, notes, buttons."""
    moment = time.time() if now is None else now
    answer = outcome.answer
    blocks: list[Block] = []
    if answer and answer.citations:
        lines = [citation_line(citation, texts, moment) for citation in answer.citations[:MOST_CITATIONS]]
        blocks += context(lines)
    elif answer and answer.nearest:
        blocks += _nearest(answer.nearest, texts, moment)
    notes = [answer.notice] if answer and answer.notice else []
    notes += outcome.notes
    blocks += context([f":information_source:  {literal(note, 1_000)}" for note in notes if note.strip()])
    return (*blocks, *_controls(outcome, texts))


def line_message(line: str, *, action: Block | None = None) -> Message:
    """Return a short line of Markdown: an error, a notice, a word to one person."""
    piece = (body_pieces(kept_lines(line)) or [NOTHING])[0]
    blocks = [markdown(piece), *([actions([action])] if action else [])]
    return _message(blocks, piece)


def notice_messages(line: str, choices: Sequence[Choice] = ()) -> tuple[Message, ...]:
    """Return Markdown for a channel as the messages it takes; its buttons end the last."""
    messages = [_message([markdown(piece)], piece) for piece in body_pieces(kept_lines(line)) or [NOTHING]]
    if choices:
        row = [button(one.label, f"{CHOOSE}:{number}", one.command) for number, one in enumerate(choices)]
        messages[-1] = replace(messages[-1], blocks=(*messages[-1].blocks, actions(row)))
    return tuple(messages)


def person_message(who: str, line: str) -> Message:
    """Return a line that calls a person or a group: the one place that mentions anybody.

    `who` is an id from the settings. Raise ValueError when it is none, so that no text can take its place.
    """
    kind = re.fullmatch(r"(?:[UW]|(S))[A-Z0-9]{2,20}", who)
    if kind is None:
        raise ValueError(f"{who!r} is no user or group of Slack. Set `person` to an id such as U012AB3CD.")
    mention = f"<!subteam^{who}>" if kind[1] else f"<@{who}>"
    text = f"{mention} {literal(line, 2_900)}"
    return Message(blocks=(section(text),), text=text)


def told_message(told: Told, texts: Texts) -> Message:
    """Return what a command tells, with the button that opens its confirmation or its form."""
    pieces = body_pieces(kept_lines(told.text)) or [NOTHING]
    blocks: list[Block] = [markdown(pieces[0])]
    if told.confirm:
        confirm = told.confirm
        blocks.append(actions([button(confirm.label, CONFIRM, confirm.command, style="danger")]))
    if told.form:
        blocks.append(actions([button(told.form.title, FORM, told.form.action, style="primary")]))
    return _message(blocks, pieces[0])


def citation_line(citation: Citation, texts: Texts, now: float) -> str:
    """Return one source as markup: its number, title and heading, where it lies and how old it is."""
    parts = [f"*{citation.number}*  {citation_title(citation)}", *citation_details(citation, texts, now)]
    return "  ·  ".join(parts)


def citation_title(citation: Citation) -> str:
    """Return title and heading path; the title is the link where the document has an address."""
    title = link(citation.url, citation.title or citation.document or "–", 120)
    heading = literal(citation.heading.replace(" > ", PATH), 120)
    return f"{title}{PATH}{heading}" if heading and heading != literal(citation.title) else title


def citation_details(citation: Citation, texts: Texts, now: float, *, document: bool = False) -> list[str]:
    """Return the source and the age of a cited document, and where it lies if that is asked for."""
    age = texts.age(citation.updated, now)
    parts = [
        citation.source,
        citation.document if document and "://" not in citation.document else "",
        texts.updated.format(age=age) if age else "",
    ]
    return [literal(part, 200) for part in parts if part]


def _nearest(passages: Sequence[Citation], texts: Texts, now: float) -> list[Block]:
    lines = [f"*{literal(texts.nearest)}*"]
    for passage in passages:
        lines.append(citation_line(passage, texts, now))
        if passage.quote.strip():
            lines.append(f"      “{literal(passage.quote, NEAREST_QUOTE)}”")
    return context(lines)


def _draft_head(outcome: Outcome, texts: Texts) -> list[Block]:
    asked = literal(outcome.answer.question, 500) if outcome.answer else ""
    return [
        *context([f"*{literal(texts.draft)}*"]),
        *([{"type": "section", "text": mrkdwn(f"&gt; {asked}")}] if asked else []),
    ]


def _controls(outcome: Outcome, texts: Texts) -> list[Block]:
    answer = outcome.answer.id if outcome.answer else ""
    words: dict[Control, tuple[str, str]] = {
        "approve": (texts.approve, "primary"),
        "discard": (texts.discard, ""),
        "share": (texts.share, "primary"),
        "sources": (texts.sources, ""),
        "person": (texts.person, ""),
        "resolved": (texts.resolved, ""),
    }
    row = [
        button(label, f"lk_{control}", answer, style=style)
        for control, (label, style) in words.items()
        if control in outcome.controls
    ]
    blocks = [actions(row)] if row else []
    if "feedback" in outcome.controls:
        good, bad = (texts.helpful, f"good:{answer}"), (texts.not_helpful, f"bad:{answer}")
        blocks.append(feedback("lk_feedback", good, bad))
    return blocks


def _allowed(answer: Answer | None) -> frozenset[str]:
    """Return the addresses that may be links in an answer's text: those of its own sources."""
    if answer is None:
        return frozenset()
    cited = (*answer.citations, *answer.nearest)
    return frozenset(citation.url for citation in cited if address(citation.url))


def _message(blocks: Sequence[Block], text: str) -> Message:
    return Message(blocks=tuple(blocks), text=fallback(text))


def fallback(gated: str) -> str:
    """Return gated Markdown as plain text for notifications and screen readers, escaped for Slack."""
    plain = _BLANK_LINES.sub("\n\n", _MARKUP.sub("", gated)).strip() or "…"
    return cut_escaped(escape(shortened(plain, FALLBACK)), FALLBACK)
