"""Takes the voice out of a reply by rules: what is left is the draft that a rewrite begins with.

The rules are for English chat, beside those for emoji, marks and capitals, which any language takes. Facts
stay: numbers, names, code, links, negations and how certain a thing is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.persona_data.names import CODE

_EMOJI = re.compile(
    "[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0f\u200d]+|:[a-z][a-z0-9_+-]{1,40}:|"
    r"(?<!\w)(?:[:;=]['’]?-?[)(DPp/|*oO\\]+|[xX]D+|<3+|\^_?\^|\\o/|¯\\_\(ツ\)_/¯)(?!\w)"
)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,2}|~~)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_OPENERS = re.compile(
    r"^(?:(?:(?:ha){2,}h?|he(?:he)+|lol|lmao|rofl|hey|hi|hello|howdy|yo|oh|ah|aha|eh|ugh|hmm+|mm+|well|so|okay|"
    r"ok|k|yeah|yep|yup|sure|right|alright|look|listen|honestly|frankly|actually|basically|anyways?|tbh|"
    r"imo|imho|fwiw|btw|omg|wow|whoa|oops|man|dude|mate|folks|friends?|guys|all|there|thanks|thank you|thx|"
    r"cheers|good (?:morning|evening|question|catch)|great question|no worries|you know what)"
    r"\b[ ]*[,!.:;…–-]+\s*)+",
    re.IGNORECASE,
)
_TAILS = re.compile(
    r"(?:[,;–-]\s*(?:tbh|imo|imho|fwiw|mate|dude|folks|guys|cheers|thanks|thx|you know|y'know|innit|"
    r"my friends?|okay|right)|[,;–-]?\s*\b(?:lol|lmao|haha(?:ha)*|hehe))\s*(?=[.!?…]*$)",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"(?<=[\w,])(?<!not)(?<!n't) (?:really|totally|literally|kinda|sorta|kind of|sort of|actually|basically|"
    r"honestly|super|just(?! (?:\d|one|two|a|the)\b))(?= \w)",
    re.IGNORECASE,
)
_LENGTHENED = re.compile(r"\b([a-zA-Z]*?)([a-zA-Z])\2{2,}(\w*)\b")
_SPOKEN: Mapping[str, str] = {
    "gonna": "going to", "wanna": "want to", "gotta": "have to", "lemme": "let me", "gimme": "give me",
    "dunno": "do not know", "cuz": "because", "coz": "because", "cos": "because", "'cause": "because",
    "u": "you", "ur": "your", "ya": "you", "pls": "please", "plz": "please", "thx": "thanks",
    "ppl": "people", "yep": "yes", "yup": "yes", "yeah": "yes", "nope": "no", "nah": "no", "i": "I",
    "ain't": "is not", "y'all": "you all", "w/": "with", "w/o": "without", "bc": "because",
    "tho": "though", "thru": "through", "idk": "I do not know", "afaik": "as far as I know",
    "iirc": "if I remember correctly", "asap": "as soon as possible", "im": "I am", "ive": "I have",
    "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "cannot", "wont": "will not",
    "isnt": "is not", "arent": "are not", "shouldnt": "should not", "couldnt": "could not",
    "can't": "cannot", "won't": "will not", "shan't": "shall not", "let's": "let us", "i'm": "I am",
    "it's": "it is", "that's": "that is", "there's": "there is", "here's": "here is", "goin'": "going",
    "what's": "what is", "thats": "that is", "theres": "there is", "'em": "them", "'tis": "it is",
    "'twas": "it was",
}  # fmt: skip
_CONTRACTIONS = (
    (re.compile(r"\b(\w+)n't\b"), r"\1 not"),
    (re.compile(r"\b(\w+)'re\b"), r"\1 are"),
    (re.compile(r"\b(\w+)'ve\b"), r"\1 have"),
    (re.compile(r"\b(\w+)'ll\b"), r"\1 will"),
)
_WORD = re.compile(r"(?<![\w/.-])(?:'?[A-Za-z]+(?:'[A-Za-z]+)?'?|w/o?)(?![\w/]|\.\w)")
_SENTENCE_START = re.compile(r"(^|[.!?…]\s+|\n\s*(?:[-*]\s+|\d+\.\s+)?)([a-z])(?=[a-z]*(?:[\s,]|$))")
_SHOUTED = re.compile(r"[!?]*![!?]*")
_SENTENCE = re.compile(r"(?<=[.!?…])[ \t]+")
_JUST = re.compile(r"^(?:just|simply) (?=[a-z])", re.IGNORECASE)
_OPEN, _CLOSE = "\ue000", "\ue001"  # around the number of a piece of code
_HIDDEN = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_NO_STOP = re.compile(r"[./:]\S*$")  # an address, a path or a version ends with no full stop


def plain_draft(reply: str) -> str:
    """Return what a reply says, in plain words."""
    code: list[str] = []

    def hidden(found: re.Match[str]) -> str:
        code.append(found[0])
        return f"{_OPEN}{len(code) - 1}{_CLOSE}"

    lines = [" ".join(_sentences(line)) for line in CODE.sub(hidden, reply).split("\n")]
    text = _SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), "\n".join(lines))
    text = "\n".join(_ended(re.sub(r"[ \t]{2,}", " ", line).strip()) for line in text.split("\n"))
    text = _HIDDEN.sub(lambda found: code[int(found[1])], text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _sentences(line: str) -> list[str]:
    text = _EMPHASIS.sub(r"\2", _EMOJI.sub(" ", line.replace("’", "'")))
    text = _SHOUTED.sub(lambda found: "?" if "?" in found[0] else ".", text)
    text = re.sub(r"\.{2,}|…+", ".", text)
    return [plain for one in _SENTENCE.split(text.strip()) if (plain := _sentence(one))]


def _sentence(text: str) -> str:
    bare = _JUST.sub("", _OPENERS.sub("", text))
    bare = _TAILS.sub("", bare)
    bare = _FILLERS.sub("", bare)
    bare = _LENGTHENED.sub(_shortened, bare)
    bare = _WORD.sub(_spoken, bare)
    for pattern, whole in _CONTRACTIONS:
        bare = pattern.sub(whole, bare)
    bare = re.sub(r"\s+([,.;:!?])", r"\1", bare).strip(" ,;–")
    return bare if re.search(r"\w", bare) else ""


def _shortened(found: re.Match[str]) -> str:
    """Return `soooo` as `so`; what has no small letter may be an abbreviation."""
    if found[0].isupper():
        return found[0]
    return f"{found[1]}{found[2]}{found[3]}"


def _spoken(found: re.Match[str]) -> str:
    whole = _SPOKEN.get(found[0].lower())
    if whole is None or (found[0].isupper() and len(found[0]) > 1):
        return found[0]
    return whole[0].upper() + whole[1:] if found[0][0].isupper() else whole


def _ended(line: str) -> str:
    """Give a sentence its full stop."""
    last = line.rpartition(" ")[2]
    if line == last or line.startswith("#") or _NO_STOP.search(last):
        return line
    return f"{line}." if re.search(rf"[\w{_CLOSE}][)\]\"'*]*$", line) else line
