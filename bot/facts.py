"""What a fact of a text is, and how the parts that were read are taken out of it without moving the rest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LETTERS = str.maketrans(
    {"’": "'", "‘": "'", "\u02bc": "'", "\u2212": "-", "\u2011": "-", "\u00a0": " ", "\u202f": " "}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A fact in a text. Two are the same where they share a key; `at` is where it begins.

    One that is not `strict` may stand for a fact of the other text and is none by itself: "a day" for 24 h.
    """

    shown: str
    keys: frozenset[str]
    at: int
    strict: bool = True


def one_form(text: str) -> str:
    """Return the text with one kind of apostrophe, minus and space."""
    return unicodedata.normalize("NFC", text).translate(_LETTERS)


def take(text: str, pattern: re.Pattern[str]) -> tuple[str, list[re.Match[str]]]:
    """Return the text with each match blanked out, and the matches."""
    matches = [match for match in pattern.finditer(text) if match.group().strip()]
    return blank(text, (match.span() for match in matches)), matches


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Replace spans by something as long that is neither a word nor the end of a sentence."""
    for start, end in spans:
        text = f"{text[:start]}{_filler(end - start)}{text[end:]}"
    return text


def _filler(length: int) -> str:
    """Keep what was there one word that says nothing: a name after it does not begin a sentence."""
    return "\x01" * length


def keys(*found: str) -> frozenset[str]:
    """Return the keys of a Found."""
    return frozenset(found)


def all_keys(found: Iterable[Found]) -> frozenset[str]:
    """Return every key of these facts."""
    return frozenset(key for one in found for key in one.keys)


def strict(found: Iterable[Found]) -> Iterator[Found]:
    """Yield the facts that count by themselves."""
    return (one for one in found if one.strict)
