"""The words of a text as retrieval compares them: one case, English endings cut, CJK in pairs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_JOINED_SCRIPT = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_PARTICLES = re.compile(r"[\u3040-\u309f]{1,2}")  # Japanese grammar is written in hiragana
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_QUESTION_WORDS = """
    a about an and any are as at be been being but by can could did do does for from had has have how i if
    in into is it its many me much my no not of on or our shall should so some such than that the their
    them then there these they this those to was we were what when where which while who whom whose why
    will with would you your
    что как где когда кто какой какая какие сколько почему ли это для или
    什么 多少 哪里 哪个 哪些 如何 怎么 怎样 为什 为何 是否 几个 请问 什麼 哪裡 哪個 怎麼 為什 為何
"""
_PLAIN = frozenset(_QUESTION_WORDS.split())
_ENDING = re.compile(r"(?<=\w\w\w)(?:ations|ation|ments|ment|ings|ing|ied|ies|ers|ed|er|es|ly|s|e|y)$")


def words(text: str) -> list[str]:
    """Return the words in order, folded; runs of scripts without spaces give their character pairs."""
    found: list[str] = []
    for word in _WORD.findall(_folded(text)):
        if word.isascii() or not _JOINED_SCRIPT.search(word):
            found.append(stem(word))
        else:
            found.extend(_pairs(word))
    return found


def words_at(text: str, starts: Iterable[int]) -> tuple[str, ...]:
    """Return the folded word around each character, or "" where there is none; `starts` ascend."""
    found: list[str] = []
    spans = _WORD.finditer(text)
    span = next(spans, None)
    for start in starts:
        while span is not None and span.end() <= start:
            span = next(spans, None)
        within = span is not None and span.start() <= start
        found.append(stem(_folded(span.group())) if span is not None and within else "")
    return tuple(found)


def content_words(text: str) -> list[str]:
    """Return the words that carry a question's meaning; all of them when none does."""
    found = words(text)
    carrying = (word for word in found if word not in _PLAIN_STEMS and not _PARTICLES.fullmatch(word))
    return list(carrying) or found


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Cut an English ending, so that "released" meets "releases"."""
    return _ENDING.sub("", word, 1)


_PLAIN_STEMS = frozenset(map(stem, _PLAIN))


def coverage(question: Sequence[str], passage: Collection[str]) -> float:
    """Return which share of a question's words a passage has; long words weigh more."""
    total = sum(map(len, question))
    return sum(len(word) for word in question if word in passage) / total if total else 0.0


def is_mostly_latin(text: str) -> bool:
    """Tell whether most letters are Latin: the embedded model knows few words of other scripts."""
    letters = sum(char.isalpha() for char in text)
    return 2 * len(_LATIN.findall(text)) >= letters


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _pairs(word: str) -> list[str]:
    parts: list[str] = []
    end = 0
    for run in _JOINED_SCRIPT.finditer(word):
        parts += [stem(word[end : run.start()])] if run.start() > end else []
        characters = run.group()
        parts += [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
        end = run.end()
    return [*parts, stem(word[end:])] if end < len(word) else parts
