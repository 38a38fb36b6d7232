"""Bounds and order of a text: at least and at most, before and after, by the number or the words they stand at."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from bot.facts import Found
from bot.grounding import content_words
from kb.words import stem

Way = Literal["up", "down"]

_MORE = r"(?:more|greater|longer|larger|higher|bigger|later|older|bigger)"
_LESS = r"(?:less|fewer|shorter|smaller|lower|earlier|younger)"
_NO = r"(?:\bno|\bnot|\bnever|n't|\bcannot|\bnor)"
_STRONG_UP = re.compile(
    rf"{_NO}\s+(?:\w+\s+){{0,3}}?(?:{_LESS}\s+than|under|below)|\bat (?:the (?:very )?)?least|\bminimum|\bmin\b\.?|≥|>=?|\b{_MORE}\s+than|"
    rf"\bexceed\w*|\bupwards? of|\bin excess of|\bas (?:few|little) as|\bno {_LESS}",
    re.IGNORECASE,
)
_STRONG_DOWN = re.compile(
    rf"{_NO}\s+(?:\w+\s+){{0,3}}?(?:{_MORE}\s+than|over|above|exceed\w*|beyond|surpass\w*|pass|go (?:over|above|past|beyond))|\bat (?:the (?:very )?)?(?:most|max(?:imum)?)|"
    rf"\bmaximum|\bmax\b\.?|≤|<=?|\b{_LESS}\s+than|\bup to\b|\blimit(?:ed)? (?:of|to|is|at)\b|\bcap(?:s|ped)? (?:of|at|it at|them at)\b|\bas (?:much|many|long|high) as|\ba ceiling of|\btops out|\bno {_MORE}",
    re.IGNORECASE,
)
_UP_AFTER = re.compile(
    r"^[\s\w]{0,12}?(?:\+|\bor (?:more|above|higher|longer|later|over|greater|older|better)|\bplus\b|\b(?:at )?minimum|\bat (?:the (?:very )?)?least|\band (?:up|above|over)|\bmin\b)",
    re.IGNORECASE,
)
_DOWN_AFTER = re.compile(
    r"^[\s\w]{0,12}?(?:\bor (?:less|fewer|below|lower|under|shorter|earlier|younger|smaller)|\bmax(?:imum)?\b|\btops\b|\bat (?:the (?:very )?)?most|\blimit|\bcap\b|\band (?:no more|not one|below|under|down)|\bceiling|\band not a \w+ more)",
    re.IGNORECASE,
)
_WEAK_UP = re.compile(
    r"\b(?:over|above|past|beyond|after|from|starting|surpass\w*|outlast\w*|floor|threshold)\b", re.IGNORECASE
)
_WEAK_DOWN = re.compile(
    r"\b(?:under|below|within|until|till|in|inside|by|before|allow\w*|ceiling|quota|for|maxes|squeeze|fit\w*)\b",
    re.IGNORECASE,
)
_PREPOSITION_UP = re.compile(r"\b(?:over|above|beyond)\s*(?:the \w+ )?$", re.IGNORECASE)
_PREPOSITION_DOWN = re.compile(r"\b(?:under|below)\s*$", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;\n](?=\s|$)|,(?=\s)")
_SENTENCE = re.compile(r"[.!?\n](?=\s|$)")
_ORDER = re.compile(
    r"\b(?P<before>before|prior to|ahead of|earlier than)\b|\b(?P<after>after|following|later than|since|once)\b",
    re.IGNORECASE,
)
_OPPOSITE: dict[Way, Way] = {"up": "down", "down": "up"}
_WORDS = {"up": "at least", "down": "at most"}


def changed_bounds(
    before: Sequence[Found], after: Sequence[Found], draft: str, written: str
) -> Iterator[str]:
    """Yield the bounds and the order that a rewrite turned round, left out or made up."""
    for fact in before:
        now = [one for one in after if one.keys & fact.keys]
        if not fact.strict or not now or any(":" in key or key.startswith("=") for key in fact.keys):
            continue
        yield from _changed(fact, now, draft, written)
    yield from _turned(draft, written)


def _changed(fact: Found, now: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    was = bound(draft, fact)
    is_now = {way for one in now if (way := bound(written, one))}
    if (was and is_now and was not in is_now) or (
        was and not is_now and _strong(draft, fact) and not any(_hints(written, one, was) for one in now)
    ):
        yield f"{_WORDS[was]} {fact.shown}"
    elif not was and is_now:
        (way, *more) = is_now
        if not more and not _hints(draft, fact, way) and all(_strong(written, one) for one in now):
            yield f"not {_WORDS[way]}: {fact.shown}"


def bound(text: str, fact: Found) -> Way | None:
    """Return which way a number is open, None when it is exact or cannot be told."""
    if found := _strong(text, fact):
        return found
    before, _ = _around(text, fact, _CLAUSE)
    if _PREPOSITION_UP.search(before):
        return "up"
    return "down" if _PREPOSITION_DOWN.search(before) else None


def _strong(text: str, fact: Found) -> Way | None:
    """Return what words say that leave no doubt; those nearest before the number count."""
    before, after = _around(text, fact, _CLAUSE)
    if _UP_AFTER.match(after):
        return "up"
    if _DOWN_AFTER.match(after):
        return "down"
    near = " ".join(before.split(" ")[-7:])
    found: list[tuple[int, int, Way]] = [(m.end(), -m.start(), "down") for m in _STRONG_DOWN.finditer(near)]
    found += [(m.end(), -m.start(), "up") for m in _STRONG_UP.finditer(near)]
    if not found:
        return None
    # In "not more than" both are found and both end there: the longer one is meant.
    last = max(end for end, _, _ in found)
    return max((start, way) for end, start, way in found if end == last)[1]


def _hints(text: str, fact: Found, way: Way) -> bool:
    """Tell whether anything in the sentence may stand for this bound."""
    sentence = " ".join(_around(text, fact, _SENTENCE))
    strong, weak = (_STRONG_UP, _WEAK_UP) if way == "up" else (_STRONG_DOWN, _WEAK_DOWN)
    after = (_UP_AFTER if way == "up" else _DOWN_AFTER).search(_around(text, fact, _SENTENCE)[1])
    return bool(strong.search(sentence) or weak.search(sentence) or after)


def _around(text: str, fact: Found, boundary: re.Pattern[str]) -> tuple[str, str]:
    end = fact.at + len(fact.shown)
    before = boundary.split(text[max(0, fact.at - 160) : fact.at])[-1]
    return before, boundary.split(text[end : end + 120])[0]


def _turned(draft: str, written: str) -> Iterator[str]:
    """Yield what came before something and now comes after it, or the other way round."""
    was, now = _orders(draft), _orders(written)
    for (word, what), shown in was.items():
        other = "after" if word == "before" else "before"
        if (other, what) in now and (word, what) not in now and (other, what) not in was:
            yield shown


def _orders(text: str) -> dict[tuple[str, str], str]:
    """Return "before" or "after" with the word that follows, and how it is written."""
    found: dict[tuple[str, str], str] = {}
    for match in _ORDER.finditer(text):
        following = _CLAUSE.split(text[match.end() : match.end() + 60])[0]
        what = content_words(following)[:1]
        denied = re.search(rf"{_NO}\s+(?:\w+\s+)?\Z", text[: match.start()], re.IGNORECASE)
        if what and not denied:
            word = "before" if match["before"] else "after"
            shown = " ".join((match.group() + following).split()[:4])
            found[word, stem(stem(what[0]))[:6]] = shown
    return found
