"""Whether the facts of a rewrite still belong to what they belonged to: their citations and their words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.facts import Found
from bot.grounding import content_words
from kb.words import stem

MOST_FACTS = 24  # that are compared in pairs

_GROUP = re.compile(r"(?:\[[1-9]\d?\][ \t,]*)+")
_NUMBER = re.compile(r"\d+")
_CLAUSE = re.compile(r"[.!?;:,\n()|](?=\s|$|[()|])|[—–]|\b(?:and|or|but|while|whereas|then)\b")
_LISTING = re.compile(r"\W*(?:and|or|und|oder|et|ou|y|o|/|,|&|vs|versus|with)?\W*")
_SELF = re.compile(r"\b(?:by|from|respectively)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of text with the numbers of the passages that it cites."""

    start: int
    end: int
    cited: frozenset[int]
    stems: frozenset[str]


def misplaced(before: Sequence[Found], after: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    """Yield each citation that has left its claim. The texts hold their markers."""
    told, new = _segments(draft), _segments(written)
    if len({number for one in told for number in one.cited}) < 2:
        return
    for fact in before:
        if not fact.strict:
            continue
        was, now = _cited(fact, before, told), _cited(fact, after, new)
        if was and now and not was & now:
            yield f"[{min(was)}]: {fact.shown}"
    yield from _exchanged(told, new)


def _cited(fact: Found, found: Sequence[Found], segments: Sequence[_Segment]) -> frozenset[int]:
    """Return which passages are cited for a fact, wherever it stands."""
    places = [one.at for one in found if one.keys & fact.keys]
    cited = [one.cited for one in segments for at in places if one.start <= at < one.end]
    return frozenset().union(*cited)


def _segments(text: str) -> list[_Segment]:
    """Cut a text behind each group of markers; what follows the last leans on it."""
    segments: list[_Segment] = []
    start, cited = 0, frozenset[int]()
    for group in _GROUP.finditer(text):
        cited = frozenset(map(int, _NUMBER.findall(group.group())))
        segments.append(_Segment(start, group.end(), cited, _stems(text[start : group.start()])))
        start = group.end()
    if start < len(text):
        segments.append(_Segment(start, len(text), cited, _stems(text[start:])))
    return segments


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(stem(word))[:6] for word in content_words(text))


def _exchanged(told: Sequence[_Segment], new: Sequence[_Segment]) -> Iterator[str]:
    """Yield the citations that stand behind another one's claim and not behind their own."""
    claims, said = _by_number(told), _by_number(new)
    for number, stems in said.items():
        own = claims.get(number, frozenset())
        for other, claim in claims.items():
            if other != number and not stems & (own - claim) and len(stems & (claim - own)) > 1:
                yield f"[{number}]"
                break


def _by_number(segments: Sequence[_Segment]) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for segment in segments:
        for number in segment.cited:
            found[number] = found.get(number, frozenset()) | segment.stems
    return found


def swapped(before: Sequence[Found], after: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    """Yield pairs of facts that have taken each other's place."""
    if "respectively" in f"{draft} {written}".lower():
        return
    pairs = _once_each(before, after)[:MOST_FACTS]
    for (one, one_now), (other, other_now) in combinations(pairs, 2):
        if _kind(one) != _kind(other):
            continue
        was = _Around.of(draft, one), _Around.of(draft, other)
        now = _Around.of(written, one_now), _Around.of(written, other_now)
        crossed = _like(was[0], now[1]) > _like(was[0], now[0]) and _like(was[1], now[0]) > _like(
            was[1], now[1]
        )
        if crossed or _turned(draft, (one, other), written, (one_now, other_now)):
            yield f"{one.shown} ↔ {other.shown}"


def _once_each(before: Sequence[Found], after: Sequence[Found]) -> list[tuple[Found, Found]]:
    """Return the facts that stand once in each text, as they stand in both."""
    found: list[tuple[Found, Found]] = []
    for fact in before:
        same = [one for one in before if one.keys & fact.keys]
        now = [one for one in after if one.keys & fact.keys]
        if len(same) == len(now) == 1:
            found.append((fact, now[0]))
    return found


def _kind(fact: Found) -> str:
    """Return what a fact can be taken for: a number with its unit, a name or a literal, a date."""
    key = min(fact.keys)
    if key.startswith(("=", "name:")):
        return "name"
    return key.partition(":")[0] if ":" in key else key.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class _Around:
    """The words around a fact in its clause; the nearest before and after it count twice."""

    stems: frozenset[str]
    nearest: frozenset[str]

    @classmethod
    def of(cls, text: str, fact: Found) -> _Around:
        end = fact.at + len(fact.shown)
        before = _CLAUSE.split(text[max(0, fact.at - 120) : fact.at])[-1]
        after = _CLAUSE.split(text[end : end + 120])[0]
        left, right = content_words(before), content_words(after)
        own = frozenset(stem(stem(word))[:6] for word in content_words(fact.shown))
        stems = frozenset(stem(stem(word))[:6] for word in (*left, *right)) - own
        nearest = frozenset(stem(stem(word))[:6] for word in (*left[-1:], *right[:1])) - own
        return cls(stems, nearest)


def _like(one: _Around, other: _Around) -> int:
    return len(one.stems & other.stems) + len(one.nearest & other.nearest)


def _turned(draft: str, was: tuple[Found, Found], written: str, now: tuple[Found, Found]) -> bool:
    """Tell whether two facts stand the other way round with the same words between them."""
    if was[0].at > was[1].at or now[0].at < now[1].at:
        return False
    between = draft[was[0].at + len(was[0].shown) : was[1].at]
    turned = written[now[1].at + len(now[1].shown) : now[0].at]
    if (
        _LISTING.fullmatch(between)
        or len(between) > 60
        or (_SELF.search(turned) and not _SELF.search(between))
    ):
        return False
    return between.lower().split() == turned.lower().split()
