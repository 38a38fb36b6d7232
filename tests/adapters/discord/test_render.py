from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.layouts import COMPONENTS_V2, SUPPRESS_EMBEDS, custom_id, read_custom_id, walk
from adapters.discord.render import (
    answer_payloads,
    line_payload,
    notice_payloads,
    person_payload,
    presence,
    sources_payload,
    stream_payload,
    thread_name,
    told_payload,
)
from bot.chat import Control, Outcome
from bot.forms import Confirm, Form, Told
from bot.messages import Answer, Citation
from bot.texts import LANGUAGES, Texts, texts
from tests.adapters.discord.test_gate import OUTPUT, constructs, problems
from tests.emulators.discord.components import of_message
from tests.preview.discord_markdown import alive

NOW = 1_790_000_000.0
EN = texts("en")
ALL: tuple[Control, ...] = ("feedback", "sources", "person", "resolved", "share", "approve", "discard")
CITATION = Citation(
    number=1,
    document="expenses.md",
    title="Expenses",
    heading="Travel > Receipts",
    url="https://handbook.acme.test/expenses",
    quote="Keep every receipt above 25 €.",
    updated="2026-09-18",
    source="handbook",
)
ANSWER = Answer(
    question="How do I claim expenses?",
    answered=True,
    text="Keep the receipt [1].",
    confidence=0.9,
    citations=(CITATION,),
    id="a" * 32,
)


def shown(payload: Mapping[str, Any]) -> str:
    """Check a message by Discord's rules and return its text."""
    assert payload["flags"] & COMPONENTS_V2
    assert "content" not in payload
    of_message(payload["components"], v2=True)
    return "\n".join(part["content"] for part in walk(payload["components"]) if part["type"] == 10)


def buttons(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the buttons of a message: label or emoji, and what they do."""
    return {
        str(part.get("label") or part["emoji"]["name"]): str(part.get("custom_id") or part["url"])
        for part in walk(payload["components"])
        if part["type"] == 2
    }


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_line_of_the_help_is_one(words: Texts) -> None:
    """Lines of the bot's own stay lines, however wide they are."""
    said = words.help.format(command="/kb", who=words.who_admins)
    for payload in (
        told_payload(Told(text=said), words),
        line_payload(said),
        *notice_payloads(said),
        *answer_payloads(Outcome(alone=said), words),
    ):
        assert shown(payload).count("\n") == said.count("\n")


def test_answer_is_one_message() -> None:
    """A short answer is one message: text, its sources with link and age, and the buttons."""
    (payload,) = answer_payloads(Outcome(answer=ANSWER, controls=("feedback", "sources")), EN, now=NOW)
    assert shown(payload) == (
        "Keep the receipt [1].\n"
        "-# **1**  [Expenses \u203a Travel \u203a Receipts](<https://handbook.acme.test/expenses>) · handbook"
        " · updated <t:1789689600:R>"
    )
    assert buttons(payload) == {
        "👍": f"lk:feedback:{'a' * 32}:good",
        "👎": f"lk:feedback:{'a' * 32}:bad",
        "Sources": f"lk:sources:{'a' * 32}",
    }


def test_unlinked_source_and_future_age() -> None:
    """A source without an address on the web is no link; an age never lies in the future."""
    cited = replace(CITATION, url="file:///srv/docs/expenses.md", updated="2099-01-01", heading="")
    (payload,) = answer_payloads(Outcome(answer=replace(ANSWER, citations=(cited,))), EN, now=NOW)
    assert shown(payload).endswith(f"-# **1**  Expenses · handbook · updated <t:{int(NOW)}:R>")
    (payload,) = answer_payloads(
        Outcome(answer=replace(ANSWER, citations=(replace(cited, updated=""),))), EN, now=NOW
    )
    assert shown(payload).endswith("-# **1**  Expenses · handbook")


def test_unanswered_shows_the_nearest() -> None:
    """Without an answer the nearest passages stand in a card, each with a button to its document."""
    answer = replace(ANSWER, answered=False, text=EN.not_found, citations=(), nearest=(CITATION,) * 3)
    (payload,) = answer_payloads(Outcome(answer=answer, controls=("person",)), EN, now=NOW)
    assert EN.nearest in shown(payload)
    assert "> Keep every receipt above 25 €." in shown(payload)
    assert buttons(payload)[EN.open] == CITATION.url
    assert buttons(payload)[EN.person] == f"lk:person:{'a' * 32}"


def test_draft_is_a_card_with_its_question() -> None:
    """Reviewers see a marked card: the question, the answer, and buttons to approve and discard."""
    outcome = Outcome(answer=ANSWER, controls=("sources", "approve", "discard"), shown="draft")
    (payload,) = answer_payloads(outcome, EN, now=NOW)
    assert [part["type"] for part in payload["components"]] == [17]
    assert EN.draft in shown(payload)
    assert "> How do I claim expenses?" in shown(payload)
    assert {EN.approve, EN.discard} <= set(buttons(payload))


def test_a_draft_without_an_answer_is_one_card() -> None:
    """The nearest passages of a draft stand in its own card, for a card cannot stand in a card."""
    answer = replace(ANSWER, answered=False, text=EN.not_found, citations=(), nearest=(CITATION,) * 3)
    outcome = Outcome(answer=answer, controls=("approve", "discard"), shown="draft")
    (payload,) = answer_payloads(outcome, EN, now=NOW)
    assert [part["type"] for part in walk(payload["components"])].count(17) == 1
    assert EN.nearest in shown(payload)


def test_notes_and_notice_are_small_print() -> None:
    """Notice and notes stand below the answer in small print, one a line."""
    outcome = Outcome(
        answer=replace(ANSWER, notice="The model\nis down."), notes=("I did not read 'x.png'.",)
    )
    (payload,) = answer_payloads(outcome, EN, now=NOW)
    assert "-# ⓘ The model is down.\n-# ⓘ I did not read 'x.png'." in shown(payload)


def test_a_line_alone_has_no_buttons() -> None:
    """What is said instead of an answer is a line without buttons, for there is no answer to press for."""
    (payload,) = answer_payloads(Outcome(alone="I cannot answer right now.", controls=ALL), EN)
    assert shown(payload) == "I cannot answer right now."
    assert buttons(payload) == {}
    assert answer_payloads(Outcome(alone=""), EN)[0]["components"][0]["content"] == "…"


def fences(text: str) -> int:
    return len(re.findall(r"(?m)^```", text))


def test_long_answers_are_split() -> None:
    """A long answer takes several messages; each has its fences closed, the last has sources and buttons."""
    code = "\n".join(f"step_{number} = {number}" for number in range(400))
    text = f"{'Some words. ' * 200}\n\n```python\n{code}\n```\n\nThe end [1]."
    payloads = answer_payloads(Outcome(answer=replace(ANSWER, text=text), controls=("sources",)), EN, now=NOW)
    parts = [shown(payload) for payload in payloads]
    assert len(parts) == 3
    assert all(fences(part) % 2 == 0 for part in parts)
    assert all("```python\n" in part for part in parts)
    assert [bool(buttons(payload)) for payload in payloads] == [False, False, True]
    assert [int(found) for found in re.findall(r"step_(\d+)", "".join(parts))] == list(range(400))


def test_many_sources_are_counted() -> None:
    """Of more sources than find room the rest is counted; the message stays within Discord's limits."""
    cited = tuple(
        replace(CITATION, number=number, url=f"https://handbook.acme.test/{'x' * 300}/{number}")
        for number in range(1, 41)
    )
    payloads = answer_payloads(
        Outcome(answer=replace(ANSWER, text="word " * 1_500, citations=cited), controls=("sources",)),
        EN,
        now=NOW,
    )
    assert re.search(r"-# and \d+ more", shown(payloads[-1]))
    details = sources_payload(cited, EN, now=NOW)
    assert len(details) == 5
    assert "**40. Expenses**" in shown(details[-1])


def test_no_sources() -> None:
    """Where no passage is left, one line says so."""
    assert [shown(payload) for payload in sources_payload((), EN)] == [EN.no_sources]


@given(
    st.lists(
        st.sampled_from(["word ", "\n", "\n\n", "```\n", "x" * 900, "👍🏽", "- item\n", "[1]", "é", "| a "]),
        max_size=60,
    ),
    st.integers(0, 25),
    st.sampled_from(["public", "private", "draft"]),
)
def test_every_answer_fits(bits: list[str], sources: int, where: Any) -> None:  # noqa: ANN401
    """Whatever an answer holds, each of its messages is one that Discord takes."""
    answer = replace(ANSWER, text="".join(bits), citations=(CITATION,) * sources)
    for payload in answer_payloads(Outcome(answer=answer, controls=ALL, shown=where), EN, now=NOW):
        shown(payload)


@given(st.text(max_size=6_000))
def test_steps_are_plain_and_fit(text: str) -> None:
    """What is written so far is plain content of at most 2,000 characters, with no previews of links."""
    payload = stream_payload(text)
    assert payload["flags"] == SUPPRESS_EMBEDS
    assert 1 <= len(payload["content"]) <= 2_000


def test_steps_close_their_code() -> None:
    """A step that ends within code closes it, also where it is cut."""
    assert stream_payload("a\n```py\nx")["content"] == "a\n```py\nx\n```"
    long = stream_payload("```\n" + "x = 1\n" * 600)["content"]
    assert fences(long) == 2
    assert long.endswith("```\n…")


def test_person_is_the_one_live_mention() -> None:
    """The call for a person mentions exactly the id from the settings, whatever the line holds."""
    payload = person_payload("304512345678901234", "@everyone <@111111111111111111>", role=True)
    assert set(alive(shown(payload)).mentions) == {"<@&304512345678901234>"}
    user = person_payload("304512345678901234", "look", role=False)
    assert shown(user) == "<@304512345678901234> look"
    for bad in ("everyone", "1> @everyone", "", "٣٠٤٥١٢٣٤٥٦٧٨٩٠١٢٣٤"):
        with pytest.raises(ValueError, match="no user or role"):
            person_payload(bad, "look", role=False)


def test_told() -> None:
    """A command's result is its text; a failure is a red card, a form is a button."""
    assert shown(told_payload(Told(text="**handbook**: 3 documents"), EN)) == "**handbook**: 3 documents"
    failed = told_payload(Told(text="No.", failed=True), EN)
    assert failed["components"][0]["type"] == 17
    form = Form(title="Add a source", fields=(), action="add")
    assert buttons(told_payload(Told(text="Fill in:", form=form), EN)) == {"Add a source": "lk:form:add"}
    long = told_payload(Told(text="line\n\n" * 2_000), EN)
    assert shown(long).endswith("\n…")


def test_confirmation() -> None:
    """A question before something is done has a button to do it and one to leave it."""
    confirm = Confirm(title="Remove a source", text="Remove x?", label="Remove", command="remove x --yes")
    payload = told_payload(Told(text="Remove x?", confirm=confirm), EN)
    assert shown(payload) == "### Remove a source\nRemove x?"
    assert buttons(payload) == {"Remove": "lk:confirm", EN.cancel: "lk:cancel"}


def test_lines() -> None:
    """A line is a message of its own; a failed one is a card."""
    assert shown(line_payload("Marked as **resolved**.")) == "Marked as **resolved**."
    assert line_payload("No.", failed=True)["components"][0]["type"] == 17
    assert shown(line_payload("")) == "…"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How do I **claim** `expenses`?", "How do I claim expenses ?"),
        ("", "Lorekeeper"),
        ("???", "Lorekeeper"),
        ("a\nb", "a b"),
        ("x" * 200, "x" * 99 + "…"),
    ],
)
def test_thread_names(question: str, name: str) -> None:
    """A thread is named after its question, in one line of at most 100 characters, and never nothing."""
    assert thread_name(question) == name


def test_presence() -> None:
    """The presence tells how fresh the knowledge is, and nothing when there is none."""
    assert presence(NOW - 7_200, EN, now=NOW) == EN.presence.format(when="2 hours ago")
    assert presence(None, EN) == ""


def test_ids_of_buttons_come_back() -> None:
    """Each button's id tells control, answer and verdict; all else is no button of an answer."""
    for control in ALL:
        for good in (None, True, False):
            text = custom_id(control, "f" * 32, good=good)
            pressed = read_custom_id(text)
            assert len(text) <= 100
            assert pressed is not None
            assert (pressed.control, pressed.answer, pressed.good) == (control, "f" * 32, good)
    for other in (
        "lk:confirm",
        "lk:feedback",
        "lk:feedback:x:maybe",
        "lk:evil:x",
        "x",
        "lk:sources:" + "x" * 80,
    ):
        assert read_custom_id(other) is None


def everywhere(text: str) -> Iterator[Mapping[str, Any]]:
    """Yield every message that we send with a text in each place where foreign text can stand."""
    citation = Citation(
        number=1,
        document=text,
        title=text,
        heading=f"{text} > {text}",
        url=CITATION.url,
        quote=text,
        updated="2026-09-18",
        source=text,
    )
    answer = Answer(
        question=text, answered=True, text=text, confidence=1.0, citations=(citation,), notice=text, id="a"
    )
    for where in ("public", "private", "draft"):
        yield from answer_payloads(
            Outcome(answer=answer, notes=(text,), shown=where, controls=ALL),
            EN,
            now=NOW,
        )
    missing = replace(answer, answered=False, citations=(), nearest=(citation,))
    yield from answer_payloads(Outcome(answer=missing), EN, now=NOW)
    yield from answer_payloads(Outcome(alone=text), EN, now=NOW)
    yield from sources_payload((citation, replace(citation, url="")), EN, now=NOW)
    yield line_payload(text)
    yield line_payload(text, failed=True)
    confirm = Confirm(title=text, text=text, label=text or "x", command="x")
    yield told_payload(Told(text=text), EN)
    yield told_payload(Told(text=text, confirm=confirm), EN)
    yield stream_payload(text)


def dangers(payloads: Iterator[Mapping[str, Any]]) -> list[str]:
    """Return what is alive in messages beside the links and time marks that code built."""
    found: list[str] = []
    for payload in payloads:
        pieces: Sequence[str] = [str(payload.get("content") or "")]
        for part in walk(payload.get("components", ())):
            pieces = [*pieces, str(part.get("content") or "")]
            if part.get("url") not in {None, CITATION.url}:
                found.append(part["url"])
        for piece in pieces:
            found += problems(re.sub(r"<t:\d+:R>", "", piece), allowed=CITATION.url)
    return found


@pytest.mark.trust
@pytest.mark.skipif(not OUTPUT.exists(), reason="shared/data/trust is not here")
def test_dangerous_output_in_every_place() -> None:
    """P22: no construct of the shared list is alive in any place of any message."""
    assert len(constructs()) > 50
    bad = {text: found for text in constructs() if (found := dangers(everywhere(text)))}
    assert not bad, json.dumps(bad)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["@everyone", "<@12>", "[x](https://evil.test)", "`", "*", "]", "(", ")", "\n", "> "]
        ),
        max_size=8,
    )
)
def test_nothing_comes_alive_in_any_place(bits: list[str]) -> None:
    """No combination of markup is alive in any place of any message."""
    assert dangers(everywhere("".join(bits))) == []
