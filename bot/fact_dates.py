"""Dates and times of day in a text, in one form whatever way they are written."""

from __future__ import annotations

import re
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
_DATES = (
    re.compile(rf"(?<![\d.-]){_YEAR}-(?P<number>\d{{2}})-(?P<day>\d{{2}})(?=T|\b)(?!-\d)"),
    re.compile(rf"(?<![\d.])(?P<day>[0-3]?\d)\.(?P<number>[01]?\d)\.{_YEAR}(?!\d)"),
    re.compile(rf"\b{_DAY}(?: of)?[ -](?P<month>{_MONTH})(?:,?[ -]{_YEAR})?(?!\d)", re.IGNORECASE),
    re.compile(
        rf"\b(?P<month>{_MONTH})\s+(?:the )?{_DAY}(?!\d|:|\s*(?:am|pm)\b)(?:,?\s+{_YEAR}(?!\d))?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<month>{_MONTH}),?(?: of)?\s+{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![\d/])(?P<raw>\d{1,2}/\d{1,2}/\d{2,4})(?![\d/])"),
    re.compile(rf"\b(?P<quarter>Q[1-4])(?:[ /-]{_YEAR})?\b"),
    re.compile(rf"(?<![.!?] )(?<!^)\b(?P<month>(?-i:{_MONTH}))"),
)
_WEEKDAY = re.compile(
    r"\b(?P<day>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)s?\b|\b(?P<short>Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)\b\.?",
)
_LOWER_WEEKDAY = re.compile(r"\b(?P<day>(?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b")
_TIME = re.compile(
    r"(?<![\d:.])(?:(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
    r"|(?P<twelve>1[0-2]|[1-9])\s*(?P<clock>[ap])\.?m\b\.?|(?P<oclock>1[0-2]|[1-9])\s*o'clock)(?![\d:])",
    re.IGNORECASE,
)
_NAMED_TIME = re.compile(r"\b(noon|midday|midnight)\b", re.IGNORECASE)
_NAMED_MINUTES = {"noon": 720, "midday": 720, "midnight": 0}


def dates(text: str) -> tuple[str, list[Found]]:
    """Return the text without its dates and times, and these."""
    found: list[Found] = []
    for pattern in _DATES:
        text, matches = take(text, pattern)
        found += [_date(match) for match in matches]
        found += [day for match in matches for day in _weekday_of(match)]
    for pattern in (_WEEKDAY, _LOWER_WEEKDAY):
        text, matches = take(text, pattern)
        found += [_weekday(match) for match in matches]
    text, matches = take(text, _TIME)
    found += [_time(match) for match in matches]
    text, matches = take(text, _NAMED_TIME)
    found += [_at(match, _NAMED_MINUTES[match.group().lower()]) for match in matches]
    return text, found


def _date(match: re.Match[str]) -> Found:
    parts = match.groupdict()
    if parts.get("raw"):
        return _found(match, f"date:{parts['raw']}")
    if quarter := parts.get("quarter"):
        return _found(match, f"date:{parts.get('year') or ''}-{quarter}")
    month = int(parts["number"]) if parts.get("number") else _month(parts["month"])
    year, day = parts.get("year") or "", int(parts.get("day") or 0)
    return _found(match, f"date:{year}-{month}-{day}")


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


def _at(match: re.Match[str], minute: int) -> Found:
    return _found(match, f"time:{minute}")


def _found(match: re.Match[str], *named: str) -> Found:
    return Found(shown=match.group().strip(), keys=keys(*named), at=match.start())
