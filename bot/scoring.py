"""Marks one answer: is it right, are its citations, which facts did it lose or invent. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.citations import canonical_markers, keep_markers, markers
from bot.fact_lock import judge
from bot.grounding import Evidence, content_words, numbers, plain, states_fact, words
from bot.sentences import split_units
from kb.words import stem

SHORT = 8  # words; a longer expected answer need not be there word by word
SHARE_NEEDED = 0.7

_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of the right answer. Without `answers` only declining can be marked."""

    answers: tuple[str, ...] = ()
    answerable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Marks of one answer, 0 to 1; None where there is nothing to be marked.

    `lost` are facts of the plain answer that are not in it, `invented` those that neither the passages nor
    the question have.
    """

    correct: float | None = None
    f1: float | None = None
    citations: float | None = None
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


def correct(text: str, expected: Expected, *, answered: bool) -> float | None:
    """Return 1 for a right answer, 0 for a wrong one, None when it is not known.

    A question without an answer in the documents is answered rightly by declining. An expected answer of up
    to eight words must be there, or all its words that carry meaning; of a longer one 70 % of these.
    """
    if not expected.answerable:
        return float(not answered)
    if not expected.answers:
        return None
    return float(answered and any(_contains(text, gold) for gold in expected.answers))


def _contains(text: str, gold: str) -> bool:
    said, wanted = _normal(text), _normal(gold)
    if f" {' '.join(wanted)} " in f" {' '.join(said)} ":
        return bool(wanted)
    needed = set(content_words(gold))
    held = Evidence.of([keep_markers(text, ())])
    found = sum(stem(word) in held.stems or bool(numbers(word) & held.numbers) for word in needed)
    return bool(needed) and found / len(needed) >= (1.0 if len(wanted) <= SHORT else SHARE_NEEDED)


def token_f1(text: str, expected: Expected) -> float | None:
    """Return the overlap of words with the nearest expected answer, as SQuAD measures it."""
    if not expected.answerable or not expected.answers:
        return None
    return max(_overlap(_normal(text), _normal(gold)) for gold in expected.answers)


def _overlap(said: Sequence[str], wanted: Sequence[str]) -> float:
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def _normal(text: str) -> list[str]:
    bare = re.sub(r"(?<=\d)[,'’](?=\d{3}(?!\d))", "", plain(keep_markers(canonical_markers(text), ())))
    return [word for word in words(bare) if word not in _ARTICLES]


def citations_right(text: str, cited: Mapping[int, str], passages: Sequence[str]) -> float | None:
    """Return the share of an answer's claims that stand in what is cited for them.

    A claim is a sentence that takes words or numbers from the passages; a voice's own words count for
    nothing. It is cited rightly when the passages whose numbers it bears hold 70 % of these words and
    every number. One without a number leans on the next that has one, or on the one before. None when
    nothing is claimed.
    """
    known = Evidence.of(passages)
    sentences = [canonical_markers(unit.text) for unit in split_units(text) if not unit.code]
    leaning = _leaning([markers(sentence) for sentence in sentences])
    judged = [
        _cited_rightly(_Claim.of(sentence, known), named, cited)
        for sentence, named in zip(sentences, leaning, strict=True)
    ]
    told = [right for right in judged if right is not None]
    return sum(told) / len(told) if told else None


def _leaning(named: Sequence[list[int]]) -> list[list[list[int]]]:
    """Return for each sentence which citations may be meant for it, its own alone where it has any."""
    meant = []
    for at, own in enumerate(named):
        later = next((one for one in named[at + 1 :] if one), [])
        earlier = next((one for one in reversed(named[:at]) if one), [])
        meant.append([own] if own else [one for one in (later, earlier) if one])
    return meant


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence takes from the passages. `told` is false where it claims nothing."""

    words: tuple[str, ...]
    numbers: frozenset[str]
    told: bool
    marked: bool

    @classmethod
    def of(cls, sentence: str, known: Evidence) -> _Claim:
        taken = tuple(word for word in map(stem, content_words(sentence)) if word in known.stems)
        figures = frozenset(numbers(keep_markers(sentence, ()))) & known.numbers
        told = states_fact(sentence) and (len(taken) >= 2 or bool(figures))
        return cls(taken, figures, told, bool(markers(sentence)))


def _cited_rightly(claim: _Claim, meant: Sequence[list[int]], cited: Mapping[int, str]) -> bool | None:
    if not claim.told:
        return False if claim.marked and not claim.words and not claim.numbers else None
    return any(_holds([cited[one] for one in named if one in cited], claim) for named in meant)


def _holds(texts: Sequence[str], claim: _Claim) -> bool:
    evidence = Evidence.of(texts)
    held = sum(word in evidence.stems for word in claim.words)
    return bool(texts) and held >= SHARE_NEEDED * len(claim.words) and claim.numbers <= evidence.numbers


def facts(draft: str, written: str, passages: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the facts of a draft that a text lost, and those of the text that nothing it may use has.

    Citation markers are marked apart.
    """
    before, after = (keep_markers(canonical_markers(text), ()) for text in (draft, written))
    lost = judge(before, after, tuple(passages)).lost if before.strip() else ()
    return lost, judge("", after, (*passages, before)).invented
