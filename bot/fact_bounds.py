"""Bounds and order of a text: at least and at most, before and after, by the number or the words they stand at."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from bot.facts import Found, meaning, root, small

Way = Literal["up", "down"]

_MORE = r"(?:more|greater|longer|larger|higher|bigger|later|older|heavier|faster|newer|warmer|hotter|wider|taller|deeper|farther|further)"
_LESS = r"(?:less|fewer|shorter|smaller|lower|earlier|younger|lighter|slower|cooler|colder|cheaper|sooner|narrower|nearer|closer)"
_NO = r"(?:\bneither|\bnobody|\bnone|\bno|\bnot|\bnever|n't|\bcannot|\bnor)"
# "It goes up to 7 %" tells where it goes and bounds nothing.
_RISING_TEXT = """
    go goes going went gone rise rises rising rose climb climbs climbing move moves moving jump jumps grow grows growing
    increase increases increasing step steps bump bumps
"""
_RISES = "".join(rf"(?<!\b{verb} )" for verb in _RISING_TEXT.split())
_PERIOD = re.compile(
    r"\b(?:in|over|during|within|for|from|of) (?:the|your|our|their) (?:last|past|previous|preceding|prior|next|following|coming)\s+$"
)
_LATEST = re.compile(rf"{_NO} (?:later|shorter|less) than\s+(?:\w+ )?$")
_SOONEST = re.compile(rf"{_NO} (?:earlier|sooner|more) than\s+(?:\w+ )?$")
_WITHIN = r"(?:(?!(?:is|are|was|were|that|those|which|who|if|any more)\b)[\w']+\s+){0,6}?"
_NEAR = r"(?:(?!(?:is|are|was|were|that|those|which|who|if|for|any more)\b)[\w']+\s+){0,4}?"
_AHEAD = re.compile(r"\b(?:ahead|advance|prior|before|beforehand)\b")
# Of a version without a unit "older" is less; of a child of 12 it is more.
_AGED = re.compile(r"\b(?:older|younger|newer) than\b")
_DATED = re.compile(r"\b(?:later|earlier|newer)\b")
_SOONER = re.compile(r"\W*(?:\w+ )?(?:or|and) (?:earlier|sooner|later)\b")
_STRONG_UP = re.compile(
    rf"{_NO}\s+{_WITHIN}{_LESS}\s+than|{_NO}\s+{_NEAR}(?:under|below)|\bat (?:the (?:very )?)?least|\bminimum|\bmin\b\.?|≥|>=?|\b{_MORE}\s+than|"
    rf"\bexceed\w*|\bupwards? of|\bin excess of|\bas (?:few|little) as|\bno {_LESS}"
)
_STRONG_DOWN = re.compile(
    rf"{_NO}\s+{_WITHIN}(?:{_MORE}\s+than|exceed\w*|surpass\w*|go (?:over|above|past|beyond))|{_NO}\s+{_NEAR}(?:in excess of|over(?!\s+(?:more|less|fewer)\b)|above|beyond|pass)|\bat (?:the (?:very )?)?(?:most|max(?:imum)?)|"
    rf"\bmaximum|\bmax\b\.?|≤|<=?|\b{_LESS}\s+than|{_RISES}\bup to\b|\blimit(?:ed)? (?:of|to|is|at|be|are|was)\b|\bcap(?:s|ped)? (?:of|at|it at|them at)\b|\bas (?:much|many|long|high) as|\ba ceiling of|\btops out|\bno {_MORE}"
)
_UP_AFTER = re.compile(
    rf"^[\s\w]{{0,12}}?(?:(?<!\s)\+(?!\d)|\bor (?:{_MORE}|above|over|better|up)\b(?!\s+\d)|\bplus\b(?!\s+\w)|\b(?:at )?minimum|\bat (?:the (?:very )?)?least|\band (?:up|above|over)\b(?! to\b)|\bmin\b|^\s*up\b(?! to\b)|\b(?:is|being|be|as) (?:the|as) (?:least|minimum|little|few)\b|\bupwards?\b)"
)
_DOWN_AFTER = re.compile(
    rf"^[\s\w]{{0,12}}?(?:\bor (?:{_LESS}|below|under)\b(?!\s+\d)|\b(?:is|being|be|as) (?:the|as) (?:most|maximum|much|many|far|long|high|big|large)\b|\bmax(?:imum)?\b|\btops\b|\bat (?:the (?:very )?)?most|\blimit|\bcap\b|\band (?:no more|not one|below|under|down)|\bceiling|\band not a \w+ more)"
)
_DOWN_BEHIND = re.compile(
    r"[\s\w]{0,24}, (?:tops|max(?:imum)?|at (?:the (?:very )?)?most|(?:and )?no more|(?:and )?not (?:an?|one) \w+ more)(?=\s*(?:[\[.!?;,\n]|$))"
)
_PREPOSITION_UP = re.compile(r"\b(?:over|above|beyond)\s*(?:the \w+ )?$")
_PREPOSITION_DOWN = re.compile(r"\b(?:under|below|within|inside(?: of)?)\s*(?:the (?:first |next )?)?$")
_CLAUSE = re.compile(r"[.!?;\n](?=\s|$)|,(?=\s)")
_SENTENCE = re.compile(r"[.!?\n](?=\s|$)")
_ORDER = re.compile(
    r"\b(?P<before>before|prior to|ahead of|earlier than)\b|\b(?P<after>after|following|later than|since|once)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"{_NO}\b|\b(?:reject|refus|fail|forbid|prohibit|disallow|block|declin|exclud|unsupport|drop|deni|error)\w*"
)
_OTHER_NUMBER = re.compile(
    r"\d[\d.,]*\s*(?:(?:and|or)\b(?=.*\b(?:under|below|over|above|beyond)\b)|(?!(?:to|or|and|by)\b)(?:%|[A-Za-z]\w*))"
)  # what stands before it bounds that one
_BEFORE_TIME = re.compile(
    r"\b(?:(?P<before>before|prior to|earlier than|ahead of)|(?P<after>after|later than|past))\s+(?:the )?\Z"
)
_OLDER = re.compile(r"\W*(?:or|and) (?:older|earlier)\b")  # of a version it looks back
_NEWER = re.compile(r"\W*(?:or|and) (?:newer|later|higher|above|up)\b|\+")
_AFTER_NUMBER = re.compile(
    r"\W*(?:\w+ )?(?P<before>before(?:hand)?|in advance|prior(?: to)?|ahead(?: of)?|earlier|below|under)\b|\W*(?:\w+ )?(?P<after>after|following|later|above)\b"
)
_OPPOSITE: dict[Way, Way] = {"up": "down", "down": "up"}
_TURNED = {"before": "after", "after": "before"}
_WORDS = {"up": "at least", "down": "at most"}


def changed_bounds(
    before: Sequence[Found], after: Sequence[Found], draft: str, written: str
) -> Iterator[str]:
    """Yield the bounds and the order that a rewrite turned round, left out or made up."""
    told, said = small(draft), small(written)
    for fact in before:
        if not fact.strict:
            continue
        now = [one for one in after if one.keys & fact.keys]
        if not now or any(":" in key or key.startswith("=") for key in fact.keys):
            if now and any(key.startswith(("time:", "date:", "weekday:")) for key in fact.keys):
                yield from _other_side(fact, now, told, said)
            continue
        yield from _changed(fact, now, told, said)
        was, is_now = _next(told, fact), {_next(said, one) for one in now}
        if was and is_now == {_TURNED[was]}:
            yield f"{fact.shown} {was}"
    yield from _turned(draft, written)


def _changed(fact: Found, now: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    if _NEWER.match(_after(draft, fact)) and any(_OLDER.match(_after(written, one)) for one in now):
        yield fact.shown
    was = bound(draft, fact)
    is_now = {way for one in now if (way := bound(written, one))}
    if was and is_now == {_OPPOSITE[was]} and _looks_back(fact, draft, now, written):
        return
    if was and is_now == {_OPPOSITE[was]} and _allows(draft, fact, written, now):
        return
    if was and is_now and was not in is_now:
        yield f"{_WORDS[was]} {fact.shown}"


def _looks_back(fact: Found, draft: str, now: Sequence[Found], written: str) -> bool:
    """Tell whether "older than 13" is what "13 or later" excludes: of versions older is less."""
    told, said = _beside(draft, fact), " ".join(_beside(written, one) for one in now)
    aged = _aged(draft, fact), any(_aged(written, one) for one in now)
    plain = fact.shown.replace(".", "").isdigit()
    return plain and aged[0] != aged[1] and bool(_DATED.search(said if aged[0] else told))


def _after(text: str, fact: Found) -> str:
    return text[fact.at + len(fact.shown) :][:16]


def _aged(text: str, fact: Found) -> bool:
    return _AGED.search(text[max(0, fact.at - 32) : fact.at]) is not None


def _beside(text: str, fact: Found) -> str:
    return text[max(0, fact.at - 32) : fact.at + len(fact.shown) + 16]


def _other_side(fact: Found, now: Sequence[Found], draft: str, written: str) -> Iterator[str]:
    """Yield a time that something is before and that it is after now, or the other way round."""
    was, is_now = _side(draft, fact), {_side(written, one) for one in now}
    if was and is_now == {_TURNED[was]}:
        yield f"{was} {fact.shown}"


def _side(text: str, fact: Found) -> str:
    match = _BEFORE_TIME.search(text[max(0, fact.at - 24) : fact.at])
    return "" if match is None else ("before" if match["before"] else "after")


def _allows(draft: str, fact: Found, written: str, now: Sequence[Found]) -> bool:
    """Tell whether one text denies what lies beyond a number and the other one says how far it may go.

    "Values above 500 are not supported" is "at most 500".
    """
    strong = bool(_strong(draft, fact))
    others = {bool(_strong(written, one)) for one in now}
    if others != {not strong}:
        return False
    was, said = [(draft, fact)], [(written, one) for one in now]
    weak, firm = (said, was) if strong else (was, said)
    clauses = (" ".join(_around(*one, _CLAUSE)) for one in firm)
    told = (_STRONG_DOWN.sub(" ", _STRONG_UP.sub(" ", clause)) for clause in clauses)
    return all(_DENIED.search(_sentence(*one)) for one in weak) and not any(map(_DENIED.search, told))


def _sentence(text: str, fact: Found) -> str:
    return " ".join(_around(text, fact, _SENTENCE))


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
    before = _OTHER_NUMBER.split(before)[-1]
    if _SOONER.match(after) and _AHEAD.search(" ".join(_around(text, fact, _SENTENCE))):
        return None
    if _PERIOD.search(before):
        return None  # "the fees of the last 12 months" are as many, whatever bounds the fees
    if _next(text, fact) == "before" and (_LATEST.search(before) or _SOONEST.search(before)):
        return "up" if _LATEST.search(before) else "down"  # no later than 8 weeks before is at least 8 weeks
    if _DOWN_BEHIND.match(_around(text, fact, _SENTENCE)[1]):
        return "down"
    if "+" in fact.shown[1:]:
        return "up"
    if _UP_AFTER.match(after):
        return "down" if "." in fact.shown and _OLDER.match(after) else "up"
    if _DOWN_AFTER.match(after):
        return "down"
    near = " ".join(before.split(" ")[-10:])
    found: list[tuple[int, int, Way]] = [(m.end(), -m.start(), "down") for m in _STRONG_DOWN.finditer(near)]
    found += [(m.end(), -m.start(), "up") for m in _STRONG_UP.finditer(near)]
    if not found:
        return None
    # In "not more than" both are found and both end there: the longer one is meant.
    last = max(end for end, _, _ in found)
    return max((start, way) for end, start, way in found if end == last)[1]


def _around(text: str, fact: Found, boundary: re.Pattern[str]) -> tuple[str, str]:
    end = fact.at + len(fact.shown)
    before = boundary.split(text[max(0, fact.at - 160) : fact.at])[-1]
    return before, boundary.split(text[end : end + 120])[0]


def _next(text: str, fact: Found) -> str:
    """Return "before" or "after" where it stands behind a number: 8 weeks before the date."""
    end = fact.at + len(fact.shown)
    match = _AFTER_NUMBER.match(text[end : end + 24])
    return "" if match is None else ("before" if match["before"] else "after")


def _turned(draft: str, written: str) -> Iterator[str]:
    """Yield what came before something and now comes after it, or the other way round."""
    was, now = _orders(draft), _orders(written)
    for word, what, shown in was:
        same = any(one == word and what & words for one, words, _ in (*now,))
        told = any(one != word and what & words for one, words, _ in was)
        if not same and not told and any(one != word and what & words for one, words, _ in now):
            yield shown


def _orders(text: str) -> list[tuple[str, frozenset[str], str]]:
    """Return each "before" or "after" with the words that follow, and how it is written."""
    found: list[tuple[str, frozenset[str], str]] = []
    for match in _ORDER.finditer(text):
        following = _CLAUSE.split(text[match.end() : match.end() + 60])[0]
        what = [word for word in meaning(following) if "'" not in word][:3]
        denied = re.search(rf"{_NO}\s+(?:\w+\s+)?\Z", small(text)[: match.start()])
        if what and not denied:
            word = "before" if match["before"] else "after"
            shown = " ".join((match.group() + following).split()[:4])
            found.append((word, frozenset(map(root, what)), shown))
    return found
