"""Compares ways of answering on the same questions: plain, in a voice, and what each costs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.citations import evidence_text
from bot.messages import Answer, Voice
from bot.resampling import SEED, Interval, interval, percentile, proportion
from bot.scoring import Expected, Marks, citations_right, correct, facts, token_f1

if TYPE_CHECKING:
    from bot.citations import Cited
    from bot.style import Accuracy, StyleMeasure

BASE, ALONE, REWRITE, DIRECT, PROMPT = "base", "alone", "rewrite", "direct", "prompt"

_STYLE_DRAWS = 200
_GROUPS_A_DRAW = 20

Ask = Callable[[str], Awaitable[Answer]]
Find = Callable[[str], "Awaitable[Sequence[Cited]]"]
Told = Callable[[int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of answering. `model` says who writes; `ask` answers and never raises."""

    key: str
    label: str
    model: str
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with what is known of its answer."""

    question: str
    expected: Expected = field(default_factory=Expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One answer with its marks."""

    answer: Answer
    marks: Marks

    @property
    def voice(self) -> Voice | None:
        """What became of the voice, None where none was asked for."""
        return self.answer.voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one way reached; every figure with its interval, None where nothing could be measured.

    `lost` and `invented` are facts an answer, `touched` the share of answers with either. `fallback` is the
    share of answers that were given plainly because the voice's words could not stand; `rejected` how many
    of them the fact lock stopped. `milliseconds` and `cost` are of whole answers, `voice_milliseconds` and
    `voice_cost` of the voice alone.
    """

    answered: Interval | None
    correct: Interval | None
    f1: Interval | None
    citations: Interval | None
    lost: Interval | None
    invented: Interval | None
    touched: Interval | None
    style: Interval | None
    fallback: Interval | None
    rejected: int
    failed: int
    p50: Interval | None
    p95: Interval | None
    voice_p50: Interval | None
    tokens: Interval | None
    cost: Interval | None
    voice_cost: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One way with its answers, in the order of the questions."""

    way: Way
    rows: tuple[Marked, ...]
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All ways side by side. `left_out` says why a way could not be tried; `accuracy` None: no measure."""

    asked: tuple[Asked, ...]
    ways: tuple[Compared, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    accuracy: Accuracy | None = None

    def of(self, key: str) -> Compared | None:
        """Return a way by its key."""
        return next((one for one in self.ways if one.way.key == key), None)


async def compare(
    asked: Sequence[Asked],
    ways: Sequence[Way],
    find: Find,
    measure: StyleMeasure | None,
    *,
    told: Told = lambda _done, _step: None,
) -> Comparison:
    """Ask every question in every way, one after the other, and measure what came.

    The first way is the plain one that facts are compared with. Which way begins changes with each
    question, so that none is always the one that
    finds things warm; the first question is asked once before, unmeasured, so that none pays for the start.
    There is at least one question and one way. Raises what `find` raises.
    """
    rows: dict[str, list[Marked]] = {way.key: [] for way in ways}
    done = 0
    told(done, "starting")
    await ways[0].ask(asked[0].question)
    for number, one in enumerate(asked):
        passages = await find(one.question)
        answers: dict[str, Answer] = {}
        for step in range(len(ways)):
            way = ways[(number + step) % len(ways)]
            told(done, way.label)
            answers[way.key] = await way.ask(one.question)
            done += 1
        base = answers[ways[0].key]
        # The lock reads long passages: beside the loop, so that Ctrl-C is heard.
        marked = await asyncio.to_thread(_marked, one, base, answers, passages)
        for key, row in marked.items():
            rows[key].append(row)
    told(done, "measuring")
    compared = [
        Compared(
            way=way,
            rows=tuple(rows[way.key]),
            figures=await asyncio.to_thread(figures, rows[way.key], measure),
        )
        for way in ways
    ]
    return Comparison(
        asked=tuple(asked), ways=tuple(compared), accuracy=measure.accuracy if measure is not None else None
    )


def _marked(
    asked: Asked, base: Answer, answers: Mapping[str, Answer], passages: Sequence[Cited]
) -> dict[str, Marked]:
    return {
        key: Marked(answer=answer, marks=mark(asked, base, answer, passages))
        for key, answer in answers.items()
    }


def mark(asked: Asked, base: Answer, answer: Answer, passages: Sequence[Cited]) -> Marks:
    """Mark an answer against what is expected, what was found and the plain answer."""
    right = correct(answer.text, asked.expected, answered=answer.answered)
    if not answer.answered:
        # A fact of the plain answer is lost here too, but that the question was declined says it already.
        return Marks(correct=right, f1=0.0 if asked.expected.answers and asked.expected.answerable else None)
    texts = [evidence_text(passage) for passage in passages]
    lost, invented = facts(base.text if base.answered else "", answer.text, (*texts, asked.question))
    return Marks(
        correct=right,
        f1=token_f1(answer.text, asked.expected),
        citations=citations_right(answer.text, _cited(answer, passages), texts),
        lost=lost,
        invented=invented,
    )


def _cited(answer: Answer, passages: Sequence[Cited]) -> dict[int, str]:
    """Return the text behind each number of an answer; of a passage that is not there, its quote."""
    found = {passage.node.id: evidence_text(passage) for passage in passages}
    return {
        citation.number: found.get(citation.node, f"{citation.title} {citation.heading}\n{citation.quote}")
        for citation in answer.citations
    }


def figures(rows: Sequence[Marked], measure: StyleMeasure | None) -> Figures:
    """Return the figures of one way's answers. It computes for seconds."""
    marks = [row.marks for row in rows]
    given = [row for row in rows if row.answer.answered]
    right = [one.correct for one in marks if one.correct is not None]
    times = [row.answer.milliseconds for row in rows]
    voices = [row.voice for row in rows if row.voice is not None]
    usages = [row.answer.usage for row in rows]
    lost, invented = (
        [float(len(getattr(row.marks, kind))) for row in given] for kind in ("lost", "invented")
    )
    return Figures(
        answered=proportion(len(given), len(rows)),
        correct=proportion(round(sum(right)), len(right)),
        f1=interval([one.f1 for one in marks if one.f1 is not None]),
        citations=interval([one.citations for one in marks if one.citations is not None]),
        lost=interval(lost),
        invented=interval(invented),
        touched=proportion(sum(bool(row.marks.lost or row.marks.invented) for row in given), len(given)),
        style=style(measure, [row.answer.text for row in given]) if measure is not None else None,
        fallback=proportion(sum(voice.verdict != "kept" for voice in voices), len(voices)),
        rejected=sum(voice.verdict == "rejected" for voice in voices),
        failed=sum(voice.verdict == "failed" for voice in voices),
        p50=interval(times, percentile(50)),
        p95=interval(times, percentile(95)),
        voice_p50=interval([voice.milliseconds for voice in voices], percentile(50)),
        tokens=interval([float(all_tokens(row)) for row in rows]),
        cost=interval([usage.cost + _voice_cost(row) for usage, row in zip(usages, rows, strict=True)]),
        voice_cost=interval([voice.usage.cost for voice in voices]),
    )


def all_tokens(row: Marked) -> int:
    """Return all tokens that an answer took, its voice's included."""
    own, voice = row.answer.usage, row.voice
    spoken = voice.usage.input_tokens + voice.usage.output_tokens if voice is not None else 0
    return own.input_tokens + own.output_tokens + spoken


def _voice_cost(row: Marked) -> float:
    return row.voice.usage.cost if row.voice is not None else 0.0


def style(measure: StyleMeasure, texts: Sequence[str]) -> Interval | None:
    """Return how surely groups of five of these texts are the speaker's, with its interval.

    Each draw takes the texts anew, with replacement, and groups of five of them; the interval holds the
    middle 95 % of the draws. None without texts.
    """
    import numpy as np

    from bot.style import GROUP

    if not texts:
        return None
    random = np.random.default_rng(SEED)
    size = min(GROUP, len(texts))
    picked = [
        _groups_of_a_draw(random.integers(0, len(texts), len(texts)).tolist(), size)
        for _ in range(_STYLE_DRAWS)
    ]
    scores = measure.scores_of(list(texts), [group for draw in picked for group in draw])
    ends = np.cumsum([0, *map(len, picked)])
    drawn = [float(np.mean(scores[start:end])) for start, end in pairwise(ends)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value=float(np.mean(drawn)), low=float(low), high=float(high))


def _groups_of_a_draw(rows: list[int], size: int) -> list[list[int]]:
    groups = [rows[at : at + size] for at in range(0, len(rows) - size + 1, size)]
    return groups[:_GROUPS_A_DRAW]
