"""Whether a sentence stands on the passages that it cites, told without a model.

An exact check: each number, name, link and piece of quoted code in the sentence must occur in the
evidence. And a measured one: the share of the sentence's content words that occur there; its threshold
comes from people's judgements (`tests/benchmarks/grounding.py`, `docs/benchmarks.md`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kb.words import stem

SHARE_NEEDED = 0.7

_MARKER = re.compile(r"\[\d{1,2}\]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,.'’:/-]*")
_CODE = re.compile(r"`+([^`\n]+?)`+")
_QUOTED = re.compile(r"(?<!\w)[\"“„«](?=\w)([^\"“”„«»\n]{12,})[\"”“»](?!\w)")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>)\]\"']+", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LITERAL = (_CODE, _QUOTED, _LINK, _ADDRESS)
_IDENTIFIER = re.compile(r"(?<![\w@/])[A-Za-z][\w-]*(?:[._/:-][\w-]+)*")
_ORDINAL = re.compile(r"^\s*(?:[-*+•]\s+)?\d{1,3}[.)]\s+")
_ABOUT_TO_LIST = re.compile(r"[:：]\s*$")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_NUMBER_WORDS_TEXT = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = tuple(_NUMBER_WORDS_TEXT.split())
_NUMBER_OF = {word: str(number) for number, word in enumerate(_NUMBER_WORDS)} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
    "first": "1",
    "second": "2",
    "third": "3",
    "fourth": "4",
    "fifth": "5",
}
_PLAIN_WORDS_TEXT = """
    a about above after again all also although always am an and any are as at be because been before
    being below between both but by can cannot could did do does doing done down during each either else
    etc even ever every few for from further get gets had has have having he her here hers him his how
    however i if in into is it its itself just let like many may me might more most much must my neither
    no nor not now of off on once only or other others our ours out over own per please rather s same
    shall she should since so some such t than that the their theirs them then there therefore these
    they this those through thus to too under until up upon us very via was we were what when where
    whether which while who whom whose why will with within without would yes yet you your yours don
    doesn isn aren won can't don't doesn't isn't it's that's you're according answer document documents
    documentation mentions mentioned passage passages says said states stated
"""
_PLAIN_WORDS = frozenset(_PLAIN_WORDS_TEXT.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the check of one sentence found. `missing` names what the evidence does not hold."""

    supported: bool
    share: float
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The text of cited passages, prepared for many look-ups."""

    text: str
    stems: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Evidence:
        """Prepare passages; titles and headings belong into `texts` as well."""
        text = plain("\n".join(texts))
        return cls(text=text, stems=frozenset(map(stem, words(text))), numbers=frozenset(numbers(text)))

    def holds(self, phrase: str) -> bool:
        """Tell whether the phrase occurs literally, whatever its case and spacing."""
        return plain(phrase) in self.text


def plain(text: str) -> str:
    """Return the text in one case, one kind of space and one form of each character."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """Return the words of a plain text; a run of CJK characters gives its pairs."""
    found = [word.replace("’", "'").removesuffix("'s") for word in _WORD.findall(text)]
    if not _CJK.search(text):
        return found
    return [part for word in found for part in _pairs(word)]


def _pairs(word: str) -> list[str]:
    if len(word) < 2 or not _CJK.search(word):
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def numbers(text: str) -> set[str]:
    """Return every number of a text, written-out small ones too, in one form."""
    found = {_one_form(number) for number in _NUMBER.findall(text)}
    found.update(part for number in tuple(found) for part in re.findall(r"\d+(?:\.\d+)?", number))
    found.update(_one_form(number) for number in re.findall(r"\d+(?:[.,]\d+)*", text))
    found.update(_NUMBER_OF[word] for word in words(plain(text)) if word in _NUMBER_OF)
    return found


def _one_form(number: str) -> str:
    bare = number.strip(".,:/-+'’")
    return re.sub(r"(?<=\d)[,'’](?=\d{3}(?!\d))", "", bare)


def content_words(sentence: str) -> list[str]:
    """Return the words of a sentence that carry its meaning, markers left out."""
    text = plain(_MARKER.sub(" ", sentence))
    return [word for word in words(text) if word not in _PLAIN_WORDS]


def share_supported(sentence: str, evidence: Evidence) -> float:
    """Return which share of the sentence's content words the evidence holds; 1 when it has none."""
    wanted = content_words(sentence)
    if not wanted:
        return 1.0
    held = sum(_holds_word(word, evidence) for word in wanted)
    return held / len(wanted)


def _holds_word(word: str, evidence: Evidence) -> bool:
    return stem(word) in evidence.stems or _NUMBER_OF.get(word, word) in evidence.numbers


def states_fact(sentence: str) -> bool:
    """Tell whether a sentence claims something; a lead-in such as "Do this:" does not."""
    text = _ORDINAL.sub("", _MARKER.sub(" ", sentence)).strip(" \t#>*-_|")
    wanted = content_words(text)
    if _ABOUT_TO_LIST.search(text):
        return bool(_literals(text) or _names(_without_literals(text)))
    return len(wanted) >= 2 or any(char.isdigit() for char in text)


def check(sentence: str, evidence: Evidence) -> Verdict:
    """Check one sentence against the passages it cites."""
    text = _ORDINAL.sub("", _MARKER.sub(" ", sentence))
    bare = _without_literals(text)
    missing = [claim for claim in _literals(text) if not evidence.holds(claim)]
    missing += [name for name in _names(bare) if not _holds_name(name, evidence)]
    missing += [
        number
        for number in map(_one_form, _NUMBER.findall(bare))
        if number and number not in evidence.numbers and not evidence.holds(number)
    ]
    share = share_supported(text, evidence)
    return Verdict(
        supported=not missing and share >= SHARE_NEEDED, share=share, missing=tuple(dict.fromkeys(missing))
    )


def _literals(text: str) -> list[str]:
    """Return what must occur literally: code, long quotes, links, addresses."""
    return [found for pattern in _LITERAL for found in pattern.findall(text)]


def _holds_name(name: str, evidence: Evidence) -> bool:
    parts = words(plain(name))
    return evidence.holds(name) or (name.isalpha() and all(stem(part) in evidence.stems for part in parts))


def _without_literals(text: str) -> str:
    for pattern in _LITERAL:
        text = pattern.sub(" ", text)
    return text


def _names(text: str) -> list[str]:
    """Return identifiers, and capitalised words that do not begin the sentence."""
    found = []
    bare = text.lstrip(" \t#>*-_|\"'(")
    for match in _IDENTIFIER.finditer(bare):
        word = match.group().rstrip(".-:/")
        before = bare[: match.start()].rstrip()
        if _is_name(word, begins=not before or before[-1] in '.!?:|*"'):
            found.append(word)
    return found


def _is_name(word: str, *, begins: bool) -> bool:
    if plain(word) in _PLAIN_WORDS or len(word) < 2:
        return False
    odd_inside = any(char.isupper() or char.isdigit() or char == "_" for char in word[1:])
    dotted = all(len(part) > 1 for part in word.split(".")) and "." in word
    return odd_inside or dotted or (word[0].isupper() and not begins)
