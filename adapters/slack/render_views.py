"""Modals and the Home tab. Pure: nothing here calls Slack."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adapters.slack.blocks import (
    VIEW_BLOCKS,
    Block,
    actions,
    button,
    choice,
    context,
    divider,
    field,
    header,
    modal,
    quote,
    section,
    text_input,
)
from adapters.slack.gate import literal, own_link, shortened
from adapters.slack.interactions import ADD, ASK, COMMENT, CONFIRM, FORM, REFRESH, SYNC, keep_text
from adapters.slack.render import citation_details, citation_title
from bot.output_gate import defang

if TYPE_CHECKING:
    from bot.forms import Confirm, Field, Form
    from bot.home import HomeSource, HomeView
    from bot.messages import Citation
    from bot.wording import Texts

MOST_SOURCES = 20  # of a Home tab: three blocks each, of the hundred that it may have
MOST_QUESTIONS = 5
SOURCES = "lk_sources"

_LIGHTS: Mapping[str, str] = {
    "ok": "large_green_circle",
    "syncing": "large_blue_circle",
    "held": "large_orange_circle",
    "hung": "large_orange_circle",
    "attention": "red_circle",
    "failed": "red_circle",
}  # all others, never synced, paused and gone, are off


def home_view(view: HomeView, texts: Texts, *, now: float | None = None) -> Block:
    """Return the Home tab of one person."""
    moment = time.time() if now is None else now
    blocks = [
        *_home_head(view, texts, moment),
        *_home_troubles(view, texts),
        *_home_questions(texts.suggested, view.suggested, texts),
        *_home_questions(texts.your_questions, view.recent, texts),
        *_home_sources(view, texts, moment),
        *_home_settings(view, texts),
    ]
    return {"type": "home", "blocks": blocks[:VIEW_BLOCKS]}


def form_modal(form: Form, texts: Texts, *, keep: Mapping[str, str] | None = None) -> Block:
    """Return a form; each field's block has its name, so that an error can be shown at it."""
    blocks = [_field(asked) for asked in form.fields]
    submit = texts.add if form.action == "add" else texts.save
    return modal(
        form.title,
        [*(context([literal(form.note, 2_000)]) if form.note else []), *blocks],
        close=texts.cancel,
        submit=submit,
        callback=f"{FORM}:{form.action}",
        keep=keep_text(keep or {}),
    )


def confirm_modal(confirm: Confirm, texts: Texts, *, keep: Mapping[str, str] | None = None) -> Block:
    """Return the question before something is done; its command is kept as `command`."""
    return modal(
        confirm.title,
        [section(literal(confirm.text))],
        close=texts.cancel,
        submit=confirm.label,
        callback=CONFIRM,
        keep=keep_text({**(keep or {}), "command": confirm.command}),
    )


def comment_modal(answer: str, texts: Texts, *, keep: Mapping[str, str] | None = None) -> Block:
    """Return the question what was wrong with an answer; its id is kept as `answer`."""
    typed = text_input("", multiline=True, placeholder=texts.comment_hint)
    return modal(
        texts.not_helpful,
        [field("comment", texts.what_was_wrong, typed, optional=True)],
        close=texts.cancel,
        submit=texts.send,
        callback=COMMENT,
        keep=keep_text({**(keep or {}), "answer": answer}),
    )


def sources_modal(citations: Sequence[Citation], texts: Texts, *, now: float | None = None) -> Block:
    """Return the passages that an answer stands on, each in its own words."""
    moment = time.time() if now is None else now
    blocks: list[Block] = []
    for citation in citations[: VIEW_BLOCKS // 4]:
        blocks += [divider()] if blocks else []
        blocks.append(section(f"*{citation.number}*  {citation_title(citation)}"))
        if citation.quote.strip():
            blocks.append(quote(shortened(defang(citation.quote).strip(), 1_500)))
        blocks += context(["  ·  ".join(citation_details(citation, texts, moment, document=True))])
    blocks = blocks or [section(literal(texts.no_sources))]
    return modal(texts.sources, blocks, close=texts.close, callback=SOURCES)


def notice_modal(title: str, line: str, texts: Texts) -> Block:
    """Return a line as a modal, for what cannot be answered in place."""
    return modal(title, [section(literal(line))], close=texts.close, callback="lk_notice")


def _field(asked: Field) -> Block:
    element = (
        choice(asked.choices, asked.value)
        if asked.choices
        else text_input(asked.value, multiline=asked.multiline)
    )
    return field(asked.name, asked.label, element, hint=asked.hint, optional=asked.optional)


def _home_head(view: HomeView, texts: Texts, now: float) -> list[Block]:
    facts = [texts.count(view.documents, texts.document), texts.count(len(view.sources), texts.source)]
    if view.freshest is not None:
        facts.append(texts.presence.format(when=texts.when(view.freshest, now)))
    buttons = [button(texts.refresh, REFRESH, "home")]
    if view.admin:
        buttons.insert(0, button(texts.add_source, ADD, "home", style="primary"))
    known = "  ·  ".join(literal(fact) for fact in facts) if view.sources else literal(texts.nothing_yet)
    return [header(texts.home_title), section(literal(texts.greeting)), *context([known]), actions(buttons)]


def _home_troubles(view: HomeView, texts: Texts) -> list[Block]:
    troubled = [source for source in view.sources if source.error]
    if not (view.admin and troubled):
        return []
    lines = [
        f":warning:  *{literal(source.name, 80)}*  {literal(source.error, 300)}" for source in troubled[:5]
    ]
    return [divider(), header(texts.troubles), *(section(line) for line in lines)]


def _home_questions(title: str, questions: Sequence[str], texts: Texts) -> list[Block]:
    if not questions:
        return []
    return [
        divider(),
        header(title),
        *(
            section(literal(question, 300), accessory=_ask(question, texts))
            for question in questions[:MOST_QUESTIONS]
        ),
    ]


def _ask(question: str, texts: Texts) -> Block:
    return button(texts.ask, ASK, question, hint=texts.labelled(texts.ask, question))


def _home_sources(view: HomeView, texts: Texts, now: float) -> list[Block]:
    if not view.sources:
        return []
    blocks: list[Block] = [divider(), header(texts.what_i_know)]
    for source in view.sources[:MOST_SOURCES]:
        sync = button(texts.sync, SYNC, source.name, hint=texts.labelled(texts.sync, source.name))
        blocks.append(section(_source_line(source, view, texts), accessory=sync if view.admin else None))
        blocks += context(["  ·  ".join(_source_facts(source, texts, now))])
    if more := len(view.sources) - MOST_SOURCES:
        blocks += context([literal(texts.more.format(number=more))] if more > 0 else [])
    return blocks


def _source_line(source: HomeSource, view: HomeView, texts: Texts) -> str:
    state = "failed" if source.error and view.admin else source.state
    light = _LIGHTS.get(state, "white_circle")
    # It comes as `host[.]tld`; a mrkdwn text that is verbatim links no bare host, so the dots may stay.
    where = own_link(source.location).replace("[.]", ".") if source.location else literal(source.type, 40)
    return f":{light}:  *{literal(source.name, 80)}*\n{where}"


def _source_facts(source: HomeSource, texts: Texts, now: float) -> list[str]:
    facts = [texts.count(source.documents, texts.document)]
    if source.failed:
        facts.append(texts.count(source.failed, texts.changes["failed"]))
    if source.last_good is not None:
        facts.append(texts.last_synced.format(when=texts.when(source.last_good, now)))
    else:
        facts.append(texts.never_synced)
    states = {"syncing": texts.syncing, "paused": texts.paused, "held": texts.held, "gone": texts.gone}
    if source.state in states:
        facts.append(states[source.state])
    elif source.next_run is not None:
        facts.append(texts.next_sync.format(when=texts.when(source.next_run, now)))
    return [literal(fact, 200) for fact in facts]


def _home_settings(view: HomeView, texts: Texts) -> list[Block]:
    if not view.admin:
        return []
    lines = [
        f"*{literal(label, 100)}*  {literal(value, 300)}" if value else literal(label, 500)
        for label, value in view.settings
    ]
    return [divider(), header(texts.settings), *context(lines)] if lines else []
