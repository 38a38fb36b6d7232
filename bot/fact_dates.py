"""Dates and times of day in a text, in one form whatever way they are written."""

# ruff: noqa: E501 - tables and patterns read better unbroken

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from bot.facts import Found, blank, keys, take

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
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|March|Mar\.?|April|Apr\.?|(?-i:May)|(?<=\d )may(?=\s*(?:[.,;:!?)\[\n]|$|(?:at|from|until|till|and|or|to|20\d\d)\b))|June|Jun\.?|July|Jul\.?|August|Aug\.?|"
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
_UNTIL = r"\s*(?:-|–|—|&|,|to|and|or|until|till|through)\s*(?:the )?"
_FIRST = rf"(?P<first>[0-3]?\d(?:st|nd|rd|th|\.)?(?:{_UNTIL}[0-3]?\d(?:st|nd|rd|th|\.)?){{0,4}}?)"
# "The 10th of January, April and July": months that share a day.
_SHARED = re.compile(
    rf"\b(?:{_DAY}|{_RANK})(?: day)?(?: of)? (?P<months>{_MONTH}(?:(?:,|,? and|,? or| &)(?: of)? {_MONTH})+)(?! [12]\d{{3}})",
    re.IGNORECASE,
)
_DATES = (
    # "3 to 21 February 2025", "October 12–14, 2026", "24 or 31 December": days of one month
    re.compile(
        rf"(?<![\d.:-])\b{_FIRST}{_UNTIL}{_DAY}(?: of)?[ -](?P<month>{_MONTH})"
        rf"(?:,?[ -]{_YEAR})?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})\s+(?:the )?{_FIRST}{_UNTIL}{_DAY}"
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
    r"(?<![\d:.€$£])(?<![€$£] )(?<!eur )(?<!usd )(?<!gbp )(?:(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?:\s*(?P<half>[ap])\.?m\b)?"
    r"|(?P<twelve>1[0-2]|[1-9])\s*(?P<clock>[ap])\.?m\b|(?P<oclock>1[0-2]|[1-9])\s*o'clock)(?!\d|:\d|\s*(?:[%€$£°]|eur\b|euros?\b|usd\b|dollars?\b|[kmgt]i?b\b|kg\b|km\b))",
    re.IGNORECASE,
)
_HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_HOUR = rf"(?P<hour>1[0-2]|[1-9]|{'|'.join(_HOURS)})\b"
_PART = r"(?:in the|of the|at|this|every|each)\s+(?P<part>morning|afternoon|evening|night|small hours)\b"
_SPOKEN_TIMES = (
    re.compile(
        rf"\b(?!(?:five|ten|twenty)\s+(?:to|before|after)\s+\w+\s+(?!(?:in|at|and|or|on|of|every|each|sharp|for|but|when|then|daily|utc|gmt|cet)\b|o')[a-z%])(?P<minutes>half|(?:a )?quarter|five|ten|twenty)\s+(?P<way>past|to|after|before)\s+{_HOUR}(?:\s*o'clock)?"
        rf"(?:\s+{_PART})?",  # not "five to ten minutes"
        re.IGNORECASE,
    ),
    # "half one" is half past one; "half seven days" is not
    re.compile(
        rf"\b(?P<minutes>half)(?P<way>-|\s+){_HOUR}(?=\s*(?:[,.;!?)\[]|$|(?:o'clock|in the|at night|every|utc|gmt|cet|sharp|on)\b))"
        rf"(?:\s*o'clock)?(?:\s+{_PART})?",
        re.IGNORECASE,
    ),
    # "ten thirty"
    re.compile(
        rf"\b(?P<hour>{'|'.join(_HOURS)})[ -](?P<minutes>fifteen|thirty|forty[- ]five)\b(?!\s+(?:second|minute|hour|day|week|month|year|percent|euro|dollar)|-)(?:\s+{_PART})?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_HOUR}\s*(?P<clock>o'clock|of the clock)(?:\s+{_PART})?", re.IGNORECASE),
    re.compile(rf"(?<![\d:.])\b{_HOUR}(?:[:.](?P<minutes>[0-5]\d))?\s+{_PART}", re.IGNORECASE),
)
_SPOKEN_MINUTES = {
    "half": 30,
    "quarter": 15,
    "a quarter": 15,
    "five": 5,
    "ten": 10,
    "twenty": 20,
    "fifteen": 15,
    "thirty": 30,
    "forty-five": 45,
    "forty five": 45,
}
_NAMED_TIME = re.compile(r"\b(?:12 |twelve )?(noon|midday|midnight)\b", re.IGNORECASE)
# "Morning, noon and night", "midnight oil": no time of day is meant.
_NO_TIME = re.compile(
    r"\bmorning(?:,| or| and|, or|, and) noon(?:(?:,| or| and|, or|, and) (?:night|evening|midnight))?\b|\bnoon (?:or|and|nor) night\b"
    r"|\bmidnight (?:oil|hour|feast|snack)\b|\bhigh noon of\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    rf"(?<![\d:.,$€£%-])\b{_HOUR}\s*(?:-|–|to|and|until|till|through)\s*(?=\x01)", re.IGNORECASE
)
_RANGE = re.compile(r"\s*(?:-|–|—|to|until|till|through)")
_RANKED_DAY = re.compile(
    r"(?<!every )(?<!each )\b(?P<rank>first|1st|second|2nd|third|3rd|fourth|4th|last|final) (?=(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)",
    re.IGNORECASE,
)
_RANKS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "final": "last"}
_WORKDAYS = re.compile(r"\b(?:weekdays?|working days?|work days?|business days?)\b", re.IGNORECASE)
_WEEKEND = re.compile(r"\bweekends?\b", re.IGNORECASE)
# Signs without which none of these can be: most texts need not be searched for them all.
_MAY_DATE = re.compile(
    r"\d[./-]\d|(?i:quarter|jan|feb|mar|apr|may|june?\b|jun\.|july?\b|jul\.|aug|sep|oct|nov|dec)|May|Q[1-4]"
)
_MAY_WEEKDAY = re.compile(r"day|Mon|Tue|Wed|Thu|Fri|Sat|Sun")
_MAY_SPEAK = re.compile(
    r"o'clock|of the clock|small hours|morning|afternoon|evening|night|past|quarter|half|five|ten|twenty|thirty|fifteen",
    re.IGNORECASE,
)
_HAS_YEAR = re.compile(r"date:[12]\d{3}-")
_QUARTERS = {
    "first": "Q1", "1st": "Q1", "second": "Q2", "2nd": "Q2", "third": "Q3", "3rd": "Q3", "fourth": "Q4", "4th": "Q4",
}  # fmt: skip
_NAMED_MINUTES = {"noon": 720, "midday": 720, "midnight": 0}


def dates(text: str) -> tuple[str, list[Found]]:
    """Return the text without its dates and times, and these."""
    found: list[Found] = []
    text, matches = take(text, _SHARED) if _MAY_DATE.search(text) else (text, [])
    found += [day for match in matches for day in _shared(match)]
    for pattern in _DATES if _MAY_DATE.search(text) else ():
        text, matches = take(text, pattern)
        found += [_date(match) for match in matches]
        found += [day for match in matches for day in (*_first_days(match), *_weekday_of(match))]
    found += [_ranked(match) for match in _RANKED_DAY.finditer(text)]
    for pattern in (_WEEKDAY, _LOWER_WEEKDAY) if _MAY_WEEKDAY.search(text) else ():
        text, matches = take(text, pattern)
        found += [_weekday(match) for match in matches]
        found += [_weekly(match) for match in matches]
    for pattern in _SPOKEN_TIMES if _MAY_SPEAK.search(text) else ():
        text, matches = take(text, pattern)
        found += [_spoken(match) for match in matches]
        found += [_nightly(match) for match in matches if re.search("every |each ", match.group().lower())]
    text, _ = take(text, _NO_TIME) if "noon" in text.lower() or "midnight" in text.lower() else (text, [])
    text, matches = take(text, _TIME)
    found += [_time(match) for match in matches]
    text, opened = _opening_hours(text, found)
    found += opened
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


def _shared(match: re.Match[str]) -> list[Found]:
    """Return the day in each of several months."""
    day = int(match["day"] or 0) or _RANK_NAMES.index(match["rank"].lower()) + 1
    start = match.start("months")
    return [
        Found(shown=one.group(), keys=keys(f"date:-{_month(one.group())}-{day}"), at=start + one.start())
        for one in re.finditer(_MONTH, match["months"], re.IGNORECASE)
    ]


def _first_days(match: re.Match[str]) -> list[Found]:
    """Return the days before the last of "3 to 21 February 2025"."""
    parts = match.groupdict()
    if not parts.get("first"):
        return []
    month, year, start = _month(parts["month"]), parts.get("year") or "", match.start("first")
    found = [
        Found(shown=day.group(), keys=keys(f"date:{year}-{month}-{int(day.group())}"), at=start + day.start())
        for day in re.finditer(r"\d+", parts["first"])
    ]
    if len(found) == 1 and _RANGE.match(match.string, match.end("first")):
        inside = range(int(found[0].shown) + 1, int(parts["day"]))
        found += [
            Found(shown=match.group(), keys=keys(f"date:{year}-{month}-{day}"), at=start, strict=False)
            for day in inside
        ]
    return found


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
    part = (parts.get("part") or "").lower().replace("small hours", "morning")
    late = part in {"afternoon", "evening"} or (part == "night" and 5 <= hour < 12)
    either = (minute, minute + 720) if not part else ((minute + 720,) if late else (minute,))
    return Found(
        shown=match.group().strip() if match.re is not _OPENING else match["hour"],
        keys=keys(*(f"time:{one}" for one in either)),
        at=match.start(),
    )


def _opening_hours(text: str, found: list[Found]) -> tuple[str, list[Found]]:
    """Read the bare hour before a time: "from two until half past four", of either half of the day."""
    times = {one.at for one in found if any(key.startswith("time:") for key in one.keys)}
    matches = [match for match in _OPENING.finditer(text) if match.end() in times] if times else []
    opened = [_spoken(match) for match in matches]
    return blank(text, [match.span("hour") for match in matches]), opened


def _nightly(match: re.Match[str]) -> Found:
    """Return the "every night" of "half past two every night"."""
    return Found(shown=match.group(), keys=keys("86400 time"), at=match.start(), strict=False)


def _ranked(match: re.Match[str]) -> Found:
    """Read which of the days it is: the "last" of "the last Monday"."""
    rank = _RANKS.get(match["rank"].lower(), match["rank"].lower())
    return Found(shown=match.group(), keys=keys(f"rank:{rank}"), at=match.start())


def _weekly(match: re.Match[str]) -> Found:
    """Return the "every week" of "on Tuesdays"."""
    return Found(shown=match.group(), keys=keys("each 604800 time"), at=match.start(), strict=False)


def _at_day(match: re.Match[str], day: int) -> Found:
    return Found(shown=match.group(), keys=keys(f"weekday:{day}"), at=match.start(), strict=False)


def _at(match: re.Match[str], minute: int) -> Found:
    return _found(match, f"time:{minute}")


def _found(match: re.Match[str], *named: str) -> Found:
    return Found(shown=match.group().strip(), keys=keys(*named), at=match.start())
