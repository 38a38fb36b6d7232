from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, cast

import pytest

from bot.assistant import LONGEST_QUESTION, NO_DOCUMENTS, NO_QUESTION, NOT_FOUND
from bot.ledger import Ledger
from bot.messages import Answer, AnswerDone, Asker, Conversation, Question, Turn
from kb.database import close_database, open_database
from kb.documents import Audience
from kb.errors import StoreError
from tests.bot.found import FakeSearcher, Found, assistant, passage

PINS = passage("Printer PINs have 6 digits.", title="Printer help", uri="printer.md")


class FakeLedger:
    """Keeps what it is given; waits for `gate`, then fails with `fails`."""

    def __init__(self, fails: Exception | None = None, gate: asyncio.Event | None = None) -> None:
        self.kept: list[tuple[Answer, dict[str, float], dict[str, str]]] = []
        self._fails = fails
        self._gate = gate

    async def record(
        self, _question: Question, answer: Answer, *, timings: dict[str, float], hashes: dict[str, str]
    ) -> str:
        if self._gate is not None:
            await self._gate.wait()
        if self._fails is not None:
            raise self._fails
        self.kept.append((answer, timings, hashes))
        return answer.id


def as_ledger(fake: FakeLedger) -> Ledger:
    return cast("Ledger", cast("Any", fake))


async def test_quoted_answer() -> None:
    """Without a model the answer is quoted and cited."""
    answer = await assistant(PINS).answer(Question(text="How many digits?"))
    assert (answer.answered, answer.text, answer.mode, answer.model) == (
        True,
        "Printer PINs have 6 digits. [1]",
        "extractive",
        "",
    )
    assert [(c.number, c.document, c.quote) for c in answer.citations] == [(1, "printer.md", PINS.text)]
    assert (answer.confidence, answer.notice, answer.usage.cost) == (0.9, "", 0.0)
    assert answer.milliseconds > 0


async def test_stream_ends_with_the_answer() -> None:
    """A stream's last event is the finished answer."""
    events = [event async for event in assistant(PINS).stream(Question(text="How many digits?"))]
    assert isinstance(events[-1], AnswerDone)
    assert events[-1].answer.text == "Printer PINs have 6 digits. [1]"


async def test_low_confidence_declines() -> None:
    """Below the threshold the bot says so and shows at most three nearest passages."""
    others = [passage(f"Text {number}.", uri=f"{number}.md") for number in range(5)]
    answer = await assistant(*others, confidence=0.49).answer(Question(text="How?"))
    assert (answer.answered, answer.text, answer.confidence, answer.citations) == (False, NOT_FOUND, 0.49, ())
    assert [(near.number, near.document) for near in answer.nearest] == [
        (1, "0.md"),
        (2, "1.md"),
        (3, "2.md"),
    ]


async def test_empty_index() -> None:
    """An empty index is said to be empty, with what to do."""
    answer = await assistant(confidence=0.0).answer(Question(text="How?"))
    assert (answer.answered, answer.text, answer.nearest) == (False, NO_DOCUMENTS, ())


async def test_empty_source() -> None:
    """When only some sources are asked, they are named."""
    answer = await assistant(confidence=0.0).answer(Question(text="How?", sources=("wiki",)))
    assert answer.text == "I have no documents from 'wiki'."


@pytest.mark.parametrize("text", ["", "  \n\t", "???"])
async def test_no_question(text: str) -> None:
    """A question without words is not searched for."""
    searcher = FakeSearcher(Found(passages=(PINS,)))
    answer = await assistant(searcher=searcher).answer(Question(text=text))
    assert (answer.answered, answer.text, searcher.asked) == (False, NO_QUESTION, [])


async def test_long_question() -> None:
    """A very long question is cut, and the notice says so."""
    searcher = FakeSearcher(Found(passages=(PINS,)))
    answer = await assistant(searcher=searcher).answer(Question(text="why " * 5_000))
    assert len(searcher.asked[0]) == LONGEST_QUESTION
    assert answer.notice == "The question is very long; I used its first 4,000 characters."


async def test_broken_index(caplog: pytest.LogCaptureFixture) -> None:
    """An index that cannot be read gives one line with an id that the log has too."""
    searcher = FakeSearcher(Found(passages=()), fails=StoreError("The index 'x' is locked. Try again."))
    answer = await assistant(searcher=searcher).answer(Question(text="my private question"))
    assert answer.answered is False
    assert answer.notice == f"The index 'x' is locked. Try again. (log {answer.id[:8]})"
    assert answer.id in caplog.text
    assert "private" not in caplog.text


async def test_audience_is_passed_on() -> None:
    """The search sees what the asker may see."""
    searcher = FakeSearcher(Found(passages=(PINS,)))
    hr = Audience(frozenset({"hr"}))
    await assistant(searcher=searcher).answer(Question(text="How?", asker=Asker(audience=hr)))
    assert searcher.audiences == [hr]


async def test_follow_up() -> None:
    """A follow-up is searched with the topic of the question before; the answer keeps the asker's words."""
    searcher = FakeSearcher(Found(passages=(PINS,)))
    before = Conversation(id="t", turns=(Turn(question="How long is a printer PIN?", answer="6"),))
    question = Question(text="Do they expire?", conversation=before)
    answer = await assistant(searcher=searcher).answer(question)
    assert searcher.asked == ["Do they expire? (long printer pin)"]
    assert answer.question == "Do they expire?"


async def test_dangerous_document_text() -> None:
    """A quoted document brings no link, image, HTML or live mention into the answer."""
    bad = passage("![x](https://evil.test/i) <b>PIN</b> @everyone [in](https://evil.test) <!channel>")
    answer = await assistant(bad).answer(Question(text="PIN?"))
    assert answer.text == "x PIN @\u200beveryone in <\u200b!channel> [1]"


async def test_ledger_gets_the_answer() -> None:
    """The ledger gets the answer with the time of each step and the hashes of its nodes."""
    fake = FakeLedger()
    answer = await assistant(PINS, ledger=as_ledger(fake)).answer(Question(text="How many?"))
    ((kept, timings, hashes),) = fake.kept
    assert kept == answer
    assert set(timings) == {"understand", "retrieve", "quote"}
    assert hashes == {PINS.node.id: PINS.node.hash}


async def test_broken_ledger_loses_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """A ledger that fails leaves the answer whole and the cause in the log."""
    fake = FakeLedger(fails=RuntimeError("disk"))
    answer = await assistant(PINS, ledger=as_ledger(fake)).answer(Question(text="How many?"))
    assert answer.answered
    assert f"answer {answer.id}: it was given and could not be kept" in caplog.text


async def test_slow_ledger_delays_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow ledger does not hold the answer back, and closing waits for it."""
    monkeypatch.setattr("bot.assistant.KEEP_SECONDS", 0.0)
    gate = asyncio.Event()
    fake = FakeLedger(gate=gate)
    bot = assistant(PINS, ledger=as_ledger(fake))
    answer = await bot.answer(Question(text="How many?"))
    assert (answer.answered, fake.kept) == (True, [])
    gate.set()
    await bot.close()
    assert len(fake.kept) == 1


async def test_no_message_text_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Neither question nor answer is logged."""
    caplog.set_level(logging.DEBUG, logger="bot")
    await assistant(PINS).answer(Question(text="my private question"))
    assert "private" not in caplog.text
    assert "digits" not in caplog.text


async def test_what_nobody_asked_for_needs_more(tmp_path: Path) -> None:
    """An unasked question is answered above its own bar alone, and what falls short of it is not kept."""
    engine = await open_database("", tmp_path)
    ledger = await Ledger.open(engine)
    over = assistant(passage("PINs have 6 digits."), ledger=ledger, confidence=0.7)
    low = await over.answer(Question(text="How many digits has a PIN?", bar=0.8, id="a1"))
    assert (low.answered, low.id, await ledger.recent()) == (False, "a1", [])
    high = await over.answer(Question(text="How many digits has a PIN?", bar=0.6, id="a1"))
    assert high.answered
    assert [entry.id for entry in await ledger.recent()] == ["a1"]
    await close_database(engine)
