"""A question becomes an answer: understand → retrieve → judge → write → check → keep.

Whatever fails on the way, the asker gets an Answer: without a usable model the passages are quoted,
without a usable index one line says so. A notice names the cause and the id under which the log has more.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.checking import DraftCheck
from bot.citations import build_citation, cite, safe_url
from bot.conversation import carry_over, condense
from bot.errors import ModelError, ModelUnavailable
from bot.messages import Answer, AnswerDelta, AnswerDone, AnswerEvent, Citation, Mode, Question, Usage
from bot.output_gate import defang
from bot.spending import Spent
from bot.texts import ENGLISH, Texts, texts
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from bot.citations import Cited
    from bot.extractive import Composed
    from bot.ledger import Ledger
    from bot.llms import Model
    from bot.persona import Stylist
    from bot.personas import Choice
    from kb.retriever import Searcher, SearchResult
    from kb.settings import RetrievalSettings

    Compose = Callable[[str, SearchResult], Awaitable[Composed]]

LONGEST_QUESTION = 4_000
NEAREST = 3
KEEP_SECONDS = 2.0
CONDENSE_SHARE = 0.3  # of the model's time that making a follow-up whole may take

# Told in English; `bot.texts.translated` puts them into the reader's language.
NOT_FOUND, NO_DOCUMENTS = ENGLISH.not_found, ENGLISH.no_documents
NO_QUESTION, CANNOT_SEARCH = ENGLISH.no_question, ENGLISH.cannot_search

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What is known of one turn while it runs."""

    question: Question
    id: str
    began: float = field(default_factory=time.perf_counter)
    deadline: float = 0.0
    asked: str = ""
    text: str = ""  # `asked`, or a follow-up made whole
    confidence: float = 0.0
    notice: str = ""
    spent: Spent = field(default_factory=Spent)
    timings: dict[str, float] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the block's time to a step."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + (time.perf_counter() - began) * 1000

    @property
    def words(self) -> Texts:
        """The bot's own words in the language of the place."""
        return texts(self.question.language)

    def note(self, text: str) -> None:
        """Add a sentence for the reader."""
        self.notice = f"{self.notice} {text}".strip()


class Assistant:
    """Answers questions from the documents.

    `compose` quotes without a model; `model` and `ledger` may be None. `stylist` speaks in the
    personas; None: nobody does.
    """

    def __init__(
        self,
        searcher: Searcher,
        compose: Compose,
        model: Model | None,
        ledger: Ledger | None,
        settings: RetrievalSettings,
        stylist: Stylist | None = None,
    ) -> None:
        self._searcher = searcher
        self._compose = compose
        self._model = model
        self._ledger = ledger
        self._settings = settings
        self._stylist = stylist
        self._keeping: set[asyncio.Task[None]] = set()

    async def answer(self, question: Question) -> Answer:
        """Answer a question; every failure becomes an Answer that says so."""
        async with aclosing(self.stream(question)) as events:
            async for event in events:
                if isinstance(event, AnswerDone):
                    return event.answer
        raise AssertionError("a turn always ends with an answer")

    async def stream(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Yield the answer's checked sentences as they are written, and last the Answer itself."""
        turn = _Turn(question=question, id=question.id or uuid.uuid4().hex)
        answer = None
        async with aclosing(self._turn(turn)) as steps:
            async for step in steps:
                if isinstance(step, AnswerDelta):
                    yield step
                else:
                    answer = step
        assert answer is not None  # a turn always ends with an answer
        await self._keep(turn, answer)
        yield AnswerDone(answer=answer)

    async def close(self) -> None:
        """Wait until the ledger holds every answer that was given."""
        if self._keeping:
            await asyncio.wait(self._keeping)

    async def _turn(self, turn: _Turn) -> AsyncGenerator[AnswerDelta | Answer, None]:
        try:
            await self._understand(turn)
            if not turn.text:
                yield self._declined(turn, NO_QUESTION)
                return
            with turn.step("retrieve"):
                result = await self._retrieve(turn)
            refusal = self._judge(turn, result)
            if refusal:
                yield self._declined(turn, refusal, result.passages)
                return
            async with aclosing(await self._steps(turn, result)) as steps:
                async for step in steps:
                    yield step
        except KnowledgeBaseError as exc:
            log.warning("answer %s: the documents cannot be searched: %s", turn.id, exc)
            turn.note(turn.words.logged.format(line=exc, id=_short(turn.id)))
            yield self._declined(turn, CANNOT_SEARCH)

    async def _understand(self, turn: _Turn) -> None:
        """Make the question one that stands on its own and is not too long."""
        turn.text = " ".join(turn.question.text.split())
        if not any(map(str.isalnum, turn.text)):
            turn.text = ""
            return
        if len(turn.text) > LONGEST_QUESTION:
            turn.text = turn.text[:LONGEST_QUESTION]
            turn.note(turn.words.shortened.format(number=turn.words.number(LONGEST_QUESTION)))
        turn.asked = turn.text
        if self._model is not None:
            turn.deadline = asyncio.get_running_loop().time() + self._model.settings.timeout
        with turn.step("understand"):
            turn.text = await self._condense(turn)

    async def _condense(self, turn: _Turn) -> str:
        conversation = turn.question.conversation
        share = self._model.settings.timeout * CONDENSE_SHARE if self._model else None
        try:
            async with asyncio.timeout(share):
                return await condense(turn.text, conversation, self._model, turn.spent)
        except TimeoutError:
            return carry_over(turn.text, conversation)

    async def _retrieve(self, turn: _Turn) -> SearchResult:
        question = turn.question
        result = await self._searcher.search(
            turn.text,
            audience=question.asker.audience,
            sources=question.sources,
            limit=self._settings.results,
        )
        turn.confidence = min(max(float(result.confidence), 0.0), 1.0)
        turn.hashes = {passage.node.id: passage.node.hash for passage in result.passages}
        return result

    def _judge(self, turn: _Turn, result: SearchResult) -> str:
        """Return why there is no answer, or nothing when there may be one."""
        if result.passages:
            bar = max(self._settings.threshold, turn.question.bar or 0.0)
            return NOT_FOUND if turn.confidence < bar else ""
        if turn.question.sources:
            return ENGLISH.no_documents_from.format(sources=", ".join(map(repr, turn.question.sources)))
        return NO_DOCUMENTS

    async def _steps(self, turn: _Turn, result: SearchResult) -> AsyncGenerator[AnswerDelta | Answer, None]:
        """Return what writes the answer: plainly, or in a voice."""
        if self._stylist is not None:
            with turn.step("persona"):
                choice = await self._stylist.choose(turn.question, turn.id)
            if choice is not None and choice.voice is not None:
                return self._voiced(turn, result, self._stylist, choice)
            turn.note(choice.reason if choice is not None else "")
        return self._write(turn, result)

    async def _voiced(
        self, turn: _Turn, result: SearchResult, stylist: Stylist, choice: Choice
    ) -> AsyncGenerator[AnswerDelta | Answer, None]:
        """Yield the answer in a voice, whole and judged; of the draft nothing is shown before."""
        failed = None
        if choice.mode == "direct":
            with turn.step("persona"):
                plain = self._finished(turn, "", ())
                answer, failed = await stylist.direct(choice, turn.text, result.passages, plain)
            if answer is not None:
                yield AnswerDelta(text=answer.text)
                yield self._timed(turn, answer)
                return
        answer = await self._draft(turn, result)
        if failed is not None:
            answer = stylist.with_draft(answer, failed, choice.language)
        elif answer.answered:
            with turn.step("persona"):
                answer = await stylist.rewrite(choice, answer)
        yield AnswerDelta(text=answer.text)
        yield self._timed(turn, answer)

    async def _draft(self, turn: _Turn, result: SearchResult) -> Answer:
        """Return the checked answer, unshown."""
        async with aclosing(self._write(turn, result)) as steps:
            async for step in steps:
                if isinstance(step, Answer):
                    return step
        raise AssertionError("writing always ends with an answer")

    def _timed(self, turn: _Turn, answer: Answer) -> Answer:
        return replace(answer, milliseconds=(time.perf_counter() - turn.began) * 1000)

    async def _write(self, turn: _Turn, result: SearchResult) -> AsyncGenerator[AnswerDelta | Answer, None]:
        if self._model is None:
            yield await self._quoted(turn, result)
            return
        began = False
        try:
            async with aclosing(self._drafted(turn, self._model, result)) as steps:
                async for step in steps:
                    began = True
                    yield step
        except ModelError as exc:
            log.warning("answer %s: quoting instead of model %r: %s", turn.id, self._model.name, exc)
            reason = turn.words.model_failures.get(exc.reason, exc.reason)
            said = turn.words.quoted_instead.format(reason=reason, id=_short(turn.id))
            turn.note(said[:1].upper() + said[1:])
            answer = await self._quoted(turn, result)
            if began:
                yield AnswerDelta(text=answer.text, replace=True)
            yield answer

    async def _drafted(
        self, turn: _Turn, model: Model, result: SearchResult
    ) -> AsyncGenerator[AnswerDelta | Answer, None]:
        """Yield the checked text of the draft, then the Answer; raise ModelError if it cannot stand."""
        from bot.query_engine import fitting

        passages = fitting(result.passages, model.settings)
        check = DraftCheck(passages)
        async with aclosing(self._deltas(turn, model, passages)) as deltas:
            async for delta in deltas:
                with turn.step("check"):
                    shown = check.feed(delta)
                if shown:
                    yield AnswerDelta(text=shown)
                if check.declined:
                    break
        with turn.step("check"):
            shown = check.end()
        if shown:
            yield AnswerDelta(text=shown)
        if check.declined:
            yield self._declined(turn, NOT_FOUND, result.passages, mode="model")
        else:
            yield self._finished(turn, check.text.rstrip(), check.citations(), mode="model")

    async def _deltas(
        self, turn: _Turn, model: Model, passages: Sequence[Cited]
    ) -> AsyncGenerator[str, None]:
        """Yield the model's words until it ends or its time is up."""
        from bot.query_engine import draft

        async with aclosing(draft(model, turn.text, passages, turn.spent)) as words:
            while (word := await self._next(turn, model, words)) is not None:
                yield word

    async def _next(self, turn: _Turn, model: Model, words: AsyncGenerator[str, None]) -> str | None:
        try:
            async with asyncio.timeout_at(turn.deadline):
                with turn.step("write"):
                    return await anext(words, None)
        except TimeoutError as exc:
            raise _too_slow(model) from exc

    async def _quoted(self, turn: _Turn, result: SearchResult) -> Answer:
        """Return the answer in the documents' own sentences."""
        with turn.step("quote"):  # what a follow-up itself asks, of what its thread is about
            composed = await self._compose(turn.asked, result)
        claims: dict[int, str] = {}
        for index, quote in composed.quotes:
            claims[index + 1] = f"{claims.get(index + 1, '')} {quote}"
        text, citations = cite(composed.text, composed.used, claims)
        links = {safe_url(passage.node.url) for passage in composed.used} - {""}
        text = defang(text, allowed=links).strip()
        if not text or not citations:
            return self._declined(turn, NOT_FOUND, result.passages)
        return self._finished(turn, text, citations)

    def _declined(
        self, turn: _Turn, text: str, passages: Sequence[Cited] = (), *, mode: Mode = "extractive"
    ) -> Answer:
        nearest = tuple(
            build_citation(number, passage, claim=turn.text)
            for number, passage in enumerate(passages[:NEAREST], start=1)
        )
        return replace(self._finished(turn, text, (), mode=mode), answered=False, nearest=nearest)

    def _finished(
        self, turn: _Turn, text: str, citations: tuple[Citation, ...], *, mode: Mode = "extractive"
    ) -> Answer:
        return Answer(
            id=turn.id,
            question=turn.question.text,
            answered=True,
            text=text,
            confidence=turn.confidence,
            citations=citations,
            mode=mode,
            model=self._model.name if self._model and mode == "model" else "",
            milliseconds=(time.perf_counter() - turn.began) * 1000,
            usage=turn.spent.usage(self._model.settings) if self._model else Usage(),
            notice=turn.notice,
        )

    async def _keep(self, turn: _Turn, answer: Answer) -> None:
        """Hand the answer to the ledger; a slow or broken ledger neither delays nor loses it."""
        unwanted = turn.question.bar is not None and not answer.answered
        if self._ledger is None or unwanted:
            return
        task = asyncio.create_task(self._record(self._ledger, turn, answer))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        await asyncio.wait({task}, timeout=KEEP_SECONDS)

    async def _record(self, ledger: Ledger, turn: _Turn, answer: Answer) -> None:
        try:
            await ledger.record(turn.question, answer, timings=turn.timings, hashes=turn.hashes)
            if self._stylist is not None:
                await self._stylist.keep(answer)
        except Exception:  # a task of its own: nothing above could handle it
            log.exception("answer %s: it was given and could not be kept in the ledger", turn.id)


def _too_slow(model: Model) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {model.name!r} did not finish within {model.settings.timeout:g} s. "
        "Raise [llm] timeout or choose a faster model.",
        reason="the model took too long",
    )


def _short(turn_id: str) -> str:
    """Return the part of an answer's id that a person can read out; it begins the id in the log."""
    return turn_id[:8]
