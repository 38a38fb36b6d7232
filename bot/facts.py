"""What a fact of a text is, and how the parts that were read are taken out of it without moving the rest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.grounding import content_words
from kb.words import stem

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


_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27a0\u27a2-\u27bf\u2b50\u2b55]|[0-9]?\ufe0f?\u20e3")
_JOINERS = re.compile("[\u200d\ufe0f]")


def one_form(text: str) -> str:
    """Return the text with one kind of apostrophe, minus and space; an emoji ends a line."""
    text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    return text if text.isascii() else _JOINERS.sub("", _EMOJI.sub("\n", text))


@lru_cache(maxsize=4096)
def meaning(text: str) -> tuple[str, ...]:
    """Return the words of a piece of text that carry its meaning."""
    return tuple(content_words(text))


# Verbs whose forms no ending tells.
_FORMS_TEXT = """
    use:used,using,uses pay:paid,pays keep:kept send:sent hold:held make:made,making
    take:took,taken,taking give:gave,given,giving write:wrote,written,writing leave:left,leaving
    lose:lost,losing buy:bought sell:sold build:built run:ran,running choose:chose,chosen,choosing
    break:broke,broken,breaking begin:began,begun find:found meet:met spend:spent bring:brought
    catch:caught teach:taught tell:told say:said see:saw,seen get:got,gotten,getting
    speak:spoke,spoken wear:wore,worn drive:drove,driven ride:rode,ridden eat:ate,eaten
    drink:drank,drunk sleep:slept stand:stood lead:led feed:fed do:done bear:borne
    forget:forgot,forgotten freeze:froze,frozen thaw:thawn
"""
_FORMS = {
    stem(form): stem(verb)
    for verb, _, forms in (entry.partition(":") for entry in _FORMS_TEXT.split())
    for form in forms.split(",")
}


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """Return a word's stem, cut so that its relatives meet."""
    cut = stem(stem(word))
    return _FORMS.get(cut, cut)[:6]


@lru_cache(maxsize=64)
def small(text: str) -> str:
    """Return a text in small letters, as long as it was."""
    small = text.lower()
    return (
        small
        if len(small) == len(text)
        else "".join(low if len(low := char.lower()) == 1 else char for char in text)
    )


def take(text: str, pattern: re.Pattern[str]) -> tuple[str, list[re.Match[str]]]:
    """Return the text with each match blanked out, and the matches."""
    matches = [match for match in pattern.finditer(text) if match.group().strip()]
    return (blank(text, [match.span() for match in matches]) if matches else text), matches


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
