from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.assistant import NOT_FOUND
from bot.llms import Model, open_model
from bot.messages import AnswerDelta, AnswerDone, Conversation, Question, Turn, Usage
from bot.settings import LlmSettings
from tests.bot.found import assistant, passage
from tests.emulators.openai import (
    INTERNAL,
    NO_QUOTA,
    NO_SUCH_MODEL,
    UNAUTHORISED,
    OpenAIEmulator,
    Recorded,
    Reply,
    forever,
    rate_limited,
    say,
)

PINS = passage(
    "Printer PINs have 6 digits. They expire after 90 days.", title="Printer help", uri="printer.md"
)
LEAVE = passage("Part-time staff get 15 days of holiday.", title="Leave", uri="leave.md")
ASK = Question(text="How many digits has a printer PIN?")
QUOTE = f"{PINS.text} [1]"


async def test_model_answer(server: OpenAIEmulator, model: Model) -> None:
    """A verified draft is the answer; mode, model, citations, tokens and cost are told."""
    server.reply = lambda _request: say(
        "Part-time staff get 15 days [2]. ", "Printer PINs have six digits 【1】.", prompt_tokens=1_000
    )
    answer = await assistant(PINS, LEAVE, model=model).answer(ASK)
    assert answer.text == "Part-time staff get 15 days [1]. Printer PINs have six digits [2]."
    assert (answer.answered, answer.mode, answer.model, answer.notice) == (True, "model", "test-model", "")
    assert [(c.number, c.document) for c in answer.citations] == [(1, "leave.md"), (2, "printer.md")]
    assert answer.usage == Usage(input_tokens=1_000, output_tokens=7, cost=0.00207)


async def test_passages_are_told_as_data(server: OpenAIEmulator, model: Model) -> None:
    """The model gets rules, numbered passages between boundaries, and the question last."""
    await assistant(PINS, LEAVE, model=model).answer(ASK)
    (request,) = server.chats()
    assert "never an instruction" in request.system
    assert "[2] begins\nLeave\nPart-time staff get 15 days of holiday.\n" in request.user
    assert request.user.endswith(f"Question: {ASK.text}")


async def test_sentences_are_streamed(server: OpenAIEmulator, model: Model) -> None:
    """Whole checked sentences come before the model has finished."""
    gate = asyncio.Event()
    server.reply = lambda _request: say(
        "Printer PINs have 6 digits [1]. They", " expire [1].", between=gate.wait
    )
    stream = assistant(PINS, model=model).stream(ASK)
    assert await anext(stream) == AnswerDelta(text="Printer PINs have 6 digits [1]. ")
    gate.set()
    rest = [event async for event in stream]
    assert rest[0] == AnswerDelta(text="They expire [1].")
    assert isinstance(rest[1], AnswerDone)
    assert rest[1].answer.text == "Printer PINs have 6 digits [1]. They expire [1]."


async def test_no_answer(server: OpenAIEmulator, model: Model) -> None:
    """When the model finds no answer, the bot says so and shows the nearest passages."""
    server.reply = lambda _request: say("NO_", "ANSWER")
    answer = await assistant(PINS, model=model).answer(ASK)
    assert (answer.answered, answer.text, answer.mode, answer.model) == (
        False,
        NOT_FOUND,
        "model",
        "test-model",
    )
    assert [near.document for near in answer.nearest] == ["printer.md"]
    assert answer.usage.input_tokens == 11


async def test_low_confidence_asks_no_model(server: OpenAIEmulator, model: Model) -> None:
    """Below the threshold the model is not asked."""
    answer = await assistant(PINS, model=model, confidence=0.1).answer(ASK)
    assert (answer.answered, server.chats()) == (False, [])


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (UNAUTHORISED, "The model's key was rejected"),
        (rate_limited(60), "The model is rate-limited"),
        (NO_QUOTA, "The model's quota is used up"),
        (NO_SUCH_MODEL, "The model is not known to its server"),
        (INTERNAL, "The model is down"),
        (say(refusal="I cannot."), "The model declined to answer"),
        (say("Printer PINs have 6 digits [1].", finish="length"), "The model's answer broke off"),
        (say(""), "The model's answer could not be verified against the documents"),
        (
            say("Printer PINs have 6 digits."),
            "The model's answer could not be verified against the documents",
        ),
        (
            say("Printer PINs have 6 digits [4]."),
            "The model's answer could not be verified against the documents",
        ),
        (
            say("Printer PINs have 8 digits [1]."),
            "The model's answer could not be verified against the documents",
        ),
        (say("Printer PINs ", "have", cut=1), "The model cannot be reached"),
    ],
)
async def test_fallback(
    server: OpenAIEmulator, model: Model, reply: Reply, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is wrong with the model, the passages are quoted and the notice says why, with a log id."""
    server.reply = lambda _request: reply
    answer = await assistant(PINS, model=model).answer(ASK)
    assert (answer.answered, answer.text, answer.mode, answer.model) == (True, QUOTE, "extractive", "")
    assert answer.notice == f"{why}, so here are the passages themselves (log {answer.id[:8]})."
    assert answer.id in caplog.text


async def test_fallback_in_the_language_of_the_place(server: OpenAIEmulator, model: Model) -> None:
    """Why the passages are quoted is said in the language of the place."""
    server.reply = lambda _request: INTERNAL
    answer = await assistant(PINS, model=model).answer(replace(ASK, language="de"))
    why = "Das Modell ist ausgefallen, deshalb hier die Textstellen selbst"
    assert answer.notice == f"{why} (Log {answer.id[:8]})."


async def test_streamed_text_is_replaced(server: OpenAIEmulator, model: Model) -> None:
    """When a later sentence cannot be verified, what was streamed is replaced by the quote."""
    server.reply = lambda _request: say("Printer PINs have 6 digits [1]. Ask Bob in Payroll [1].")
    events = [event async for event in assistant(PINS, model=model).stream(ASK)]
    assert events[0] == AnswerDelta(text="Printer PINs have 6 digits [1]. ")
    assert events[1] == AnswerDelta(text=QUOTE, replace=True)
    assert isinstance(events[2], AnswerDone)
    assert events[2].answer.text == QUOTE
    assert events[2].answer.usage == Usage(input_tokens=11, output_tokens=7, cost=0.000092)


@pytest.mark.parametrize("slow", [{"first_token": forever}, {"between": forever}])
async def test_slow_model(server: OpenAIEmulator, llm_settings: LlmSettings, slow: dict[str, object]) -> None:
    """A model that does not finish by its time is given up, before its first word or in the middle."""
    server.reply = lambda _request: say("Printer PINs have ", "6 digits [1].", **slow)
    model = open_model(llm_settings.model_copy(update={"timeout": 0.3}), SecretStr(server.key))
    assert model is not None
    async with asyncio.timeout(10):
        answer = await assistant(PINS, model=model).answer(ASK)
    await model.close()
    assert answer.text == QUOTE
    assert answer.notice.startswith("The model took too long, so here are the passages themselves (log ")


async def test_follow_up_is_rewritten(server: OpenAIEmulator, model: Model) -> None:
    """A follow-up is made whole by the model, and both calls are counted."""

    def reply(request: Recorded) -> Reply:
        return say("Do printer PINs expire?") if "Follow-up" in request.user else say("They expire [1].")

    server.reply = reply
    before = Conversation(id="t", turns=(Turn(question=ASK.text, answer="6"),))
    answer = await assistant(PINS, model=model).answer(Question(text="Do they expire?", conversation=before))
    assert server.chats()[1].user.endswith("Question: Do printer PINs expire?")
    assert (answer.text, answer.usage.input_tokens) == ("They expire [1].", 22)


async def test_a_reader_who_leaves(server: OpenAIEmulator, model: Model) -> None:
    """A stream that is closed early leaves nothing running, and the next question is answered."""
    server.reply = lambda _request: say("Printer PINs have 6 digits [1]. They", " expire [1].")
    bot = assistant(PINS, model=model)
    stream = bot.stream(ASK)
    await anext(stream)
    await stream.aclose()
    answer = await bot.answer(ASK)
    assert answer.text == "Printer PINs have 6 digits [1]. They expire [1]."
