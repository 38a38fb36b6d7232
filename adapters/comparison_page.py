"""A comparison as one HTML page that needs nothing beside it: no script, no font, no foreign picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from adapters.comparison_figures import MEASURES, Measure, cell, figure
from adapters.comparison_style import STYLE
from bot.style import ENOUGH

if TYPE_CHECKING:
    from bot.advising import Advice
    from bot.comparing import Compared, Comparison, Marked
    from bot.resampling import Interval
    from bot.style import Accuracy

SHOWN_ANSWERS = 20

_COLOURS = ("#6b7882", "#b07a2a", "#2f6fb0", "#7a4fa3", "#2e8555")
_WIDTH, _BAR, _GAP, _LEFT, _RIGHT = 560, 20, 12, 158, 84


def comparison_page(comparison: Comparison, advice: Advice, persona: str) -> str:
    """Return the page."""
    title = f"Persona {escape(persona)}: which way of answering"
    charts = "".join(_chart(comparison, one) for one in MEASURES if _measured(comparison, one))
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="dim">{len(comparison.asked)} questions, each asked in {len(comparison.ways)} ways. '
        "Ranges hold the true figure in 95 of 100 such comparisons.</p>",
        _advice(advice),
        "<h2>Side by side</h2>",
        _table(comparison),
        "<h2>Charts</h2>",
        f'<div class="charts">{charts}</div>',
        "<h2>How style is measured</h2>",
        _method(comparison.accuracy),
        "<h2>Answers</h2>",
        _answers(comparison),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _advice(advice: Advice) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in advice.reasons)
    return f'<div class="advice"><p>{escape(advice.sentence)}</p><ul>{reasons}</ul></div>'


def _table(comparison: Comparison) -> str:
    head = "".join(
        f'<th scope="col">{escape(_short(one))}<small>{escape(one.way.model)}</small></th>'
        for one in comparison.ways
    )
    rows = "".join(
        f'<tr><th scope="row">{measure.label}<small>{measure.told}</small></th>'
        + "".join(f"<td>{_cell(one, measure)}</td>" for one in comparison.ways)
        + "</tr>"
        for measure in MEASURES
    )
    body = f"<thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="wide"><table>{body}</table></div>'


def _cell(one: Compared, measure: Measure) -> str:
    value, _, spread = cell(figure(one.figures, measure), measure).partition(" (")
    return f"<b>{escape(value)}</b>" + (f"<small>{escape(spread.rstrip(')'))}</small>" if spread else "")


def _measured(comparison: Comparison, measure: Measure) -> bool:
    found = [figure(one.figures, measure) for one in comparison.ways]
    return any(one is not None and one.high > 0 for one in found)


def _chart(comparison: Comparison, measure: Measure) -> str:
    """Return a bar for each way, with the range of its figure."""
    found = [(one, figure(one.figures, measure)) for one in comparison.ways]
    top = measure.top or max(value.high for _, value in found if value is not None)
    bars = "".join(_bar(one, value, row, top, measure) for row, (one, value) in enumerate(found))
    height = len(found) * (_BAR + _GAP) + 6
    axis = f'<line class="scale" x1="{_LEFT}" y1="0" x2="{_LEFT}" y2="{height}"/>'
    read = "; ".join(f"{_short(one)} {cell(value, measure)}" for one, value in found)
    better = "more is better" if measure.more_is_better else "less is better"
    label = escape(f"{measure.label}: {read}")
    return (
        f"<figure><figcaption>{measure.label}<small>{measure.told}; {better}</small></figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{axis}{bars}</svg></figure>'
    )


def _bar(one: Compared, value: Interval | None, row: int, top: float, measure: Measure) -> str:
    y = row * (_BAR + _GAP) + 4
    middle = y + _BAR // 2
    label = f'<text x="{_LEFT - 10}" y="{middle + 5}" text-anchor="end">{escape(_short(one))}</text>'
    if value is None:
        return f'{label}<text class="none" x="{_LEFT + 8}" y="{middle + 5}">not measured</text>'
    end, low, high = (_x(number, top) for number in (value.value, value.low, value.high))
    colour, width = _COLOURS[row % len(_COLOURS)], max(end - _LEFT, 1)
    ends = f"M{low:.1f} {middle - 5}v10M{low:.1f} {middle}H{high:.1f}M{high:.1f} {middle - 5}v10"
    told = escape(measure.write(value.value))
    return (
        f'{label}<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>'
        + (f'<path class="range" d="{ends}"/>' if high > low else "")
        + f'<text x="{max(high, end) + 8:.1f}" y="{middle + 5}">{told}</text>'
    )


def _x(value: float, top: float) -> float:
    return _LEFT + min(max(value / top, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _short(one: Compared) -> str:
    return one.way.label.partition(" (")[0]


def _method(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return "<p>There was no style measure: it needs a data set of the speaker and scikit-learn.</p>"
    figures = (
        f"one reply: AUROC {_fold(accuracy.single)}",
        f"groups of {accuracy.group}: AUROC {_fold(accuracy.grouped)}, on their side {_fold(accuracy.right)}",
        f"with shuffled labels, which must give chance (0.5): AUROC {_fold(accuracy.shuffled)}",
    )
    poor = ""
    if not accuracy.trusted:
        poor = "<p><b>It tells this speaker poorly: its scores are not used.</b></p>"
    elif not accuracy.steady:
        poor = f"<p><b>It is not reliable: it had fewer than {ENOUGH} replies of the speaker.</b></p>"
    return (
        "<p>A logistic regression on sequences of 2 to 5 characters, words and function words tells the "
        f"speaker's replies ({accuracy.own}) from other texts ({accuracy.others}); code, links and numbers "
        f"are taken out. Texts are judged in groups of {accuracy.group}. Tried on replies that it had not "
        f"seen, in {accuracy.folds} folds (mean, worst to best):</p>"
        f"<ul>{''.join(f'<li>{one}</li>' for one in figures)}</ul>{poor}"
    )


def _fold(found: Interval) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _answers(comparison: Comparison) -> str:
    shown = []
    for number, asked in enumerate(comparison.asked[:SHOWN_ANSWERS]):
        given = "".join(_answer(one, one.rows[number]) for one in comparison.ways)
        expected = " or ".join(asked.expected.answers) if asked.expected.answerable else "none: decline"
        note = f'<p class="dim">Expected: {escape(expected)}</p>' if expected else ""
        shown.append(f"<details><summary>{escape(asked.question)}</summary>{note}{given}</details>")
    rest = len(comparison.asked) - len(shown)
    return "".join(shown) + (f'<p class="dim">{rest} more are in the output of --json.</p>' if rest else "")


def _answer(one: Compared, row: Marked) -> str:
    marks = row.marks
    notes = [_short(one)]
    if marks.correct is not None:
        notes.append("right" if marks.correct else "wrong")
    if row.voice is not None and row.voice.verdict != "kept":
        notes.append(f"plain: {row.voice.reason}")
    notes += [f"lost: {', '.join(marks.lost)}"] if marks.lost else []
    notes += [f"invented: {', '.join(marks.invented)}"] if marks.invented else []
    text = row.answer.text or row.answer.notice or "nothing"
    return f'<div class="answer"><small>{escape(" · ".join(notes))}</small>{escape(text)}</div>'
