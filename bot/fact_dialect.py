"""Dialects and old English in the words that the rules know: "willnae" is "will not", "shalt" is "shall"."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re

# Scots and northern verbs with "-na" or "-nae" behind them.
_VERBS = {
    "ca": "can", "can": "can", "cud": "could", "could": "could", "cou'd": "could", "wil": "will", "will": "will", "win": "will",
    "wo": "will", "wul": "will", "wud": "would", "wad": "would", "wid": "would", "would": "would", "di": "do", "din": "do",
    "dun": "do", "do": "do", "dae": "do", "dis": "does", "does": "does", "did": "did", "hae": "have", "ha": "have", "hav": "have",
    "have": "have", "hin": "have", "hes": "has", "has": "has", "had": "had", "is": "is", "wis": "was", "wiz": "was", "was": "was",
    "ar": "are", "are": "are", "were": "were", "wer": "were", "shud": "should", "shid": "should", "should": "should", "mus": "must",
    "mun": "must", "maun": "must", "must": "must", "need": "need", "may": "may", "mey": "may", "sha": "shall", "shan": "shall",
    "dar": "dare", "dare": "dare", "daur": "dare",
}  # fmt: skip
_NOT = re.compile(
    rf"\b(?P<verb>{'|'.join(sorted(_VERBS, key=len, reverse=True))})n?na(?P<e>e?)\b", re.IGNORECASE
)
_NO_SCOTS = frozenset({"arena"})
_WORDS = {
    "nae": "no", "nane": "none", "nowt": "nothing", "nuthin": "nothing", "nuthin'": "nothing", "nothin": "nothing",
    "nothin'": "nothing", "nuffin": "nothing", "nuffin'": "nothing", "naethin": "nothing", "naethin'": "nothing",
    "naething": "nothing", "naebody": "nobody", "nobbut": "only", "ne'er": "never", "nivver": "never", "niver": "never",
    "nevah": "never", "owt": "anything", "summat": "something", "mornin": "morning", "mornin'": "morning", "evenin": "evening",
    "evenin'": "evening", "morn": "morning", "afore": "before", "ere": "before", "efter": "after", "aboot": "about",
    "mebbe": "may be", "gie": "give", "gies": "gives", "tak": "take", "taks": "takes", "mak": "make", "maks": "makes",
    "ivery": "every", "ilka": "every", "fower": "four", "twa": "two", "yin": "one", "yince": "once", "oot": "out", "doon": "down",
    "shalt": "shall", "wilt": "will", "canst": "can", "mayst": "may", "mayest": "may", "dost": "do", "doest": "do", "doth": "does",
    "hast": "have", "hath": "has", "wert": "were", "shouldst": "should", "wouldst": "would", "couldst": "could",
    "needst": "need", "needeth": "needs", "munnot": "must not", "mun": "must", "maun": "must", "dunt": "do not", "doan't": "don't",
    "wi'": "with", "o'": "of", "an'": "and", "tae": "to", "frae": "from",
}  # fmt: skip
_SAID = re.compile(
    rf"(?<![\w'`/.-])(?:{'|'.join(sorted(map(re.escape, _WORDS), key=len, reverse=True))})(?![\w`/-]|'\w|\.\w)",
    re.IGNORECASE,
)
_CUT = re.compile(r"(?<=\s)(?P<begins>[A-Za-z]{2,})in'(?=[\s,.;:!?])")
_OLD = re.compile(r"(?<![\w'`/.-])(?!teeth\b)(?P<begins>[a-z]{2,}(?<!i))eth(?![\w`/.-])")
# Signs without which a text holds none of these.
_MAY = re.compile(
    r"na\b|nae|in'\s|in'[,.;:!?]|eth\b|wt\b|st\b|th\b|uth|uff|not?hin|n[ei]v|e'er|mat\b|morn|even|efor|\bere\b|efte|abo|\bm[aeu]|\bgie|\bta[ek]|\biv|\bil|\bfo|\btw|\byi|oo|\bwi|o'|an'|lt\b|\bne'|nob|nane|dunt|doan|frae",
    re.IGNORECASE,
)


def plain_english(text: str) -> str:
    """Return a text with the words of dialects written as the rules know them."""
    if not _MAY.search(text):
        return text
    text = _CUT.sub(lambda match: f"{match['begins']}ing", text)
    text = _NOT.sub(_denied, text)
    text = _SAID.sub(lambda match: _like(match.group(), _WORDS[match.group().lower()]), text)
    return _OLD.sub(lambda match: f"{match['begins']}es", text)


def _denied(match: re.Match[str]) -> str:
    if match.group().lower() in _NO_SCOTS:
        return match.group()
    return _like(match.group(), f"{_VERBS[match['verb'].lower()]} not")


def _like(written: str, said: str) -> str:
    """Begin with a capital where the other one does."""
    return said.capitalize() if written[:1].isupper() else said
