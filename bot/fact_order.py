"""Whether the facts of a rewrite still belong to what they belonged to: their citations and their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from bot.facts import Found, meaning, root

MOST_FACTS = 24  # that are compared in pairs

_GROUP = re.compile(r"(?:\[[1-9]\d?\][ \t,]*)+")
_NUMBER = re.compile(r"\d+")
_CLAUSE = re.compile(r"\n|[.!?;,()|](?=\s|$|[()|])|[—–]|\b(?:and|or|but|while|whereas|then)\b")
_LISTING = re.compile(
    r"\W*(?:(?:and|or|und|oder|et|ou|y|o|,|&)\W+(?:in|on|at|for|by|with|of)\b|and|or|und|oder|et|ou|y|o|/|,|&|vs|versus|with)?"
    r"\W*(?:the|an?)?\W*",
    re.IGNORECASE,
)
_TO = re.compile(r"\W*(?:to|until|till|through|and|-|–|—)\W*(?:the )?", re.IGNORECASE)
_PRONOUN = re.compile(r"\W*(?:it|its|he|his|she|her|they|their|this|that|these|those|both)\b", re.IGNORECASE)
_SELF = re.compile(r"\b(?:by|from|respectively)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of text with the numbers of the passages that it cites."""

    start: int
    end: int
    cited: frozenset[int]
    stems: frozenset[str]
    goes_on: bool  # it begins with a pronoun


def misplaced(before: Sequence[Found], after: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    """Yield each citation that has left its claim. The texts hold their markers."""
    if len({number for group in _GROUP.findall(draft) for number in _NUMBER.findall(group)}) < 2:
        return
    told, new = _segments(draft), _segments(written)
    for fact in before:
        if not fact.strict:
            continue
        was, now = _cited(fact, before, told) | _continued(fact, told), _cited(fact, after, new)
        if was and now and not was & now:
            yield f"[{min(was)}]: {fact.shown}"
    yield from _exchanged(told, new)


def _cited(fact: Found, found: Sequence[Found], segments: Sequence[_Segment]) -> frozenset[int]:
    """Return which passages are cited for a fact, wherever it stands."""
    places = [one.at for one in found if one.keys & fact.keys]
    cited = [one.cited for one in segments for at in places if one.start <= at < one.end]
    return frozenset().union(*cited)


def _continued(fact: Found, segments: Sequence[_Segment]) -> frozenset[int]:
    """Return what is cited for the next claim, where it goes on about the same: "It …"."""
    return frozenset().union(
        *(
            after.cited
            for one, after in pairwise(segments)
            if one.start <= fact.at < one.end and after.goes_on
        )
    )


def _segments(text: str) -> list[_Segment]:
    """Cut a text behind each group of markers; what follows the last leans on it."""
    segments: list[_Segment] = []
    start, cited = 0, frozenset[int]()
    for group in _GROUP.finditer(text):
        cited = frozenset(map(int, _NUMBER.findall(group.group())))
        segments.append(_segment(text, start, group.end(), cited))
        start = group.end()
    if start < len(text):
        segments.append(_segment(text, start, len(text), cited))
    return segments


def _segment(text: str, start: int, end: int, cited: frozenset[int]) -> _Segment:
    part = _GROUP.sub(" ", text[start:end])
    return _Segment(start, end, cited, _stems(part), _PRONOUN.match(part) is not None)


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(root, meaning(text)))


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
    pairs = _once_each(_whole(before, draft), _whole(after, written))[:MOST_FACTS]
    around = [(_Around.of(draft, one), _Around.of(written, now)) for one, now in pairs]
    kinds = [_kind(one) for one, _ in pairs]
    for first, second in combinations(range(len(pairs)), 2):
        if kinds[first] != kinds[second]:
            continue
        (one, one_now), (other, other_now) = pairs[first], pairs[second]
        was, now = zip(around[first], around[second], strict=True)
        listed = _listed(draft, one, other) and _listed(written, one_now, other_now)
        listed = listed or (_ranged(draft, one, other) and _ranged(written, one_now, other_now))
        if (_crossed(was, now) and not listed) or _turned(draft, (one, other), written, (one_now, other_now)):
            yield f"{one.shown} ↔ {other.shown}"


def _crossed(was: tuple[_Around, _Around], now: tuple[_Around, _Around]) -> bool:
    """Tell whether each stands where the other stood; one may have no words of its own any more."""
    one, other = was[0].without(was[1]), was[1].without(was[0])
    first = _like(one, now[1]) - _like(one, now[0])
    second = _like(other, now[0]) - _like(other, now[1])
    return first >= 0 and second >= 0 and ((first > 0 and second > 0) or first + second > 1)


def _listed(text: str, one: Found, other: Found) -> bool:
    """Tell whether two facts stand side by side in a list: what is said of one is said of both."""
    first, last = sorted((one, other), key=lambda fact: fact.at)
    return _LISTING.fullmatch(text[first.at + len(first.shown) : last.at]) is not None


def _ranged(text: str, one: Found, other: Found) -> bool:
    """Tell whether two facts are the ends of a range, the first one its beginning."""
    return one.at < other.at and _TO.fullmatch(text[one.at + len(one.shown) : other.at]) is not None


def _whole(found: Sequence[Found], text: str) -> list[Found]:
    """Join the words of one name, so that "Anna" is not what tells "Schmidt" from another."""
    joined: list[Found] = []
    for fact in found:
        last = joined[-1] if joined else None
        if last and _is_name(last) and _is_name(fact) and last.strict and fact.strict:
            gap = text[last.at + len(last.shown) : fact.at]
            if gap == " ":
                shown = text[last.at : fact.at + len(fact.shown)]
                joined[-1] = replace(last, shown=shown, keys=last.keys | fact.keys)
                continue
        joined.append(fact)
    return joined


def _is_name(fact: Found) -> bool:
    return any(key.startswith("name:") for key in fact.keys)


def _once_each(before: Sequence[Found], after: Sequence[Found]) -> list[tuple[Found, Found]]:
    """Return the facts that stand once in each text, as they stand in both."""
    here, there = _by_key(before), _by_key(after)
    found: list[tuple[Found, Found]] = []
    for fact in before:
        same, now = _places(fact, here), _places(fact, there)
        if len(same) == len(now) == 1:
            found.append((fact, after[now.pop()]))
    return found


def _by_key(found: Sequence[Found]) -> dict[str | frozenset[str], set[int]]:
    """Return where each key is; a name is found by all of its words alone: "Acme Labs" is not "Acme Inc"."""
    places: dict[str | frozenset[str], set[int]] = {}
    for number, fact in enumerate(found):
        for key in _lookups(fact):
            places.setdefault(key, set()).add(number)
    return places


def _lookups(fact: Found) -> Iterable[str | frozenset[str]]:
    return (fact.keys,) if _is_name(fact) else fact.keys


def _places(fact: Found, places: Mapping[str | frozenset[str], set[int]]) -> set[int]:
    return set[int]().union(*(places.get(key, ()) for key in _lookups(fact)))


def _kind(fact: Found) -> str:
    """Return what a fact can be taken for: a number with its unit, a name or a literal, a date."""
    key = min(fact.keys, key=lambda name: (" " not in name, name))
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
        left, right = meaning(before), meaning(after)
        own = frozenset(map(root, meaning(fact.shown)))
        stems = frozenset(map(root, (*left, *right))) - own
        nearest = frozenset(map(root, (*left[-1:], *right[:1]))) - own
        return cls(stems, nearest)

    def without(self, other: _Around) -> _Around:
        """Return what stands around this one alone."""
        return _Around(self.stems - other.stems, self.nearest - other.stems)


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
