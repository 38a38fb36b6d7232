"""Currencies by their codes and by what people call them: "17 Swiss francs" is CHF 17."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

_CODE_TEXT = "usd eur gbp chf jpy sek nok dkk pln czk huf isk inr aud cad nzd hkd sgd cny brl mxn zar krw thb idr myr ils aed sar"
_CODES = frozenset(_CODE_TEXT.split())
_CALLED = {
    "usd": "us dollar,american dollar,u.s. dollar,greenback,buck,smacker,dollar",
    "eur": "euro",
    "gbp": "pound sterling,british pound,pounds sterling,sterling,pound,quid,nicker",
    "chf": "swiss franc,franc,schweizer franken,franken,stutz",
    "jpy": "japanese yen,yen",
    "sek": "swedish krona,swedish kronor,swedish crown,kronor,krona",
    "nok": "norwegian krone,norwegian kroner,norwegian crown",
    "dkk": "danish krone,danish kroner,danish crown",
    "pln": "polish zloty,polish złoty,zloty,złoty",
    "czk": "czech koruna,czech crown,koruna",
    "huf": "hungarian forint,forint",
    "inr": "indian rupee,rupee",
    "aud": "australian dollar,aussie dollar",
    "cad": "canadian dollar",
    "nzd": "new zealand dollar,kiwi dollar",
    "hkd": "hong kong dollar",
    "sgd": "singapore dollar",
    "cny": "chinese yuan,yuan,renminbi,rmb",
    "brl": "brazilian real",
    "zar": "south african rand",
    "krw": "korean won",
}
SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr", "zł": "pln"}
# What a unit of each may be called, in small letters; an "s" may follow.
CURRENCIES: dict[str, str] = (
    {code: code for code in _CODES}
    | {name: code for code, names in _CALLED.items() for name in names.split(",")}
    | SIGNS
)
# Names of two words, which a pattern has to know.
TWO_WORDS = "|".join(
    sorted((name for name in CURRENCIES if " " in name and "." not in name), key=len, reverse=True)
)
# What may stand before an amount.
BEFORE = rf"(?:[$€£¥₹]|(?:{'|'.join(sorted(_CODES))})(?![a-z]))"
