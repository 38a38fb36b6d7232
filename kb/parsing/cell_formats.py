"""Numbers of a workbook as their cell shows them: as shares of a hundred, and with their currency."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from kb.parsing.tables import cell_text

_CURRENCY = re.compile(
    r"\[\$([^\]\-]{1,8})(?:-[^\]]{0,12})?\]|\"\s?([^\"\d]{0,2}[€$£¥₹]|[A-Z]{3})\s?\"|([€$£¥₹])"
)
_DIGIT = re.compile(r"[0#?]")
_DECIMALS = re.compile(r"0\.(0{1,6})")

Place = Literal["before", "after", "none"]


def shown(value: object, number_format: str) -> str:
    """Return a cell's value as text: 0.15 in a percent format is `15%`, 9.9 in a euro format `9.90 €`."""
    if not isinstance(value, int | float) or isinstance(value, bool) or number_format == "General":
        return cell_text(value)
    if "%" in number_format:
        return f"{value * 100:.10g}%"
    symbol, place, decimals = _money(number_format)
    if place == "none":
        return cell_text(value)
    amount = f"{value:.{decimals}f}" if decimals else cell_text(value)
    return f"{symbol}{_gap(symbol)}{amount}" if place == "before" else f"{amount} {symbol}"


def _gap(symbol: str) -> str:
    return " " if symbol[-1].isalpha() else ""


@lru_cache(maxsize=256)
def _money(number_format: str) -> tuple[str, Place, int]:
    """Return a format's currency, where it stands, and the decimals; the part for positive numbers counts."""
    positive = number_format.split(";", 1)[0]
    currency, digit = _CURRENCY.search(positive), _DIGIT.search(positive)
    if currency is None or digit is None:
        return "", "none", 0
    symbol = next(group for group in currency.groups() if group).strip()
    decimals = _DECIMALS.search(positive)
    place: Place = "before" if currency.start() < digit.start() else "after"
    return symbol, place if symbol else "none", len(decimals[1]) if decimals else 0
