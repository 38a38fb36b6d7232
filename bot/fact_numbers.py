"""Numbers of a text with their units, in one form: 12 % is twelve percent, 1,000 is 1000, 24 h is a day."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from bot.fact_currencies import BEFORE, CURRENCIES, TWO_WORDS
from bot.fact_idioms import SAYINGS
from bot.facts import Found, keys, small

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: number for number, word in enumerate(_ONES)} | {
    word: 10 * number for number, word in enumerate(_TENS, start=2)
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_ORDINALS = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_LOOSE: dict[str, int | Fraction] = {
    "first": 1,
    "second": 2,
    "both": 2,
    "couple": 2,
    "pair": 2,
    "double": 2,
    "once": 1,
    "one": 1,
    "single": 1,
    "half": Fraction(1, 2),
}
_COUNTED = {"twice": 2, "thrice": 3, "dozen": 12, "triple": 3}
_FRACTIONS = {
    "½": Fraction(1, 2),
    "¼": Fraction(1, 4),
    "¾": Fraction(3, 4),
    "⅓": Fraction(1, 3),
    "⅔": Fraction(2, 3),
}

_SMALL = rf"(?:(?<!between )(?:{'|'.join(_ONES[1:10])}) and (?:{'|'.join(_TENS)})|(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[1:10])}))?|(?:{'|'.join(reversed(_ONES))}))"
_WRITTEN = (
    rf"(?:(?:{_SMALL}|an?)[\s-])?(?:{'|'.join(_LARGE)})(?:[\s-](?:{'|'.join(_LARGE)}))*(?:(?:\s+and\s+|[\s-]){_SMALL})?"
    rf"|{_SMALL}"
)
_DIGITS = r"\d{1,3}(?:[,'\u2009]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?(?![\d,.]*\d)|\d+"
_NUMBER = re.compile(
    rf"(?<![\w.\x01])(?<![A-Za-z]-)(?P<sign>(?<!\S)[-+]|\bminus\s)?(?P<money>{BEFORE}\s*)?"
    rf"(?:(?P<ratio>\d+/\d+)(?![/\d])|(?P<whole>\d+)?\s?(?P<vulgar>[½¼¾⅓⅔])|(?P<digits>{_DIGITS})"
    rf"(?:\s*(?P<large>thousand|million|billion|bn)\b|(?P<k>[kK])(?![\w]))?(?P<ordinal>(?:st|nd|rd|th)\b)?"
    rf"|\b(?P<written>{_WRITTEN})\b|\b(?P<third>{'|'.join(_ORDINALS)})s?\b|\b(?P<loose>{'|'.join(_LOOSE)})\b"
    rf"|\b(?P<counted>{'|'.join(_COUNTED)})\b)(?P<half>\s+and\s+a\s+half\b)?"
)
# "Six (6)": one number said twice.
_TWICE = re.compile(rf"(?P<first>\b(?:{_WRITTEN}|\d+)) \((?P<second>\d+|{_WRITTEN})\)")
_ARTICLE = re.compile(
    r"(?:\b(?P<word>half(?: an?)?|three quarters of an?|(?:a )?quarter of an?|an?|one|every|per|each|by|the|this|that|any)[\s-]+|(?<=\w)(?P<slash>/))"
    r"(?:(?:single|full|whole|given|further|additional|extra|(?P<business>working|business|week)(?= (?:day|night)s?\b)) )?(?P<unit>(?!(?:every|each|per)\b)[A-Za-z]+)(?P<half>\s+and\s+a\s+half\b)?"
)
_PARTS = {"half": Fraction(1, 2), "three": Fraction(3, 4), "quarter": Fraction(1, 4)}
_EVERY_OTHER = re.compile(r"every second\s+[^\W\d]|every second\s+\x01")
_BUT = re.compile(r"\s+(?:but|except|save|bar|apart|other than)\b")  # "every day but Monday"
_EACH = frozenset({"every", "per", "each"})
_ALWAYS = re.compile(
    r"\b24/7\b|\b(?:around|round) the clock\b|\bday and night\b|\bnight and day\b|\b(?:at )?(?:all|any) (?:times?|hours)\b"
    r"|\balways\b|\b24 hours a day\b|\bnever (?:closes?|sleeps?|stops?)\b"
)
# "On the 27th" is so each month.
_DAY_OF_MONTH = re.compile(
    r"\b(?:[0-3]?\d(?:st|nd|rd|th)|(?:last|first|second|third|\w+teenth|\w+tieth) (?:working |business )?day)\b"
)
_RATE = {
    "hourly": "hour", "daily": "day", "nightly": "day", "weekly": "week", "monthly": "month", "yearly": "year",
    "annually": "year", "annual": "year", "fortnight": "fortnight", "overnight": "day",
}  # fmt: skip
_LOOSE_RATES = frozenset(
    {"weekly", "annual", "annually", "yearly", "fortnight", "overnight"}
)  # of names, of weekdays
_RATES = re.compile(
    rf"\b(?:{'|'.join(_RATE)})\b|\b(?P<again>day|night|week|month|year) (?:after|by|in,? (?P=again) out)(?: (?P=again))?\b"
)
# "Per user and month"
_AND_EACH = re.compile(
    r"\b(?:per|each|every) [a-z]+ (?:and|&) (?P<again>second|minute|hour|day|week|month|quarter|year)\b"
)

_TIME: dict[str, int | Fraction] = {
    "ms": Fraction(1, 1000), "msec": Fraction(1, 1000), "millisecond": Fraction(1, 1000), "s": 1, "sec": 1, "secs": 1,
    "second": 1, "min": 60, "mins": 60, "minute": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "d": 86400,
    "day": 86400, "night": 86400, "week": 604800, "wk": 604800, "wks": 604800, "fortnight": 1209600,
}  # fmt: skip
_BYTES = {"b": 1, "byte": 1} | {
    unit: 1000**power
    for power, names in enumerate(("kb kilobyte", "mb megabyte meg", "gb gigabyte gig", "tb terabyte", "pb petabyte"), start=1)
    for unit in names.split()
} | {unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), start=1)}  # fmt: skip
_OTHER = {
    "%": "percent", "percent": "percent", "pct": "percent", "per cent": "percent", "month": "month",
    "mo": "month", "°c": "°c", "degrees celsius": "°c", "celsius": "°c", "°f": "°f", "fahrenheit": "°f", "°": "°",
    "degree": "°", "km": "km", "kilometre": "km", "kilometer": "km", "cm": "cm", "mm": "mm", "m": "m", "metre": "m",
    "meter": "m", "kg": "kg", "kilogram": "kg", "kilo": "kg", "g": "g", "gram": "g", "px": "px", "pixel": "px",
    "litre": "l", "liter": "l", "l": "l", "gallon": "gallon", "ml": "ml", "millilitre": "ml", "milliliter": "ml", "pint": "pint",
    "mile": "mile", "foot": "ft", "feet": "ft", "ft": "ft", "inch": "in", "inches": "in", "yard": "yd", "lb": "lb",
    "ounce": "oz", "oz": "oz", "tonne": "t", "ton": "ton", "mg": "mg", "milligram": "mg", "hectare": "ha",
    "acre": "acre", "centimetre": "cm", "centimeter": "cm", "millimetre": "mm", "millimeter": "mm", "volt": "v", "watt": "w",
    "hz": "hz", "khz": "khz", "mhz": "mhz", "ghz": "ghz", "mbps": "mbps", "gbps": "gbps", "w": "w", "kw": "kw", "v": "v",
}  # fmt: skip
_UNITS: dict[str, tuple[str, Fraction]] = (
    {name: ("time", Fraction(size)) for name, size in _TIME.items()}
    | {name: ("bytes", Fraction(size)) for name, size in _BYTES.items()}
    | {name: (unit, Fraction(1)) for name, unit in (_OTHER | CURRENCIES).items()}
    | {name: ("month", Fraction(12)) for name in ("year", "yr", "yrs")}
    | {"quarter": ("month", Fraction(3)), "decade": ("month", Fraction(120))}
)
_UNIT = re.compile(
    r"\+?[\s-]*\(?\s*(?:more |full |whole |calendar |business |working |consecutive )?(?P<unit>%|°\s?[cf]?|[$€£¥₹]|zł|per cent|degrees celsius|(?:"
    + TWO_WORDS
    + r")s?|[A-Za-zł]+)(?![\w])"
)
# "5 vacation days" are 5 days of vacation: a noun may stand before the unit of time.
_FAR_UNIT = re.compile(
    r"\s+(?!(?:of|in|on|at|to|by|for|per|an?|and|or|the|as|if|is|times?)\b)[a-z]{3,}(?<!s)\s+(?P<unit>(?:second|minute|hour|day|week|month|year)s)\b"
)
_CLOCK = rf"(?:\d{{1,2}}|{'|'.join(_ONES[1:13])})"
_HOURS = re.compile(
    rf"\b(?:{_CLOCK}\s?(?:-|–|to|till|until)\s?|(?:between|'?twixt) {_CLOCK} and ){_CLOCK}(?![\w%.,]*\w)"
)
_AT = re.compile(r"\b(?:at|till|until|by|around|before|after|past|to)\s+\Z")  # a bare number may be an hour
_NO_NOUN = re.compile(r"\s*(?:[.,;:!?)\[]|$|(?:on|in|and|or|every|each|for|the)\b)")
_ENDS = re.compile(
    r"\s*(?:[.,;!?)\[]|$|(?:have|has|had|are|is|were|was|for|on|in|at|when|if|per|an?|each|every|it|they|you|we)\b)"
)
_THE_ONE = re.compile(r"\b(?:the|that|only|any)\s+\Z")
_YEARS = re.compile(r"[\s-]+years?\b")
_THAN = re.compile(r"\b(?:over|under|above|below|beyond|than|aged)\s+\Z")
_AGED = re.compile(r"\b(?:aged?|ages)\s+(?:(?:from|of)\s+)?(?:\d+\s*(?:to|-|–|and)\s*)?\Z")
_AGE = re.compile(r"[\s-]+years?[\s-]+(?:of[\s-]+age|old)\b")
_NOUN = re.compile(r"\s+([A-Za-z]{3,})")
_RANGE = re.compile(r"\s*(?:-|–|to|or|and)\s*\Z")
_FILLER_NOUNS = re.compile(r"\s+(?:things?|points?|bits|ways?|cents)\b")
_CENTS = re.compile(r"\s*(?:¢|cents?\b|(?P<pence>pence\b|pennies\b|p\b))")
_QUARTERS = re.compile(r"[\s-]quarters of\b")
_BUSINESS = re.compile(r"[\s-]*(?:business|working|week)[\s-]?days?\b")


def numbers(text: str) -> list[Found]:
    """Return the numbers of a text from which dates, times and literals were taken."""
    shown, text = text, _TWICE.sub(_once, SAYINGS.sub(lambda match: " " * len(match.group()), small(text)))
    matches = list(_NUMBER.finditer(text))
    found: list[Found] = []
    unit: tuple[str, Fraction] | None = None
    following = len(text)
    for match in reversed(matches):
        own = _unit_after(text, match)
        shared = unit if own is None and unit and _RANGE.match(text[match.end() : following]) else None
        if own is None and shared is None and _ENDS.match(text, match.end()):
            before = (_unit_after(text, one) for one in reversed(matches) if one.start() < match.start())
            elided = next(filter(None, before), None)  # "laptops over 36 months, servers over 60"
            found.append(_number(text, match, None, elided))
        else:
            found.append(_number(text, match, own, shared))
        unit, following = own or shared, match.start()
    found.reverse()
    found += [_article(match) for match in _ARTICLE.finditer(text)]
    found += [_rate(match) for match in _RATES.finditer(text)]
    found += [_rate(match) for match in _AND_EACH.finditer(text)]
    found += [_always(match) for match in _ALWAYS.finditer(text)]
    found += [
        Found(shown=match.group(), keys=keys("each 1 month"), at=match.start(), strict=False)
        for match in _DAY_OF_MONTH.finditer(text)
    ]
    return (
        found
        if shown == text
        else [replace(one, shown=shown[one.at : one.at + len(one.shown)]) for one in found]
    )


def _once(match: re.Match[str]) -> str:
    """Leave out the second of "six (6)" if it is the first."""
    first, second = (next(_NUMBER.finditer(match[part]), None) for part in ("first", "second"))
    same = first and second and _bare_value(first) == _bare_value(second)
    return match["first"] + " " * (len(match.group()) - len(match["first"])) if same else match.group()


def _number(
    text: str, match: re.Match[str], own: tuple[str, Fraction] | None, shared: tuple[str, Fraction] | None
) -> Found:
    end = match.end()
    if own and not match["money"] and (after := _UNIT.match(text, end)):
        end = after.end()
    shown = text[match.start() : end].rstrip(" (")
    if (ratio := match["ratio"]) == "24/7":
        named = ["always"]
    elif ratio:
        named, value = [f"ratio:{ratio}"], _ratio(ratio)
        named += _keys(value, own) if value is not None else []
    else:
        value = _value(match)
        named = _keys(value, own) + _aged(text, match, own)
        named += _cents(text, match, value)
        named += [] if own or shared else _hour(text, match, value)
        if value == 1 and own is None and (noun := _NOUN.match(text, match.end())):
            named.append(f"one {noun[1].lower()[:6]}")
        named += _keys(value, shared) if shared else []
        named += _keys(-value, own) if (match["sign"] or "").strip() == "minus" else []
    return Found(shown=shown, keys=keys(*named), at=match.start(), strict=_counts(text, match, own))


def _cents(text: str, match: re.Match[str], value: Fraction) -> list[str]:
    """Return the amounts that "two cents" may be."""
    if not (cents := _CENTS.match(text, match.end())):
        return []
    return [
        f"{value / 100} {unit}" for unit in (("gbp",) if cents["pence"] else ("usd", "eur", "cad", "aud"))
    ]


def _aged(text: str, match: re.Match[str], unit: tuple[str, Fraction] | None) -> list[str]:
    """Return the plain number of an age: "12 years of age" is 12."""
    aged = _AGE.match(text, match.end()) or (
        _YEARS.match(text, match.end()) and _THAN.search(text[: match.start()][-12:])
    )
    if unit is None and _AGED.search(text[: match.start()][-20:]):
        return _keys(_value(match), _UNITS["year"])  # "aged 6 to 12"
    return _keys(_value(match), None) if unit and aged else []


def _hour(text: str, match: re.Match[str], value: Fraction) -> list[str]:
    """Return the time that a bare number of a range may be: "8-18", "from 9 to 5"."""
    if value.denominator != 1 or not 0 <= value <= 24 or not (match["digits"] or match["written"]):
        return []
    near = text[max(0, match.start() - 20) : match.end() + 12]
    placed = _AT.search(text[: match.start()][-12:]) and _NO_NOUN.match(text, match.end())
    if not (placed or _HOURS.search(near)):
        return []
    hour = int(value)
    return [f"time:{hour % 24 * 60}", *([f"time:{hour * 60 + 720}"] if 0 < hour < 12 else [])]


def _counts(text: str, match: re.Match[str], unit: tuple[str, Fraction] | None) -> bool:
    """Tell whether this is a number and not a turn of phrase."""
    written = (match["written"] or "").lower()
    if _QUARTERS.match(text, match.end()):
        return False  # "three quarters of an hour"
    if match["loose"] or written in {"one", "zero"}:
        single = _THE_ONE.search(text[: match.start()][-8:])
        return unit is not None and not single and (match["loose"] or written) in {"one", "zero", "half"}
    if written and (
        _FILLER_NOUNS.match(text, match.end()) or written.split()[0] in _LARGE or written[:2] == "a "
    ):
        return unit is not None
    return True


def _keys(value: Fraction, unit: tuple[str, Fraction] | None) -> list[str]:
    if unit is None:
        return [f"{value}"] + ([f"{value * 100} percent"] if value == Fraction(1, 2) else [])
    name, size = unit
    return [f"{value * size} {name}"] + (
        [f"{value / 100}"] if name == "percent" and value == Fraction(50) else []
    )


def _value(match: re.Match[str]) -> Fraction:
    value = _bare_value(match) + (Fraction(1, 2) if match["half"] else 0)
    return -value if (match["sign"] or "").lower().strip() in {"-", "minus"} else value


def _bare_value(match: re.Match[str]) -> Fraction:
    if vulgar := match["vulgar"]:
        return int(match["whole"] or 0) + _FRACTIONS[vulgar]
    if digits := match["digits"]:
        large = {"bn": 10**9}.get((match["large"] or "").lower()) or _LARGE.get(
            (match["large"] or "").lower(), 1
        )
        return _digits(digits) * large * (1000 if match["k"] else 1)
    if written := match["written"]:
        return Fraction(_written(written))
    if third := match["third"]:
        return Fraction(_ORDINALS[third.lower()])
    return Fraction(_LOOSE[match["loose"].lower()] if match["loose"] else _COUNTED[match["counted"].lower()])


def _digits(text: str) -> Fraction:
    if re.fullmatch(r"\d{1,3}(?:[,'\u2009]\d{3})+(?:\.\d+)?", text):
        return Fraction(re.sub(r"[,'\u2009]", "", text))
    return Fraction(text.replace(",", "."))


def _ratio(text: str) -> Fraction | None:
    above, below = map(int, text.split("/"))
    return Fraction(above, below) if 0 < above < below <= 10 else None


def _written(text: str) -> int:
    total = part = 0
    for word in re.split(r"[\s-]+", text.lower()):
        if word in _LARGE:
            part = max(part, 1) * _LARGE[word]
            if _LARGE[word] > 100:
                total, part = total + part, 0
        elif word in _WORDS:
            part += _WORDS[word]
    return total + part


def _unit_after(text: str, match: re.Match[str]) -> tuple[str, Fraction] | None:
    if match["money"]:
        return _UNITS[match["money"].strip().lower()]
    if match["ordinal"] or match["third"] or (match["loose"] or "").lower() == "first":
        return None
    after = _UNIT.match(text, match.end())
    unit = _unit(after["unit"]) if after else None
    if unit and _BUSINESS.match(text, match.end()):
        return f"{unit[0]} business", unit[1]
    if unit is None and (far := _FAR_UNIT.match(text, match.end())):
        return _unit(far["unit"])
    return unit


def _unit(word: str) -> tuple[str, Fraction] | None:
    name = re.sub(r"\s+", " ", word.lower().replace("° ", "°"))
    return _UNITS.get(name) or (_UNITS.get(name[:-1]) if name.endswith("s") and len(name) > 2 else None)


def _article(match: re.Match[str]) -> Found:
    """Read "a day", "half an hour", "an hour and a half": they stand for a number and are none by themselves."""
    word = (match["word"] or "per").lower()
    unit = _unit(match["unit"]) if len(match["unit"]) > 2 or word in _EACH else None
    part = next((size for name, size in _PARTS.items() if name in word), None)
    value = (part or Fraction(1)) + (Fraction(1, 2) if match["half"] else 0)
    named = _keys(value, unit) if unit else [f"one {match['unit'].lower()[:6]}"]
    if word in _EACH and unit:
        named += [f"each {name}" for name in named]
    if match["business"]:
        named = [f"{name} business" for name in named]
    return Found(
        shown=match.group(),
        keys=keys(*named),
        at=match.start(),
        strict=bool(unit and (part or match["half"] or word in _EACH or match["slash"]))
        and not (word == "every" and _EVERY_OTHER.match(match.string, match.start()))
        and not _BUT.match(match.string, match.end()),
    )


def _is_time(unit: tuple[str, Fraction]) -> bool:
    return unit[0] in {"time", "month"}


def _always(match: re.Match[str]) -> Found:
    return Found(shown=match.group(), keys=keys("always"), at=match.start(), strict=False)


def _rate(match: re.Match[str]) -> Found:
    again = match["again"]
    unit = _UNITS[again or _RATE[match.group()]]
    told = again is None and match.group() not in _LOOSE_RATES
    (key,) = _keys(Fraction(1), unit)
    return Found(shown=match.group(), keys=keys(key, f"each {key}"), at=match.start(), strict=told)
