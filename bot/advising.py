"""Says in words which way of answering to choose, from the figures alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.comparing import ALONE, BASE, DIRECT, PROMPT, REWRITE, Compared, Comparison
from bot.resampling import Interval, difference
from bot.style import ENOUGH

FEW_QUESTIONS = 30
TOLERATED = 0.05  # of correctness and citations that a voice may seem to cost, when chance may explain it
INVENTED_MORE = 0.05  # facts an answer more than the plain way

_EFFORT = (PROMPT, REWRITE, DIRECT)  # the first of them is the easiest to have and to take back
_MODES = {
    PROMPT: 'mode = "prompt"',
    REWRITE: 'mode = "rewrite"',
    DIRECT: 'mode = "direct"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to choose: the key of a way, one sentence that says so, and the reasons."""

    choice: str
    sentence: str
    reasons: tuple[str, ...]


def advise(comparison: Comparison) -> Advice:
    """Choose the way that sounds most like the speaker among those that answer as well as the plain one."""
    base = comparison.of(BASE)
    assert base is not None  # it is what all others are compared with
    reasons = [*_limits(comparison)]
    sound = []
    for key in _EFFORT:
        way = comparison.of(key)
        if way is None:
            continue
        faults = _faults(base, way)
        gain = _sounds_more(base, way, comparison)
        reasons.append(_about(base, way, faults, gain=gain))
        if not faults and gain:
            sound.append(way)
    if alone := comparison.of(ALONE):
        reasons.append(_about_alone(base, alone))
    reasons += [f"Not tried: {label} ({why})." for label, why in comparison.left_out.items()]
    return _chosen(comparison, sound, tuple(reasons))


def _chosen(comparison: Comparison, sound: Sequence[Compared], reasons: tuple[str, ...]) -> Advice:
    if not sound:
        measured = comparison.accuracy is not None and comparison.accuracy.trusted
        why = (
            "no voice both sounds more like the speaker and answers as well"
            if measured
            else "whether a voice sounds like the speaker could not be measured"
        )
        return Advice(choice=BASE, sentence=f"Keep the plain answers: {why}.", reasons=reasons)
    best = max(sound, key=lambda way: _value(way.figures.style))
    level = best.figures.style.low if best.figures.style else 0.0
    easiest = next((way for way in sound if _value(way.figures.style) >= level), best)
    more = ""
    if easiest is not best:
        more = f" {_name(best)} scores no surely higher, and takes more to keep."
    return Advice(
        choice=easiest.way.key,
        sentence=f"Choose {_name(easiest)} ({_MODES[easiest.way.key]}): it sounds more like the speaker "
        f"than plain answers and answers as well.{more}",
        reasons=reasons,
    )


def _limits(comparison: Comparison) -> list[str]:
    told = []
    number = len(comparison.asked)
    if number < FEW_QUESTIONS:
        told.append(
            f"{number} questions are few: small differences cannot be told from chance. "
            f"Ask at least {FEW_QUESTIONS}, better 100."
        )
    if not any(one.expected.answers or not one.expected.answerable for one in comparison.asked):
        told.append('No question has expected "answers": correctness was not measured.')
    accuracy = comparison.accuracy
    if accuracy is None:
        told.append("There was no style measure: it needs a data set and scikit-learn.")
    elif not accuracy.trusted:
        told.append(
            "The style measure tells this speaker from others poorly (AUROC "
            f"{accuracy.grouped.value:.2f} on groups of {accuracy.group}): its scores are not used. "
            f"More replies help; it had {accuracy.own}."
        )
    elif not accuracy.steady:
        told.append(
            f"The style measure had only {accuracy.own} replies of the speaker. With fewer than {ENOUGH} it "
            "is not reliable: what it says depends on which replies it had. Make a larger data set."
        )
    return told


def _faults(base: Compared, way: Compared) -> list[str]:
    """Return in what a way is surely worse than the plain one, or seems so by more than is tolerated."""
    found = []
    for name, kind in (("fewer answers are right", "correct"), ("fewer citations are right", "citations")):
        change = difference(_marks(way, kind), _marks(base, kind))
        if change is not None and (change.high < 0 or change.value < -TOLERATED):
            found.append(f"{name} ({_points(change)})")
    change = difference(_counts(way), _counts(base))
    if change is not None and change.value > INVENTED_MORE and change.low > 0:
        found.append(f"it invents facts ({change.value:.2f} an answer more)")
    return found


def _marks(way: Compared, kind: str) -> list[float | None]:
    return [getattr(row.marks, kind) for row in way.rows]


def _counts(way: Compared) -> list[float | None]:
    return [float(len(row.marks.invented)) if row.answer.answered else None for row in way.rows]


def _sounds_more(base: Compared, way: Compared, comparison: Comparison) -> bool:
    ours, theirs, accuracy = way.figures.style, base.figures.style, comparison.accuracy
    if ours is None or accuracy is None or not accuracy.trusted:
        return False
    return theirs is None or ours.low > theirs.high


def _about(base: Compared, way: Compared, faults: Sequence[str], *, gain: bool) -> str:
    figures = way.figures
    parts = []
    if figures.style and base.figures.style:
        sign = "" if gain else ", which is no sure gain"
        parts.append(f"style {figures.style.value:.2f} against {base.figures.style.value:.2f}{sign}")
    parts += faults or ["as right and as well cited as the plain way, as far as can be told"]
    if figures.fallback and figures.fallback.value > 0:
        parts.append(f"{figures.fallback.value:.0%} of its answers fell back to the plain one")
    if figures.p50 and base.figures.p50:
        parts.append(_slower((figures.p50.value - base.figures.p50.value) / 1000))
    return f"{_name(way)}: {'; '.join(parts)}."


def _slower(seconds: float) -> str:
    """Say how much longer the middle answer takes; half a tenth of a second is nothing."""
    if abs(seconds) < 0.05:
        return "it takes no longer"
    return f"the middle answer takes {abs(seconds):.1f} s {'longer' if seconds > 0 else 'less'}"


def _about_alone(base: Compared, way: Compared) -> str:
    told = "it knows no documents and cites nothing, so it is never a choice; it shows what retrieval is for"
    ours, theirs = way.figures.correct, base.figures.correct
    if ours and theirs:
        told += f" ({ours.value:.0%} right against {theirs.value:.0%})"
    return f"{_name(way)}: {told}."


def _points(change: Interval) -> str:
    return f"{change.value * 100:+.0f} points, {change.low * 100:+.0f} to {change.high * 100:+.0f}"


def _name(way: Compared) -> str:
    """Return a way's label without what stands in brackets."""
    return way.way.label.partition(" (")[0]


def _value(found: Interval | None) -> float:
    return found.value if found is not None else 0.0
