"""The figures of a comparison as people and programs read them: a table's cells, and JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.figures import duration
from bot.advising import Advice
from bot.comparing import Compared, Comparison, Figures, Marked, all_tokens
from bot.resampling import Interval

NOTHING = "–"
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table. `top` is the end of its chart's axis, None: the largest value."""

    key: str
    label: str
    told: str
    write: Callable[[float], str]
    top: float | None = None
    more_is_better: bool = True


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float) -> str:
    return f"{value:.2f}"


def _milliseconds(value: float) -> str:
    return duration(value / 1000)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _money(value: float) -> str:
    return f"{value:.5f}" if value else "0"


MEASURES = (
    Measure(key="correct", label="Right answers", write=_percent, top=1.0,
            told="share of answers that hold an expected answer, or decline where there is none"),
    Measure(key="f1", label="Word overlap (F1)", write=_number, top=1.0,
            told="overlap of words with the expected answer, as SQuAD measures it"),
    Measure(key="citations", label="Right citations", write=_percent, top=1.0,
            told="share of claims that stand in the passages that are cited for them"),
    Measure(key="lost", label="Facts lost", write=_number, more_is_better=False,
            told="facts of the plain answer that are missing, an answer"),
    Measure(key="invented", label="Facts invented", write=_number, more_is_better=False,
            told="facts that no passage has, an answer"),
    Measure(key="style", label="Style score", write=_number, top=1.0,
            told="how surely groups of five answers are the speaker's, by the style measure"),
    Measure(key="answered", label="Answered", write=_percent, top=1.0,
            told="share of questions that were not declined"),
    Measure(key="fallback", label="Fell back to plain", write=_percent, top=1.0, more_is_better=False,
            told="share of voiced answers that the fact lock or a failure turned into the plain one"),
    Measure(key="p50", label="Time, median", write=_milliseconds, more_is_better=False,
            told="from question to whole answer"),
    Measure(key="p95", label="Time, 95th percentile", write=_milliseconds, more_is_better=False,
            told="one answer in twenty takes longer"),
    Measure(key="tokens", label="Tokens", write=_whole, more_is_better=False,
            told="input and output, an answer, all models"),
    Measure(key="cost", label="Cost", write=_money, more_is_better=False,
            told="an answer, at the prices in the settings"),
)  # fmt: skip


def cell(found: Interval | None, measure: Measure) -> str:
    """Return a figure with its interval."""
    if found is None:
        return NOTHING
    value, low, high = (measure.write(one) for one in (found.value, found.low, found.high))
    return value if low == high else f"{value} ({_without_unit(low, high)}–{high})"


def _without_unit(low: str, high: str) -> str:
    """Return the lower end without its unit where the upper end has the same."""
    unit = high.lstrip("0123456789.,")
    return low.removesuffix(unit) if unit else low


def figure(figures: Figures, measure: Measure) -> Interval | None:
    """Return the figure that a measure names."""
    found: Interval | None = getattr(figures, measure.key)
    return found


def comparison_json(comparison: Comparison, advice: Advice, persona: str) -> dict[str, Any]:
    """Return all of a comparison; what was asked and answered too."""
    accuracy = comparison.accuracy
    return {
        "persona": persona,
        "questions": len(comparison.asked),
        "choice": advice.choice,
        "advice": advice.sentence,
        "reasons": list(advice.reasons),
        "style_measure": None
        if accuracy is None
        else {
            "own": accuracy.own,
            "others": accuracy.others,
            "folds": accuracy.folds,
            "group": accuracy.group,
            "trusted": accuracy.trusted,
            "steady": accuracy.steady,
            **{
                name: _interval(getattr(accuracy, name))
                for name in ("single", "grouped", "right", "shuffled")
            },
        },
        "ways": [_way(one) for one in comparison.ways],
        "left_out": dict(comparison.left_out),
        "answers": [
            {
                "question": asked.question,
                "expected": list(asked.expected.answers),
                "answerable": asked.expected.answerable,
                "ways": {one.way.key: _row(one.rows[number]) for one in comparison.ways},
            }
            for number, asked in enumerate(comparison.asked)
        ],
    }


def _way(compared: Compared) -> dict[str, Any]:
    figures = compared.figures
    return {
        "key": compared.way.key,
        "label": compared.way.label,
        "model": compared.way.model,
        "rejected": figures.rejected,
        "failed": figures.failed,
        **{
            name: _interval(getattr(figures, name))
            for name in Figures.__dataclass_fields__
            if name not in {"rejected", "failed"}
        },
    }


def _interval(found: Interval | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {name: round(getattr(found, name), _DIGITS + 2) for name in ("value", "low", "high")}


def _row(row: Marked) -> dict[str, Any]:
    marks, answer, voice = row.marks, row.answer, row.voice
    return {
        "text": answer.text,
        "answered": answer.answered,
        "notice": answer.notice,
        "correct": marks.correct,
        "f1": None if marks.f1 is None else round(marks.f1, _DIGITS),
        "citations": None if marks.citations is None else round(marks.citations, _DIGITS),
        "lost": list(marks.lost),
        "invented": list(marks.invented),
        "verdict": voice.verdict if voice is not None else None,
        "milliseconds": round(answer.milliseconds, 1),
        "tokens": all_tokens(row),
    }
