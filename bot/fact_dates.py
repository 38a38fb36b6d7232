"""Dates and times of day in a text, in one form whatever way they are written."""

# ruff: noqa: E501 - tables and patterns read better unbroken

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from bot.facts import Found, keys, take

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|March|Mar\.?|April|Apr\.?|(?-i:May)|June|Jun\.?|July|Jul\.?|August|Aug\.?|"
    r"Sept(?:ember|\.)?|Sep\.?|October|Oct\.?|November|Nov\.?|December|Dec\.?)(?![a-z])"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>[12]\d{3})"
_RANK_TEXT = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
    fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third
    twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first
"""
_RANK_NAMES = _RANK_TEXT.split()
_RANK = rf"(?P<rank>{'|'.join(reversed(_RANK_NAMES))})"
_UNTIL = r"\s*(?:-|–|—|to|and|until|till|through)\s*(?:the )?"
_DATES = (
    # "3 to 21 February 2025", "October 12–14, 2026": two days of one month
    re.compile(
        rf"(?<![\d.:-])\b(?P<first>[0-3]?\d)(?:st|nd|rd|th|\.)?{_UNTIL}{_DAY}(?: of)?[ -](?P<month>{_MONTH})"
        rf"(?:,?[ -]{_YEAR})?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})\s+(?:the )?(?P<first>[0-3]?\d)(?:st|nd|rd|th)?{_UNTIL}{_DAY}"
        rf"(?!\d|:|\s*(?:am|pm|a\.m|p\.m)\b)(?:,?\s+{_YEAR}(?!\d))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{_RANK}(?: day)? of (?P<month>{_MONTH})(?:,?(?: of)?(?: the year)? {_YEAR})?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<ordinal>first|1st|second|2nd|third|3rd|fourth|4th)[ -]quarter(?:(?:,| of)? (?:the year )?{_YEAR})?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![\d.-]){_YEAR}-(?P<number>\d{{2}})-(?P<day>\d{{2}})(?=T|\b)(?!-\d)"),
    re.compile(rf"(?<![\d.])(?P<day>[0-3]?\d)\.(?P<number>[01]?\d)\.{_YEAR}(?!\d)"),
    re.compile(rf"\b{_DAY}(?: of)?[ -](?P<month>{_MONTH})(?:,?[ -]{_YEAR})?(?!\d)", re.IGNORECASE),
    re.compile(
        rf"\b(?P<month>{_MONTH})\s+(?:the )?{_DAY}(?!\d|:|\s*(?:am|pm)\b)(?:,?\s+{_YEAR}(?!\d))?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<month>{_MONTH}),?(?: of)?\s+{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![\d/])(?P<raw>\d{1,2}/\d{1,2}/\d{2,4})(?![\d/])"),
    re.compile(rf"\b(?P<quarter>Q[1-4])(?:(?:[ /-]|,? of (?:the year )?){_YEAR})?\b"),
    re.compile(rf"(?<![.!?] )(?<!^)\b(?P<month>(?-i:{_MONTH}))"),
    # Where a sentence begins, "May" asks, "March on" is a verb, and "Jan" may be somebody.
    re.compile(
        r"\b(?P<month>January|February|April|June|July|August|September|October|November|December|"
        r"March(?! (?:on|to|in|into|up|over|back|off|ahead|forward|through)\b))(?!\w)"
    ),
)
_WEEKDAY = re.compile(
    r"\b(?P<day>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)s?\b|\b(?P<short>Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)\b\.?(?!\s+(?!(?:and|or|to|till|until|through|from|at|off|closed|open|only|morning|afternoon|evening|night)\b)[a-z])"
)
_LOWER_WEEKDAY = re.compile(r"\b(?P<day>(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b")
_TIME = re.compile(
    r"(?<![\d:.€$£])(?<![€$£] )(?<!eur )(?<!usd )(?<!gbp )(?:(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
    r"|(?P<twelve>1[0-2]|[1-9])\s*(?P<clock>[ap])\.?m\b\.?|(?P<oclock>1[0-2]|[1-9])\s*o'clock)(?!\d|:\d|\s*(?:[%€$£°]|eur\b|euros?\b|usd\b|dollars?\b|[kmgt]i?b\b|kg\b|km\b))",
    re.IGNORECASE,
)
_HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_HOUR = rf"(?P<hour>1[0-2]|[1-9]|{'|'.join(_HOURS)})\b"
_PART = r"(?:in the|at|this|every)\s+(?P<part>morning|afternoon|evening|night)\b"
_SPOKEN_TIMES = (
    re.compile(
        rf"\b(?!(?:five|ten|twenty)\s+(?:to|before|after)\s+\w+\s+(?!in\b|at\b|o')[a-z%])(?P<minutes>half|(?:a )?quarter|five|ten|twenty)\s+(?P<way>past|to|after|before)\s+{_HOUR}(?:\s*o'clock)?"
        rf"(?:\s+{_PART})?",  # not "five to ten minutes"
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_HOUR}\s*(?P<clock>o'clock|of the clock)(?:\s+{_PART})?", re.IGNORECASE),
    re.compile(rf"(?<![\d:.])\b{_HOUR}(?:[:.](?P<minutes>[0-5]\d))?\s+{_PART}", re.IGNORECASE),
)
_SPOKEN_MINUTES = {"half": 30, "quarter": 15, "a quarter": 15, "five": 5, "ten": 10, "twenty": 20}
_NAMED_TIME = re.compile(r"\b(?:12 |twelve )?(noon|midday|midnight)\b", re.IGNORECASE)
_WORKDAYS = re.compile(r"\b(?:weekdays?|working days?|work days?|business days?)\b", re.IGNORECASE)
_WEEKEND = re.compile(r"\bweekends?\b", re.IGNORECASE)
# Signs without which none of these can be: most texts need not be searched for them all.
_MAY_DATE = re.compile(
    r"\d[./-]\d|(?i:quarter|jan|feb|mar|apr|june?\b|jun\.|july?\b|jul\.|aug|sep|oct|nov|dec)|May|Q[1-4]"
)
_MAY_WEEKDAY = re.compile(r"day|Mon|Tue|Wed|Thu|Fri|Sat|Sun")
_MAY_SPEAK = re.compile(
    r"o'clock|of the clock|morning|afternoon|evening|night|past|quarter|half|five|ten|twenty", re.IGNORECASE
)
_HAS_YEAR = re.compile(r"date:[12]\d{3}-")
_QUARTERS = {
    "first": "Q1", "1st": "Q1", "second": "Q2", "2nd": "Q2", "third": "Q3", "3rd": "Q3", "fourth": "Q4", "4th": "Q4",
}  # fmt: skip
_NAMED_MINUTES = {"noon": 720, "midday": 720, "midnight": 0}


def dates(text: str) -> tuple[str, list[Found]]:
    """Return the text without its dates and times, and these."""
    found: list[Found] = []
    for pattern in _DATES if _MAY_DATE.search(text) else ():
        text, matches = take(text, pattern)
        found += [_date(match) for match in matches]
        found += [day for match in matches for day in (*_first_of_two(match), *_weekday_of(match))]
    for pattern in (_WEEKDAY, _LOWER_WEEKDAY) if _MAY_WEEKDAY.search(text) else ():
        text, matches = take(text, pattern)
        found += [_weekday(match) for match in matches]
    for pattern in _SPOKEN_TIMES if _MAY_SPEAK.search(text) else ():
        text, matches = take(text, pattern)
        found += [_spoken(match) for match in matches]
        found += [_nightly(match) for match in matches if "every " in match.group().lower()]
    text, matches = take(text, _TIME)
    found += [_time(match) for match in matches]
    text, matches = take(text, _NAMED_TIME)
    found += [_at(match, _NAMED_MINUTES[match[1].lower()]) for match in matches]
    found += [_at_day(match, day) for match in _WORKDAYS.finditer(text) for day in (0, 4)]
    found += [_at_day(match, day) for match in _WEEKEND.finditer(text) for day in (5, 6)]
    return text, _with_years(found)


def _with_years(found: list[Found]) -> list[Found]:
    """Give days without a year the only year that is told: "from 12 October to 14 October 2026"."""
    years = {key[5:9] for one in found for key in one.keys if _HAS_YEAR.match(key)}
    if len(years) != 1:
        return found
    (year,) = years
    return [
        replace(
            one, keys=one.keys | {f"date:{year}{key[5:]}" for key in one.keys if key.startswith("date:-")}
        )
        for one in found
    ]


def _date(match: re.Match[str]) -> Found:
    parts = match.groupdict()
    if parts.get("raw"):
        return _found(match, f"date:{parts['raw']}", *_either_way(parts["raw"]))
    if quarter := parts.get("quarter") or parts.get("ordinal"):
        number = _QUARTERS.get(quarter.lower()) or quarter
        return _found(match, f"date:{parts.get('year') or ''}-{number}")
    month = int(parts["number"]) if parts.get("number") else _month(parts["month"])
    year, day = parts.get("year") or "", int(parts.get("day") or 0)
    if rank := parts.get("rank"):
        day = _RANK_NAMES.index(rank.lower()) + 1
    return _found(match, f"date:{year}-{month}-{day}")


def _either_way(raw: str) -> list[str]:
    """Return what 3/12/2026 may be: its day may come first or second."""
    one, two, year = map(int, raw.split("/"))
    year += 2000 if year < 100 else 0
    return [f"date:{year}-{month}-{day}" for month, day in ((one, two), (two, one)) if month <= 12]


def _first_of_two(match: re.Match[str]) -> list[Found]:
    """Return the first day of "3 to 21 February 2025"."""
    parts = match.groupdict()
    if not parts.get("first"):
        return []
    named = f"date:{parts.get('year') or ''}-{_month(parts['month'])}-{int(parts['first'])}"
    return [Found(shown=parts["first"], keys=keys(named), at=match.start("first"))]


def _weekday_of(match: re.Match[str]) -> list[Found]:
    """Return the day of the week that a whole date fell on: to name it invents nothing."""
    parts = match.groupdict()
    if not (parts.get("year") and parts.get("day")):
        return []
    month = int(parts["number"]) if parts.get("number") else _month(parts["month"])
    try:
        number = date(int(parts["year"]), month, int(parts["day"])).weekday()
    except ValueError:
        return []
    return [Found(shown=match.group(), keys=keys(f"weekday:{number}"), at=match.start(), strict=False)]


def _month(name: str) -> int:
    begins = name.lower()[:3]
    return next(number for number, month in enumerate(_MONTHS, start=1) if month.startswith(begins))


def _weekday(match: re.Match[str]) -> Found:
    begins = match.group().lower()[:3]
    number = next(at for at, day in enumerate(_DAYS) if day.startswith(begins))
    return _found(match, f"weekday:{number}")


def _time(match: re.Match[str]) -> Found:
    parts = match.groupdict()
    if parts["oclock"]:
        hour = int(parts["oclock"]) % 12
        return _found(match, f"time:{hour * 60}", f"time:{hour * 60 + 720}")
    hour = int(parts["hour"] or parts["twelve"])
    minute = hour * 60 + int(parts["minute"] or 0)
    if half := (parts["half"] or parts["clock"] or "").lower():
        minute = minute % 720 + (720 if half == "p" else 0)
    seconds = int(parts["second"] or 0)
    return _at(match, minute) if not seconds else _found(match, f"time:{minute}:{seconds}")


def _spoken(match: re.Match[str]) -> Found:
    """Read "half past eight", "three o'clock in the afternoon": without a part of the day it may be either."""
    parts = match.groupdict()
    hour = _HOURS.index(name) + 1 if (name := parts["hour"].lower()) in _HOURS else int(name)
    said = (parts.get("minutes") or "0").lower()
    minutes = int(said) if said.isdigit() else _SPOKEN_MINUTES[said]
    back = (parts.get("way") or "").lower() in {"to", "before"}
    minute = (hour % 12 * 60 + (-minutes if back else minutes)) % 720
    part = (parts.get("part") or "").lower()
    late = part in {"afternoon", "evening"} or (part == "night" and 5 <= hour < 12)
    either = (minute, minute + 720) if not part else ((minute + 720,) if late else (minute,))
    return _found(match, *(f"time:{one}" for one in either))


def _nightly(match: re.Match[str]) -> Found:
    """Return the "every night" of "half past two every night"."""
    return Found(shown=match.group(), keys=keys("86400 time"), at=match.start(), strict=False)


def _at_day(match: re.Match[str], day: int) -> Found:
    return Found(shown=match.group(), keys=keys(f"weekday:{day}"), at=match.start(), strict=False)


def _at(match: re.Match[str], minute: int) -> Found:
    return _found(match, f"time:{minute}")


def _found(match: re.Match[str], *named: str) -> Found:
    return Found(shown=match.group().strip(), keys=keys(*named), at=match.start())
