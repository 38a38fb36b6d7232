"""Whether a chat message asks something that documents might answer. Pure: rules with hand-set weights.

A message counts for what it asks, and against that for whom it speaks to: banter, a word to a certain person
or a question about the conversation itself is nothing for a bot that nobody called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from bot import question_signs as phrases

THRESHOLD = 0.5
LONGEST = 2_000  # what is longer is read no further

_BIAS = -2.6
_WEIGHTS: Mapping[str, float] = {
    "mark": 2.7,
    "opens": 1.9,
    "wh_inverted": 0.8,
    "inverted": 0.5,
    "inside": 1.2,
    "help": 2.7,
    "need": 1.0,
    "long": 0.5,
    "short": -1.2,
    "tiny": -2.0,
    "small_talk": -4.0,
    "to_someone": -3.2,
    "to_you": -1.3,
    "tag": -1.2,
    "vague": -0.7,
    "replies": -0.9,
}

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_URL = re.compile(r"<?\w{2,10}://[^\s>]+>?|\bwww\.\S+")
_QUOTED = re.compile(r"(?m)^[ \t]*>.*$")
_COMMAND = re.compile(r"\s*[!/][a-zA-Z]")
_SENTENCE = re.compile(r"(?<=[.!?…。？！])\s+|\n+|\s[-–—]\s|\.\.+|[;¿]")
_WORD = re.compile(r"\w[\w'-]*")
_MARK = re.compile(r"[?？؟](?![\w=&/])")
# 中文, 日本語: no spaces, so that words say nothing of length.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NAME = re.compile(r"\s*(?:@([\w.-]+)|([^\s:,@]{2,30}) ?[:,]+(?=\s|$))")
_TOPIC = re.compile(r"[A-Z]{2,6}")  # VPN: how do I …
_EVERYBODY = frozenset({"here", "channel", "everyone"})


def is_question(text: str) -> bool:
    """Tell whether a message reads like a question to whoever knows."""
    return question_score(text) >= THRESHOLD


def question_score(text: str) -> float:
    """Return how much a message reads like a question to whoever knows, between 0 and 1."""
    if _COMMAND.match(text):
        return 0.0
    total = _BIAS + sum(_WEIGHTS[name] for name, holds in signs(text).items() if holds)
    return 1 / (1 + math.exp(-total))


def signs(text: str) -> dict[str, bool]:
    """Return what speaks for and against a question, by name."""
    plain = _QUOTED.sub(" ", _URL.sub(" link ", _CODE.sub(" code ", text[:LONGEST]))).replace("’", "'")
    name = _named(plain)
    said = plain[name.end() :] if name else plain
    bare = [words for words in map(_bare, _SENTENCE.split(said)) if words]
    whole = " ".join(bare)
    words = len(_WORD.findall(said)) + len(_UNSPACED.findall(said)) // 2
    mark = _MARK.search(said) is not None
    return {
        "mark": mark,
        "opens": _any(phrases.OPENS, bare),
        "wh_inverted": _any(phrases.WH_INVERTED, bare),
        "inverted": _any(phrases.INVERTED, bare),
        "inside": phrases.INSIDE.search(whole) is not None,
        "help": not mark and phrases.HELP.search(said.lower()) is not None,
        "need": phrases.NEED.search(whole) is not None,
        "long": words >= 9,
        "short": words < 3,
        "tiny": words < 2,
        "small_talk": phrases.SMALL_TALK.match(whole) is not None,
        "to_someone": name is not None,
        "to_you": phrases.TO_YOU.search(whole) is not None,
        "tag": mark and whole.rpartition(" ")[2] in phrases.TAGS,
        "vague": phrases.VAGUE.match(whole) is not None,
        "replies": phrases.REPLIES.match(" ".join(_WORD.findall(said[:40].lower()))) is not None,
    }


def _named(text: str) -> re.Match[str] | None:
    """Find whom a message speaks to by name at its start, if that is neither everybody nor a topic."""
    found = _NAME.match(text)
    if found is None:
        return None
    name = found[1] or found[2]
    lower = name.lower()
    if found[1]:
        return None if lower in _EVERYBODY else found
    known = lower in phrases.NO_NAMES or lower in phrases.GREETINGS or lower.endswith(("ing", "ed", "ly"))
    return None if known or _TOPIC.fullmatch(name) else found


def _bare(sentence: str) -> str:
    """Return a sentence's words alone, without the greeting before them."""
    words = _WORD.findall(sentence.lower())
    start = 0
    while start < len(words) - 1 and words[start] in phrases.GREETINGS:
        start += 1
    return " ".join(words[start:])


def _any(pattern: re.Pattern[str], sentences: Sequence[str]) -> bool:
    return any(pattern.match(sentence) for sentence in sentences)
