"""The comparison over real assistants, a real client and the OpenAI emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.advising import advise
from bot.comparing import (
    BASE,
    DIRECT,
    PROMPT,
    REWRITE,
    Asked,
    Compared,
    Comparison,
    Marked,
    Way,
    compare,
    figures,
    mark,
    style,
)
from bot.messages import Answer, Citation, Question, Usage, Voice
from bot.persona import Stylist
from bot.persona_settings import PersonaSettings
from bot.personas import Personas
from bot.resampling import Interval
from bot.scoring import Expected, Marks
from bot.style import Accuracy
from tests.bot.found import Passage, assistant, passage
from tests.bot.test_style import pirate_measure
from tests.emulators.openai import OpenAIEmulator, say

PINS = passage(
    "Printer PINs have 6 digits. They expire after 90 days.", title="Printer help", uri="printer.md"
)
ASKED = Asked(question="How many digits has a printer PIN?", expected=Expected(answers=("6 digits",)))
SURE = Interval(value=1.0, low=0.98, high=1.0)
ACCURACY = Accuracy(
    own=50, others=50, folds=5, group=5, single=SURE, grouped=SURE, right=SURE,
    shuffled=Interval(value=0.5, low=0.4, high=0.6),
)  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(models=("ft:pirate",)).running() as running:
        yield running


@pytest.fixture
async def stylist(server: OpenAIEmulator) -> AsyncIterator[Stylist]:
    settings = PersonaSettings.model_validate(
        {
            "enabled": True,
            "name": "pirate",
            "model": "ft:pirate",
            "base_url": server.base_url,
            "price_input": 2.0,
            "price_output": 10.0,
        }
    )
    opened = Stylist(Personas(settings=settings), lambda _name: SecretStr(server.key))
    yield opened
    await opened.close()


def value(found: Interval | None) -> float:
    assert found is not None
    return found.value


async def find(_question: str) -> Sequence[Passage]:
    return (PINS,)


def ways(stylist: Stylist) -> list[Way]:
    plain, voiced = assistant(PINS), assistant(PINS, stylist=stylist)

    async def ask_plainly(question: str) -> Answer:
        return await plain.answer(Question(text=question))

    async def ask_voiced(question: str) -> Answer:
        return await voiced.answer(Question(text=question, persona="pirate"))

    return [
        Way(key=BASE, label="Plain (…)", model="", ask=ask_plainly),
        Way(key=REWRITE, label="Rewrite (…)", model="ft:pirate", ask=ask_voiced),
    ]


async def test_kept_voice(server: OpenAIEmulator, stylist: Stylist) -> None:
    """A voice that keeps the facts is as right and as well cited; its time, tokens and cost are counted."""
    server.reply = lambda _request: say(
        "Arr, printer PINs have six digits, and after 90 days they expire [1]!", prompt_tokens=1_000
    )
    comparison = await compare([ASKED] * 3, ways(stylist), find, None)
    base, voiced = (one.figures for one in comparison.ways)
    for one in (base, voiced):
        assert [value(found) for found in (one.correct, one.citations, one.lost, one.invented)] == [
            1,
            1,
            0,
            0,
        ]
    assert base.fallback is None
    assert value(voiced.fallback) == 0
    assert value(voiced.tokens) > 1_000
    assert value(voiced.cost) == value(voiced.voice_cost) > 0.002
    assert 0 < value(voiced.p50) <= value(voiced.p95)


async def test_stopped_voice(server: OpenAIEmulator, stylist: Stylist) -> None:
    """A voice that changes facts falls back to the plain answer: nothing is lost, and the share is told."""
    server.reply = lambda _request: say("Arr, printer PINs have nine digits [1]!")
    comparison = await compare([ASKED], ways(stylist), find, None)
    (voiced,) = comparison.ways[1].rows
    assert voiced.answer.text == comparison.ways[0].rows[0].answer.text
    found = comparison.ways[1].figures
    assert value(found.fallback) == 1.0
    assert (found.rejected, found.failed) == (1, 0)
    assert value(found.lost) == 0


async def test_ways_take_turns(stylist: Stylist, server: OpenAIEmulator) -> None:
    """Which way is asked first changes with each question, after one that warms up; progress is told."""
    server.reply = lambda _request: say("Arr [1]!")
    order: list[str] = []
    told: list[tuple[int, str]] = []

    def noted(way: Way) -> Way:
        async def ask(question: str) -> Answer:
            order.append(way.key)
            return await way.ask(question)

        return replace(way, ask=ask)

    await compare(
        [ASKED] * 2, [noted(way) for way in ways(stylist)], find, None, told=lambda *at: told.append(at)
    )
    assert order == [BASE, BASE, REWRITE, REWRITE, BASE]
    assert told[:2] == [(0, "starting"), (0, "Plain (…)")]
    assert told[-1] == (4, "measuring")


def answer(text: str, *, answered: bool = True, voice: Voice | None = None) -> Answer:
    return Answer(question="?", answered=answered, text=text, confidence=1.0, milliseconds=10.0, voice=voice)


def test_marks_of_a_free_answer() -> None:
    """An answer that nothing checked is marked for what it invents and for its missing citations."""
    base = answer("Printer PINs have 6 digits [1].")
    marks = mark(ASKED, base, answer("Printer PINs have 12 digits, says Ahab."), [PINS])
    assert (marks.correct, marks.citations) == (0.0, 0.0)
    assert any("6" in fact for fact in marks.lost)
    assert any("12" in fact for fact in marks.invented)


def test_declined_answers_lose_nothing_more() -> None:
    """A declined question counts as not right, and not as facts lost too."""
    marks = mark(ASKED, answer("6 digits [1]."), answer("I could not find this.", answered=False), [PINS])
    assert marks == Marks(correct=0.0, f1=0.0)


def test_citation_of_a_passage_that_was_not_found_again() -> None:
    """A citation of a passage outside of what was found is judged by its quote."""
    cited = Citation(
        number=1, document="leave.md", title="Leave", heading="", url="",
        quote="Staff get 15 days of holiday.", updated="", source="docs", node="gone",
    )  # fmt: skip
    given = replace(answer("Staff get 15 days of holiday [1]."), citations=(cited,))
    asked = Asked(question="How much holiday?")
    found = passage("Staff get 15 days of holiday.", title="Leave", uri="leave.md")
    assert mark(asked, given, given, [found]).citations == 1.0


def test_no_answers_no_figures() -> None:
    """What could not be measured is left out instead of being zero."""
    found = figures([Marked(answer=answer("", answered=False), marks=Marks())], pirate_measure())
    assert (found.correct, found.style, found.citations, found.fallback) == (None, None, None, None)
    assert value(found.answered) == 0


def test_style_of_answers() -> None:
    """Answers in the manner score high, plain ones low, with their intervals apart."""
    voiced = ["Arr, ye'd best mind yer badge, matey [1]!", "Aye, 'tis the wiki ye be seekin' [2]!"] * 5
    plain = ["Please renew your badge on Monday [1].", "The wiki is available to the team [2]."] * 5
    high, low = style(pirate_measure(), voiced), style(pirate_measure(), plain)
    assert high is not None
    assert low is not None
    assert high.low > 0.6 > 0.4 > low.high
    assert style(pirate_measure(), []) is None


def row(*, right: float = 1.0, invented: int = 0) -> Marked:
    return Marked(
        answer=replace(answer("x"), usage=Usage(input_tokens=1)),
        marks=Marks(correct=right, f1=right, citations=1.0, invented=("12",) * invented),
    )


def compared(key: str, score: float, rows: Sequence[Marked]) -> Compared:
    way = Way(key=key, label=f"{key.capitalize()} (…)", model="m", ask=ways)  # type: ignore[arg-type]  # not asked
    found = figures(rows, None)
    wide = Interval(value=score, low=score - 0.05, high=score + 0.05)
    return Compared(way=way, rows=tuple(rows), figures=replace(found, style=wide))


def told(*found: Compared, number: int = 60, accuracy: Accuracy | None = ACCURACY) -> Comparison:
    return Comparison(asked=(ASKED,) * number, ways=found, accuracy=accuracy)


def test_advice_takes_the_most_alike_of_the_sound() -> None:
    """Of ways that answer as well, the one that surely sounds most like the speaker is chosen."""
    good = [row()] * 60
    advice = advise(
        told(compared(BASE, 0.1, good), compared(REWRITE, 0.9, good), compared(PROMPT, 0.6, good))
    )
    assert advice.choice == REWRITE
    assert 'mode = "rewrite"' in advice.sentence


def test_advice_takes_the_easier_of_equals() -> None:
    """When a trained model is not surely better than a prompt, the prompt is chosen."""
    good = [row()] * 60
    advice = advise(
        told(compared(BASE, 0.1, good), compared(REWRITE, 0.82, good), compared(PROMPT, 0.8, good))
    )
    assert advice.choice == PROMPT
    assert "takes more to keep" in advice.sentence


def test_advice_never_trades_truth_for_voice() -> None:
    """A way that is less right or invents facts is not chosen, however well it sounds; the reason is told."""
    good, wrong, inventive = [row()] * 60, [row(right=0.0)] * 30 + [row()] * 30, [row(invented=1)] * 60
    advice = advise(
        told(compared(BASE, 0.1, good), compared(REWRITE, 0.9, wrong), compared(DIRECT, 0.9, inventive))
    )
    assert advice.choice == BASE
    assert any("fewer answers are right (-50 points" in reason for reason in advice.reasons)
    assert any("it invents facts (1.00 an answer more)" in reason for reason in advice.reasons)


def test_advice_without_a_trusted_measure() -> None:
    """When style cannot be told there is no reason for a voice, and the advice says so."""
    good = [row()] * 60
    poor = replace(ACCURACY, grouped=Interval(value=0.6, low=0.5, high=0.7))
    for accuracy in (None, poor):
        advice = advise(told(compared(BASE, 0.1, good), compared(REWRITE, 0.9, good), accuracy=accuracy))
        assert advice.choice == BASE
        assert "could not be measured" in advice.sentence
    assert any("AUROC 0.60" in reason for reason in advice.reasons)


def test_advice_says_when_replies_are_few() -> None:
    """A measure from too few replies of the speaker is told as unreliable, with how many it had and needs."""
    good = [row()] * 60
    for own, reliable in ((49, False), (50, True)):
        accuracy = replace(ACCURACY, own=own)
        advice = advise(told(compared(BASE, 0.1, good), compared(REWRITE, 0.9, good), accuracy=accuracy))
        said = "The style measure had only 49 replies of the speaker. With fewer than 50 it is not reliable"
        assert any(reason.startswith(said) for reason in advice.reasons) is not reliable


def test_advice_says_when_questions_are_few() -> None:
    """With few questions the advice says that small differences cannot be told."""
    few = [row()] * 5
    advice = advise(told(compared(BASE, 0.1, few), compared(REWRITE, 0.9, few), number=5))
    assert "5 questions are few" in advice.reasons[0]
