"""What the bot sends to Slack: within every limit, and with nothing live in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.slack.blocks import Block
from adapters.slack.render import (
    Message,
    answer_messages,
    body_pieces,
    line_message,
    notice_messages,
    person_message,
    stream_end_blocks,
    stream_text,
    told_message,
)
from bot.chat import Control, Outcome
from bot.chat import Shown as ShownTo
from bot.forms import Confirm, Field, Form, Told
from bot.messages import Answer, Citation
from bot.texts import LANGUAGES, Texts, texts
from tests.adapters.slack.block_limits import message_problems
from tests.adapters.slack.live import live
from tests.adapters.slack.trust_output import constructs, needs_output

NOW = 1_790_000_000.0
EN = texts("en")
_READER = MarkdownIt("commonmark")
URL = "https://docs.acme.test/expenses"
ALL: tuple[Control, ...] = ("feedback", "sources", "person", "resolved", "share", "approve", "discard")


def citation(number: int = 1, **more: str) -> Citation:
    """Return a citation of a document with an address."""
    given = {"title": "Expenses", "heading": "Travel > Receipts", "url": URL, "updated": "2026-09-18"}
    given |= {"document": "expenses.md", "quote": "Keep every receipt.", "source": "handbook", **more}
    return Citation(number=number, **given)


def answer(
    text: str = "Within **30 days** [1].", *, cited: Sequence[Citation] = (), **more: object
) -> Answer:
    """Return an answer that stands on one citation."""
    given: dict[str, object] = {"question": "How?", "answered": True, "confidence": 0.9, "id": "a1"}
    return Answer(text=text, citations=tuple(cited or [citation()]), **given | more)  # type: ignore[arg-type]


def rendered(outcome: Outcome) -> list[Message]:
    """Return an outcome's messages, all of them within the limits."""
    messages = list(answer_messages(outcome, EN, now=NOW))
    assert [message_problems(message.blocks, message.text) for message in messages] == [[]] * len(messages)
    return messages


def kinds(blocks: Sequence[Block]) -> list[str]:
    """Return the types of blocks."""
    return [block["type"] for block in blocks]


def test_an_answer_is_a_body_its_sources_and_its_buttons() -> None:
    """Below the Markdown stand the sources with link, heading, source and age, then the buttons."""
    [message] = rendered(Outcome(answer=answer(), controls=("feedback", "sources", "person")))
    assert kinds(message.blocks) == ["markdown", "context", "actions", "context_actions"]
    assert message.blocks[0]["text"] == "Within **30 days** [1]."
    line = message.blocks[1]["elements"][0]["text"]
    assert line == (
        f"*1*  <{URL}|Expenses> \u203a Travel \u203a Receipts  ·  handbook  ·  updated 3 days ago"
    )
    assert [button["value"] for button in message.blocks[2]["elements"]] == ["a1", "a1"]
    thumbs = message.blocks[3]["elements"][0]
    assert (thumbs["positive_button"]["value"], thumbs["negative_button"]["value"]) == ("good:a1", "bad:a1")
    assert message.text == "Within 30 days [1]."


def test_every_control_has_its_button() -> None:
    """Each control is one element whose action id tells it."""
    [message] = rendered(Outcome(answer=answer(), controls=ALL))
    found = {
        element["action_id"]
        for block in message.blocks
        for element in block.get("elements", ())
        if "action_id" in element
    }
    assert found == {f"lk_{control}" for control in ALL}


def test_what_was_not_found_shows_the_nearest_passages() -> None:
    """Without an answer the passages that came closest stand there, with their words."""
    nearest = (citation(1), citation(2, title="Receipts", url="", heading=""))
    lost = Answer(question="?", answered=False, text=EN.not_found, confidence=0.1, nearest=nearest, id="a2")
    [message] = rendered(Outcome(answer=lost, controls=("person",)))
    shown = message.blocks[1]["elements"][0]["text"]
    assert shown.startswith(f"*{EN.nearest}*\n*1*  <{URL}|Expenses>")
    assert "“Keep every receipt.”" in shown
    assert "*2*  Receipts  ·" in shown


def test_notes_stand_in_small_print() -> None:
    """The notice of the answer and the notes of the turn are lines below the sources."""
    outcome = Outcome(answer=answer(notice="The model is down."), notes=("I did not read 'a.png'.", " "))
    [message] = rendered(outcome)
    assert message.blocks[-1]["elements"][0]["text"].split("\n") == [
        ":information_source:  The model is down.",
        ":information_source:  I did not read 'a.png'.",
    ]


def test_a_line_alone_is_a_body_alone() -> None:
    """What is said instead of an answer is one block."""
    [message] = rendered(Outcome(alone="I cannot answer right now (log 1a2b)."))
    assert kinds(message.blocks) == ["markdown"]
    assert message.text == "I cannot answer right now (log 1a2b)."


def test_a_draft_shows_its_question_to_the_reviewers() -> None:
    """A draft begins with what it is and with the question."""
    [message] = rendered(Outcome(answer=answer(), controls=("approve", "discard"), shown="draft"))
    assert kinds(message.blocks)[:3] == ["context", "section", "markdown"]
    assert message.blocks[1]["text"]["text"] == "&gt; How?"


def test_a_long_answer_takes_several_messages() -> None:
    """Each message is within the limits, and sources and buttons end the last one."""
    text = "\n\n".join(
        f"## Step {number}\n\n" + "word " * 200 + "\n\n```sh\nrun it\n```" for number in range(40)
    )
    messages = rendered(Outcome(answer=answer(text), controls=("feedback",)))
    assert len(messages) > 2
    assert [kinds(message.blocks) for message in messages[:-1]] == [["markdown"]] * (len(messages) - 1)
    assert kinds(messages[-1].blocks) == ["markdown", "context", "context_actions"]


def test_a_stream_and_its_end_are_the_message() -> None:
    """What a stream shows and the blocks that end it are together the blocks of the message."""
    outcome = Outcome(answer=answer(), controls=("feedback",))
    [message] = rendered(outcome)
    assert message.blocks == (
        {"type": "markdown", "text": stream_text(answer().text)},
        *stream_end_blocks(outcome, EN, now=NOW),
    )


def test_a_stream_grows_at_its_end() -> None:
    """Each sentence more leaves what was streamed before as it is, open code included."""
    text = "First, edit `a.toml` [1]. Then run README.md.\n\n```sh\nls\n```\n\nDone [1]."
    cuts = [text.index("Then"), text.index("ls"), text.index("\n```\n\nDone"), len(text)]
    shown = [stream_text(text[:cut]) for cut in cuts]
    assert all(later.startswith(earlier.rstrip()) for earlier, later in pairwise(shown))


def test_the_address_of_a_source_may_be_a_link_in_the_text() -> None:
    """An answer may name the address of a document that it cites, and no other one."""
    [message] = rendered(Outcome(answer=answer(f"See {URL} and https://evil.test/x.")))
    assert message.blocks[0]["text"] == f"See {URL} and `evil[.]test/x`."
    assert live(message.blocks, allowed={URL}) == []


def test_only_settings_can_call_a_person() -> None:
    """A user or a group is mentioned by its id; anything else is refused, and the line mentions nobody."""
    message = person_message("S0123ABCD", "Mara <!here> asks")
    assert message.text == "<!subteam^S0123ABCD> Mara &lt;\u200b!here&gt; asks"
    assert person_message("U0123ABCD", "x").text == "<@U0123ABCD> x"
    assert message_problems(message.blocks, message.text) == []
    for who in ("here", "!here", "U1|x", "", "@channel", "U012 <!here>"):
        with pytest.raises(ValueError, match="is no user or group"):
            person_message(who, "x")


def test_a_command_has_the_button_for_what_comes_next() -> None:
    """A confirmation and a form are opened by a button that holds what they are for."""
    confirm = Confirm(title="Remove", text="Sure?", label="Remove", command="remove handbook --yes")
    form = Form(title="Add a source", fields=(Field(name="location", label="Location"),), action="add")
    message = told_message(Told(text="**handbook**", confirm=confirm, form=form), EN)
    assert message_problems(message.blocks, message.text) == []
    buttons = [block["elements"][0] for block in message.blocks[1:]]
    assert [(button["action_id"], button["value"]) for button in buttons] == [
        ("lk_confirm", "remove handbook --yes"),
        ("lk_form", "add"),
    ]


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_line_of_the_help_is_one(words: Texts) -> None:
    """Lines of the bot's own stay lines for whoever reads Markdown to the letter, as Slack may."""
    said = words.help.format(command="/kb", who=words.who_admins)
    for message in (
        told_message(Told(text=said), words),
        line_message(said),
        *notice_messages(said),
        *answer_messages(Outcome(alone=said), words),
    ):
        assert _READER.render(message.blocks[0]["text"]).count("<br />") == said.count("\n")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_all_languages_keep_the_limits(language: str) -> None:
    """Labels of every language fit on their buttons."""
    outcome = Outcome(answer=answer(), controls=ALL, shown="draft")
    for message in answer_messages(outcome, texts(language), now=NOW):
        assert message_problems(message.blocks, message.text) == []


_TEXT = st.text(max_size=80) | st.sampled_from(
    ["", "x" * 9_000, "<" * 4_000, "&" * 13_000, "*" * 300, "`" * 50]
)


@settings(deadline=None)
@given(_TEXT, _TEXT, _TEXT, st.lists(_TEXT, max_size=3), st.integers(1, 40))
def test_nothing_breaks_a_limit(body: str, title: str, other: str, notes: list[str], count: int) -> None:
    """Whatever stands in an answer and its sources, Slack takes the messages."""
    cited = [
        citation(number, title=title, heading=other, source=other, quote=body, url=f"https://a.test/{title}")
        for number in range(1, count)
    ]
    rendered(Outcome(answer=answer(body, cited=cited, notice=other), controls=ALL, notes=tuple(notes)))
    rendered(Outcome(alone=other, notes=tuple(notes)))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_pieces_are_never_empty(text: str) -> None:
    """No piece of a body is blank, and each fits into one message."""
    assert all(piece.strip() and len(piece) <= 12_000 for piece in body_pieces(text * 90))


@pytest.mark.trust
@needs_output
@pytest.mark.parametrize("shown", get_args(ShownTo))
def test_no_construct_is_live_wherever_it_stands(shown: ShownTo) -> None:
    """Promise P22: nothing is live in a text, title, heading, file name, question, quotation or note."""
    for evil in constructs():
        poisoned = citation(title=evil, heading=evil, document=evil, quote=evil, source=evil)
        told = answer(f"So: {evil} [1].\n\n> {evil}", cited=[poisoned], question=evil, notice=evil)
        lost = Answer(question=evil, answered=False, text=evil, confidence=0, nearest=(poisoned,))
        answers = (told, lost)
        outcomes = [Outcome(answer=one, controls=ALL, notes=(evil,), shown=shown) for one in answers]
        messages = [message for outcome in outcomes for message in rendered(outcome)]
        messages += [line_message(evil), told_message(Told(text=evil), EN)]
        payload = [{"blocks": list(message.blocks), "fallback": message.text} for message in messages]
        assert live(payload, allowed={URL}) == [], evil
