"""The stylist over a real client and the OpenAI emulator: what a style model may and may not do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.messages import Answer, AnswerDelta, AnswerDone, Question, Usage
from bot.persona import Stylist
from bot.persona_settings import NamedVoice, PersonaSettings
from bot.personas import Personas, choose_model
from bot.settings import LlmSettings
from tests.bot import styled
from tests.bot.found import assistant, passage
from tests.emulators.openai import INTERNAL, OpenAIEmulator, Reply, forever, one_after_another, say

PINS = passage(
    "Printer PINs have 6 digits. They expire after 90 days.", title="Printer help", uri="printer.md"
)
ASK = Question(text="How many digits has a printer PIN?", persona="pirate")
PLAIN = f"{PINS.text} [1]"
TOLD = "Arr, printer PINs have six digits, and after 90 days they expire [1]!"
CASES = 500
HASTY, PATIENT = 1.0, 60.0  # seconds that a voice may take


def personas(server: OpenAIEmulator, **changes: object) -> Personas:
    values = {
        "enabled": True,
        "name": "pirate",
        "description": "a pirate",
        "model": "ft:pirate",
        "base_url": server.base_url,
        "price_input": 2.0,
        "price_output": 10.0,
    }
    return Personas(settings=PersonaSettings(**(values | changes)))  # type: ignore[arg-type]  # a table of fields


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(models=("ft:pirate", "test-model")).running() as running:
        yield running


@pytest.fixture
async def stylist(server: OpenAIEmulator) -> AsyncIterator[Stylist]:
    opened = Stylist(personas(server), lambda _name: SecretStr(server.key))
    yield opened
    await opened.close()


def answered(text: str, key: str = "a1") -> Answer:
    return Answer(id=key, question="?", answered=True, text=text, confidence=0.9)


async def test_answer_in_a_voice(server: OpenAIEmulator, stylist: Stylist) -> None:
    """The rewrite is the answer; whose voice it is, the verdict, and what this step took are told apart."""
    server.reply = lambda _request: say(TOLD, prompt_tokens=1_000)
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert (answer.text, answer.mode, answer.model) == (TOLD, "persona", "ft:pirate")
    assert answer.notice == "In the voice of a pirate."
    assert answer.usage == Usage()
    assert answer.voice is not None
    assert (answer.voice.verdict, answer.voice.tries, answer.voice.name) == ("kept", 1, "pirate")
    assert answer.voice.usage == Usage(input_tokens=1_000, output_tokens=7, cost=0.00207)
    assert 0 < answer.voice.milliseconds <= answer.milliseconds
    assert [citation.document for citation in answer.citations] == ["printer.md"]


async def test_retry_is_told_what_was_lost(server: OpenAIEmulator, stylist: Stylist) -> None:
    """After a rewrite that loses a fact, the model is told which, and its second try counts."""
    server.reply = one_after_another(say("Arr, PINs have six digits, and they expire [1]!"), say(TOLD))
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert answer.text == TOLD
    assert answer.voice is not None
    assert (answer.voice.verdict, answer.voice.tries) == ("kept", 2)
    assert "Lost or changed: 90 days" in server.chats()[1].user


async def test_draft_stands_when_both_tries_fail(server: OpenAIEmulator, stylist: Stylist) -> None:
    """Two rewrites that change a fact leave the draft, with a line that says so."""
    server.reply = lambda _request: say("Arr, PINs of seven digits, expiring after 90 days [1]!")
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert (answer.text, answer.mode) == (PLAIN, "extractive")
    assert answer.notice.startswith("The voice changed facts, so here is the plain answer (log ")
    assert answer.voice is not None
    assert (answer.voice.verdict, answer.voice.lost, answer.voice.invented) == (
        "rejected",
        ("6",),
        ("seven",),
    )


async def test_only_the_judged_text_is_streamed(server: OpenAIEmulator, stylist: Stylist) -> None:
    """A streamed turn shows nothing but the text that was judged, once."""
    server.reply = lambda _request: say(*TOLD.partition("six"))
    events = [event async for event in assistant(PINS, stylist=stylist).stream(ASK)]
    assert events[0] == AnswerDelta(text=TOLD)
    assert isinstance(events[1], AnswerDone)
    assert len(events) == 2


async def test_nobody_asked_for_a_voice(server: OpenAIEmulator, stylist: Stylist) -> None:
    """Without a persona the style model is not asked and the answer says nothing of it."""
    answer = await assistant(PINS, stylist=stylist).answer(Question(text=ASK.text))
    assert (answer.text, answer.voice, server.chats()) == (PLAIN, None, [])


async def test_unanswered_stays_plain(server: OpenAIEmulator, stylist: Stylist) -> None:
    """What could not be answered is not restyled."""
    answer = await assistant(PINS, stylist=stylist, confidence=0.1).answer(ASK)
    assert (answer.answered, answer.voice, server.chats()) == (False, None, [])


async def test_an_address_of_the_draft_stays(server: OpenAIEmulator, stylist: Stylist) -> None:
    """An address that passed the output gate in the draft is left as it is in the rewrite."""
    address = "https://docs.example.com/pins"
    server.reply = lambda _request: say(f"{TOLD} Charted at {address}, aye.")
    choice = choose_model("pirate", stylist.personas)
    answer = await stylist.rewrite(choice, answered(f"{PLAIN}. See {address}."))
    assert answer.text == f"{TOLD} Charted at {address}, aye."


async def test_direct_answers_from_the_passages(server: OpenAIEmulator) -> None:
    """In mode direct the style model reads the passages, and what it says must stand on what it cites."""
    server.reply = lambda _request: say(TOLD)
    stylist = Stylist(personas(server, mode="direct"), lambda _name: SecretStr(server.key))
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert (answer.text, answer.mode) == (TOLD, "persona")
    assert [citation.document for citation in answer.citations] == ["printer.md"]
    assert "[1] begins" in server.chats()[0].user
    await stylist.close()


@pytest.mark.parametrize(
    "said",
    [
        "Arr, seven digits for printer PINs [1]!",
        "Printer PINs have six digits [4].",
        "Printer PINs have six digits.",
        "Printer PINs do not expire after 90 days [1].",
        "The captain of the ship sails tonight with rum and treasure [1].",
        "NO_ANSWER",
    ],
)
async def test_direct_that_cannot_stand_gives_way(said: str, server: OpenAIEmulator) -> None:
    """An answer with a fact, a denial or a citation that no passage has gives way to the plain one."""
    server.reply = lambda _request: say(said)
    stylist = Stylist(personas(server, mode="direct"), lambda _name: SecretStr(server.key))
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert (answer.text, answer.mode) == (PLAIN, "extractive")
    assert answer.voice is not None
    assert answer.voice.verdict == "rejected"
    await stylist.close()


async def test_prompt_mode_needs_no_trained_model(server: OpenAIEmulator) -> None:
    """In mode prompt the base model is told the persona's prompt and examples."""
    server.reply = lambda _request: say(TOLD)
    known = personas(server, mode="prompt", model="", base_url="", prompt="Say arr.", examples=("Arr, aye!",))
    llm = LlmSettings(provider="openai", model="test-model", base_url=server.base_url)
    stylist = Stylist(Personas(settings=known.settings, llm=llm), lambda _name: SecretStr(server.key))
    answer = await assistant(PINS, stylist=stylist).answer(ASK)
    assert (answer.text, answer.model) == (TOLD, "test-model")
    (request,) = server.chats()
    assert "Say arr." in request.system
    assert "<example>\nArr, aye!\n</example>" in request.system
    await stylist.close()


def test_choose_model_is_plain_about_why_nobody_speaks() -> None:
    """Switched off, unnamed, unknown and untrained personas each give their own reason."""
    off = Personas(settings=PersonaSettings(name="bard", prompt="x"))
    on = Personas(
        settings=PersonaSettings(enabled=True, name="bard", model="ft:bard"),
        others=(NamedVoice(name="pirate"),),
    )
    assert choose_model("bard", off).reason.startswith("Personas are switched off.")
    assert choose_model(None, on).reason == "No persona was asked for."
    assert choose_model("elf", on).reason == "There is no persona 'elf'. There are: 'bard', 'pirate'."
    assert choose_model("pirate", on).reason.startswith("The persona 'pirate' has no model. Train one")
    assert choose_model("BARD", on).model.model == "ft:bard"


def cases() -> list[tuple[str, styled.Draft, Reply]]:
    """Return 500 drafts with what the style model does to each: (a) to (h) in turn."""
    kinds = ["keeps the facts", *styled.BREAKS, "hangs", "errors"]
    found = []
    for seed in range(CASES):
        kind, one = kinds[seed % len(kinds)], styled.draft(seed)
        reply: Reply = say(one.kept)
        if kind in styled.BREAKS:
            reply = say(styled.BREAKS[kind](one))
        elif kind == "hangs":
            reply = say("Arr", one.kept, between=forever) if seed % 2 else say(one.kept, first_token=forever)
        elif kind == "errors":
            reply = INTERNAL
        found.append((kind, one, reply))
    return found


async def test_500_generated_cases(server: OpenAIEmulator) -> None:
    """(a) passes; all that drop, change, flip, invent, hang or fail give the draft, within the time limit."""
    # Only what hangs meets a short limit: on a loaded machine the others may take a while.
    stylists = {
        limit: Stylist(personas(server, timeout=limit), lambda _name: SecretStr(server.key))
        for limit in (HASTY, PATIENT)
    }
    made = cases()
    by_draft = {one.text: reply for _, one, reply in made}
    assert len(made) == CASES
    server.reply = lambda request: by_draft[_first_user(request.body)]
    several = asyncio.Semaphore(16)

    async def run(kind: str, one: styled.Draft) -> tuple[str, styled.Draft, Answer, float]:
        stylist = stylists[HASTY if kind == "hangs" else PATIENT]
        async with several:
            began = time.perf_counter()
            answer = await stylist.rewrite(choose_model("pirate", stylist.personas), answered(one.text))
            return kind, one, answer, time.perf_counter() - began

    unique = {one.text: (kind, one) for kind, one, _ in made}
    results = await asyncio.gather(*(run(*case) for case in unique.values()))
    for stylist in stylists.values():
        await stylist.close()
    for kind, one, answer, took in results:
        wanted = one.kept if kind == "keeps the facts" else one.text
        assert answer.text == wanted, (kind, one, answer.voice)
        assert kind != "hangs" or HASTY <= took < PATIENT / 2, (one, answer.voice)


def _first_user(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return next(str(message["content"]) for message in messages if message["role"] == "user")
