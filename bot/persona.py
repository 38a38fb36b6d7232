"""Gives a checked answer in a voice, with its facts locked; what cannot stand is not shown.

The style model gets the draft (or the passages) and a time limit. What it writes is judged by the fact lock;
it may try once more with a list of what it lost. Then the draft is the answer. Nothing here raises.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llama_index.core.llms import ChatMessage, MessageRole

from bot.citations import Cited, build_citation, canonical_markers, evidence_text, markers, renumber, safe_url
from bot.errors import ModelError, ModelRefused
from bot.fact_lock import Verdict, judge
from bot.grounded_voice import judge_direct
from bot.llms import open_model
from bot.messages import Answer, Citation, Question, Voice, VoiceVerdict
from bot.output_gate import defang
from bot.persona_prompts import Chat, again, direct_chat, rewrite_chat
from bot.persona_texts import ENGLISH, PersonaTexts, persona_texts, translated
from bot.personas import Choice, Personas, choose_model
from bot.query_engine import fitting
from bot.spending import Spent

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.llms import Model
    from bot.persona_guard import PersonaGuard

Secret = Callable[[str], "SecretStr | None"]

TRIES = 2
_THOUGHTS = re.compile(r"^\s*<think>.*?(?:</think>|\Z)\s*", re.DOTALL)
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|\\^{})\]]*[^\s<>\"'`|\\^{})\].,;:!?*_~]", re.IGNORECASE
)
_FENCE_AROUND = re.compile(r"^```(?:\w+)?\n(.*)\n```$", re.DOTALL)

_VOICES_MODEL = "the voice's model"  # how the reason begins when it failed

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Try:
    """What is known of a voice while it speaks."""

    choice: Choice
    id: str
    began: float = field(default_factory=time.perf_counter)
    spent: Spent = field(default_factory=Spent)
    verdict: Verdict | None = None
    text: str = ""
    tries: int = 0

    def voice(self, verdict: VoiceVerdict, reason: str = "") -> Voice:
        """Return how it went."""
        return Voice(
            name=self.choice.name,
            description=self.choice.shown,
            mode=self.choice.mode,
            model=self.choice.model.model,
            verdict=verdict,
            reason=reason,
            lost=self.verdict.lost if self.verdict else (),
            invented=self.verdict.invented if self.verdict else (),
            tries=self.tries,
            milliseconds=(time.perf_counter() - self.began) * 1000,
            usage=self.spent.usage(self.choice.model),
        )


class Stylist:
    """Speaks in the personas. `guard` decides where and how often, None: always; `secret` reads a key."""

    def __init__(self, personas: Personas, secret: Secret, guard: PersonaGuard | None = None) -> None:
        self.personas = personas
        self._secret = secret
        self._guard = guard
        self._models: dict[str, Model] = {}

    async def choose(self, question: Question, answer: str) -> Choice | None:
        """Return who is to speak in the answer with this id, None when it stays plain.

        Where the asker named a persona that does not speak, it is a Choice without a voice, with the reason.
        """
        name = question.persona or question.place_persona
        if self._guard is not None:
            name = await self._guard.name_for(question)
        if not name:
            return self._refused(question) if question.persona else None
        choice = replace(choose_model(name, self.personas), language=question.language)
        if choice.voice is None:
            log.warning("answer %s: no voice: %s", answer, choice.reason)
            return self._refused(question) if question.persona else None
        if self._guard is not None and not await self._guard.admits(choice, question, answer):
            return None
        return choice

    def _refused(self, question: Question) -> Choice:
        """Return why the persona that was asked for does not speak, for the reader."""
        lines = persona_texts(question.language)
        choice = choose_model(question.persona, self.personas)
        reason = translated(choice.reason, lines)
        if choice.voice is not None:
            reason = lines.not_on_here.format(who=_one_line(choice.shown))
        return Choice(name=choice.name, reason=reason, language=question.language)

    async def rewrite(self, choice: Choice, answer: Answer) -> Answer:
        """Return an answer in a voice, or as it is with what went wrong, within the time limit."""
        assert choice.voice is not None  # somebody speaks
        attempt = _Try(choice=choice, id=answer.id)
        chat = rewrite_chat(choice.voice, choice.shown, answer.text)
        with self._speaking(choice):
            reason = await self._told(attempt, chat, lambda text: judge_rewrite(answer.text, text))
        return self._ended(attempt, answer, reason)

    async def direct(
        self, choice: Choice, question: str, passages: Sequence[Cited], plain: Answer
    ) -> tuple[Answer | None, Voice]:
        """Answer from the passages in a voice, None when it cannot stand; `plain` gives all but the text."""
        assert choice.voice is not None  # somebody speaks
        attempt = _Try(choice=choice, id=plain.id)
        fit = fitting(passages, choice.model)
        evidence = [evidence_text(passage) for passage in fit]
        chat = direct_chat(choice.voice, choice.shown, question, evidence)
        with self._speaking(choice):
            reason = await self._told(attempt, chat, lambda text: judge_direct(text, evidence, question))
        if reason:
            return None, self._failed(attempt, reason)
        text, citations = _cited(attempt.text, fit)
        links = {safe_url(passage.node.url) for passage in fit} - {""}
        answer = replace(plain, text=defang(text, allowed=links), citations=citations)
        voiced = self._ended(attempt, answer, "")
        assert voiced.voice is not None  # it has just been given
        return voiced, voiced.voice

    def with_draft(self, answer: Answer, voice: Voice, language: str = "") -> Answer:
        """Return a plain answer that says why it is not in the voice that was asked for."""
        return with_draft(answer, voice, language) if answer.answered else replace(answer, voice=voice)

    async def keep(self, answer: Answer) -> None:
        """Keep how a voice did; the guard switches it off when it does badly."""
        if self._guard is not None and answer.voice is not None:
            await self._guard.record(answer)

    async def close(self) -> None:
        """Close the connections to the style models."""
        for model in self._models.values():
            await model.close()
        self._models.clear()

    @contextmanager
    def _speaking(self, choice: Choice) -> Iterator[None]:
        if self._guard is None:
            yield
            return
        with self._guard.speaking(choice.name):
            yield

    async def _told(self, attempt: _Try, chat: Chat, judged: Callable[[str], Verdict]) -> str:
        """Let the model speak, twice at most; return why what it said cannot be used, empty when it can."""
        try:
            async with asyncio.timeout(attempt.choice.model.timeout):
                return await self._tried(attempt, chat, judged)
        except TimeoutError:
            return ENGLISH.too_slow
        except ModelError as exc:
            log.warning("answer %s: the voice %r: %s", attempt.id, attempt.choice.name, exc)
            return exc.reason.replace("the model", _VOICES_MODEL, 1)

    async def _tried(self, attempt: _Try, chat: Chat, judged: Callable[[str], Verdict]) -> str:
        model = self._model(attempt.choice)
        asked = chat
        for attempt.tries in range(1, TRIES + 1):
            written = _cleaned(await _said(model, asked, attempt.spent))
            attempt.text = written
            # Beside the loop: a long answer takes it a tenth of a second.
            attempt.verdict = await asyncio.to_thread(judged, written)
            if attempt.verdict.kept:
                return ""
            asked = again(chat, written, attempt.verdict.lost, attempt.verdict.invented)
        return ENGLISH.facts_changed

    def _model(self, choice: Choice) -> Model:
        """Return the model that speaks; raise ModelRefused when it has no key."""
        if choice.name not in self._models:
            settings = choice.model
            model = open_model(settings, self._secret(settings.api_key_env))
            if model is None:
                raise ModelRefused(
                    f"The persona {choice.name!r} has no model.", reason="the model is missing"
                )
            self._models[choice.name] = model
        return self._models[choice.name]

    def _ended(self, attempt: _Try, answer: Answer, reason: str) -> Answer:
        if reason:
            return with_draft(answer, self._failed(attempt, reason), attempt.choice.language)
        allowed = set(_ADDRESS.findall(answer.text))  # the draft has passed the gate with them
        text = defang(attempt.text, allowed=allowed) if attempt.choice.mode != "direct" else answer.text
        voice = attempt.voice("kept")
        said = persona_texts(attempt.choice.language).in_the_voice.format(who=_one_line(voice.description))
        return replace(
            answer,
            text=text,
            mode="persona",
            model=voice.model,
            notice=f"{answer.notice} {said}".strip(),
            voice=voice,
        )

    def _failed(self, attempt: _Try, reason: str) -> Voice:
        rejected = attempt.verdict is not None and not attempt.verdict.kept and attempt.tries == TRIES
        voice = attempt.voice("rejected" if rejected else "failed", reason)
        log.warning(
            "answer %s: plain instead of %r: %s (%d facts lost, %d invented)",
            attempt.id, voice.name, reason, len(voice.lost), len(voice.invented),
        )  # fmt: skip
        return voice


def with_draft(answer: Answer, voice: Voice, language: str = "") -> Answer:
    """Return a plain answer that says why it is not in the voice that was asked for."""
    lines = persona_texts(language)
    reason = _reason(voice.reason, lines)
    said = lines.plain_instead.format(reason=reason[:1].upper() + reason[1:], id=answer.id[:8])
    return replace(answer, notice=f"{answer.notice} {said}".strip(), voice=voice)


def _reason(reason: str, lines: PersonaTexts) -> str:
    """Return why a voice is not heard; of its model other languages say no more than that it failed."""
    if lines is ENGLISH or not reason.startswith(_VOICES_MODEL):
        return translated(reason, lines)
    return lines.model_failed


def judge_rewrite(draft: str, written: str) -> Verdict:
    """Judge a rewrite, one that says nothing or far too much included."""
    if not written:
        return Verdict(kept=False, lost=("everything: the rewrite is empty",))
    if len(written) > 3 * len(draft) + 600:
        return Verdict(kept=False, invented=("far more text than the draft has",))
    return judge(draft, written)


async def _said(model: Model, chat: Chat, spent: Spent) -> str:
    async with aclosing(model.stream(_messages(chat), spent)) as words:
        return "".join([word async for word in words])


def _messages(chat: Chat) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole(role), content=text) for role, text in chat]


def _cleaned(written: str) -> str:
    """Return what was said, without thoughts and without a fence around all of it."""
    text = _THOUGHTS.sub("", written, 1).strip()
    if (fenced := _FENCE_AROUND.match(text)) and "```" not in fenced[1]:
        text = fenced[1].strip()
    return canonical_markers(text)


def _cited(text: str, passages: Sequence[Cited]) -> tuple[str, tuple[Citation, ...]]:
    """Give the passages numbers by first use."""
    order = markers(text)
    citations = tuple(
        build_citation(position, passages[number - 1], claim=text)
        for position, number in enumerate(order, start=1)
    )
    return renumber(text, order), citations


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
