"""The ways of answering that a persona is compared in: plain, by the style model alone, in each mode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.errors import UsageError
from adapters.runtime import Runtime
from adapters.settings import read_variable
from bot.assistant import Assistant
from bot.comparing import ALONE, BASE, DIRECT, PROMPT, REWRITE, Ask, Way
from bot.errors import ModelError
from bot.extractive import Composer
from bot.messages import Answer, Question, Usage
from bot.persona_settings import PersonaMode, PersonaSettings, VoiceSettings
from bot.personas import Choice, Personas, choose_model

if TYPE_CHECKING:
    from bot.citations import Cited
    from bot.llms import Model
    from bot.persona import Stylist
    from bot.settings import LlmSettings

LABELS = {
    BASE: "Plain (base model + documents)",
    ALONE: "Style model alone",
    REWRITE: "Rewrite (documents, then style model)",
    DIRECT: "Direct (style model + documents)",
    PROMPT: "Prompt only (base model told the voice)",
}
_MODES: tuple[tuple[str, PersonaMode], ...] = ((REWRITE, "rewrite"), (DIRECT, "direct"), (PROMPT, "prompt"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways that can be tried, the plain one first, and why others cannot."""

    name: str
    ways: tuple[Way, ...]
    left_out: dict[str, str]


async def open_ways(runtime: Runtime, wanted: str | None, stack: AsyncExitStack) -> Ways:
    """Make the ways for a persona; `stack` closes what they open. Raise UsageError for an unknown one."""
    personas = await runtime.personas()
    name = personas.proper(wanted or personas.settings.name)
    if personas.voice(name) is None:
        known = ", ".join(map(repr, personas.names)) or "none; set up [persona]"
        raise UsageError(f"there is no persona {name!r}. There are: {known}.")
    plain = await _assistant(runtime, None)
    ways = [Way(key=BASE, label=LABELS[BASE], model=_written_by(runtime), ask=_asking(plain, None))]
    left_out: dict[str, str] = {}
    for key, mode in _MODES:
        choice, known_as = _choice(personas, name, mode)
        if choice.voice is None:
            left_out[LABELS[key]] = choice.reason.rstrip(".")
            continue
        stylist = _stylist(known_as, stack)
        if key == REWRITE:
            ways.append(_alone(choice, stack))
        assistant = await _assistant(runtime, stylist)
        ways.append(Way(key=key, label=LABELS[key], model=choice.model.model, ask=_asking(assistant, name)))
    if REWRITE not in {way.key for way in ways}:
        left_out[LABELS[ALONE]] = left_out[LABELS[REWRITE]]
    return Ways(name=name, ways=tuple(ways), left_out=left_out)


async def passages_of(runtime: Runtime, question: str) -> Sequence[Cited]:
    """Return what is found for a question."""
    searcher = await runtime.searcher()
    result = await searcher.search(question, limit=runtime.settings.retrieval.results)
    return result.passages


def _written_by(runtime: Runtime) -> str:
    llm = runtime.settings.llm
    return llm.model if llm.provider != "none" else "sentences quoted"


async def _assistant(runtime: Runtime, stylist: Stylist | None) -> Assistant:
    """Return an assistant that keeps nothing in the ledger: these are no answers to anybody."""
    searcher = await runtime.searcher()
    return Assistant(
        searcher,
        Composer(searcher).compose,
        await runtime.model(),
        None,
        runtime.settings.retrieval,
        stylist,
    )


def _asking(assistant: Assistant, persona: str | None) -> Ask:
    async def ask(question: str) -> Answer:
        return await assistant.answer(Question(text=question, persona=persona))

    return ask


def _choice(personas: Personas, name: str, mode: PersonaMode) -> tuple[Choice, Personas]:
    """Return who speaks for a persona in a mode, and the personas of which it is the only one."""
    voice = personas.voice(name)
    assert voice is not None  # the caller has looked
    trained = personas.trained.get(name)
    if mode != "prompt" and voice.mode == "prompt" and trained is None:
        return Choice(name=name, reason=f"the persona {name!r} has no trained model"), personas
    fields = voice.model_dump(include=set(VoiceSettings.model_fields)) | {"mode": mode}
    if mode == "prompt" and voice.mode != "prompt":
        # Told, not trained: the model of [llm], whatever was tuned. A voice of mode prompt has its own.
        fields |= _base_model(personas.llm)
    alone = Personas(
        settings=PersonaSettings.model_validate(fields | {"enabled": True, "name": name}),
        llm=personas.llm,
        trained={name: trained} if trained is not None else {},
    )
    return choose_model(name, alone), alone


def _base_model(llm: LlmSettings) -> dict[str, object]:
    if llm.provider == "none":
        return {"model": "", "base_url": ""}
    return {
        "model": llm.model,
        "base_url": llm.base_url,
        "api_key_env": llm.api_key_env,
        "price_input": llm.price_input,
        "price_output": llm.price_output,
    }


def _stylist(personas: Personas, stack: AsyncExitStack) -> Stylist:
    from bot.persona import Stylist

    stylist = Stylist(personas, read_variable)
    stack.push_async_callback(stylist.close)
    return stylist


def _alone(choice: Choice, stack: AsyncExitStack) -> Way:
    """Return the way in which the style model gets the question and nothing else."""
    from bot.llms import open_model

    opened: list[Model] = []

    async def ask(question: str) -> Answer:
        began = time.perf_counter()
        try:
            if not opened:
                model = open_model(choice.model, read_variable(choice.model.api_key_env))
                if model is None:
                    raise UsageError(f"the persona {choice.name!r} has no model.")
                opened.append(model)
                stack.push_async_callback(model.close)
            text, usage = await _say(opened[0], choice, question)
            reason = "" if text else "it said nothing"
        except (ModelError, TimeoutError) as error:
            text, usage = "", Usage()
            reason = error.reason if isinstance(error, ModelError) else "the model took too long"
        return Answer(
            question=question,
            answered=bool(text),
            text=text,
            confidence=0.0,
            mode="persona",
            model=choice.model.model,
            milliseconds=(time.perf_counter() - began) * 1000,
            usage=usage,
            notice=reason,
        )

    return Way(key=ALONE, label=LABELS[ALONE], model=choice.model.model, ask=ask)


async def _say(model: Model, choice: Choice, question: str) -> tuple[str, Usage]:
    from bot.llms import system, user
    from bot.persona_prompts import voice_prompt
    from bot.spending import Spent

    assert choice.voice is not None  # there is somebody to speak
    spent = Spent()
    messages = [system(voice_prompt(choice.voice, choice.shown)), user(question)]
    async with asyncio.timeout(choice.model.timeout), aclosing(model.stream(messages, spent)) as words:
        text = "".join([word async for word in words]).strip()
    return text, spent.usage(choice.model)
