"""Who does what to whom, from where to where, both or either: roles that a rewrite turned round."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.facts import meaning, root, small
from kb.words import stem

_SENTENCE = re.compile(r"[.!?;:\n](?=\s|$)|[()|]")
_ARROW = re.compile(r"\s*(?:->|=>|→|⇒|➡️?)\s*")
_FROM = re.compile(r"\b(?P<way>from|to|unto|into)\s+(?:(?:the|a|an|our|your|yer|their)\s+)?")
_WAY_ENDS = re.compile(
    r"\b(?:to|unto|into|from|through|until|till|and|or|in|on|at|by|for|with|is|are|was|were)\b|,"
)
_BE = r"(?:am|is|are|was|were|be|been|being|gets?|got|isn't|aren't|wasn't|weren't)"
_PASSIVE = re.compile(
    rf"\s{_BE}\s+(?:(?:\w+ly|last|first|next|also|not|only|now|then|first|already|always|never)\s+)?(?P<verb>\w{{3,}})"
    r"(?P<rest>(?:\s+(?!by\b|and\b|or\b|but\b)[\w'-]+){0,8}?)\s+by\s+(?P<agent>[^.!?;:,\n]{2,60})"
)
_PASSIVELY = re.compile(rf"\b{_BE}\b")
_STOP = re.compile(r"[.!?;:,\n]")
_IRREGULAR = {
    "written": "writ", "wrote": "writ", "writes": "writ", "sent": "send", "paid": "pay", "made": "mak", "built": "build",
    "bought": "buy", "sold": "sell", "kept": "keep", "held": "hold", "given": "giv", "gave": "giv", "taken": "tak",
    "took": "tak", "led": "lead", "run": "run", "ran": "run", "chosen": "choos", "chose": "choos", "done": "do", "won": "win",
    "lost": "los", "found": "find", "told": "tell", "taught": "teach", "read": "read", "set": "set", "put": "put",
    "cut": "cut", "brought": "bring", "caught": "catch", "drawn": "draw", "drew": "draw", "driven": "driv", "drove": "driv",
}  # fmt: skip
_BOTH = re.compile(r"\bboth\b[^.!?;\n]{1,60}\band\b")
_EITHER = re.compile(r"\b(?:either|one of|any one of)\b[^.!?;\n]{1,60}\bor\b")
_LISTED = re.compile(
    r"(?P<one>[\w-]+)(?P<comma>,)?\s+(?P<word>and|or)\s+(?:(?:an?|the|your|their|its|our)\s+)?(?P<other>[\w-]+)"
)
_DEMANDS = re.compile(r"\b(?:must|ha(?:s|ve) to|needs?(?: to)?|required?|requires|mandatory|shall)\b")
_DENIES = re.compile(r"\b(?:not|no|never|neither|nor|without|cannot|except|unless|[a-z]+n't)\b")
_WORD = re.compile(r"[\w%$€£'-]+")


def turned_roles(draft: str, written: str) -> Iterator[str]:
    """Yield what a rewrite turned round. The texts hold no markers, and a word for each literal."""
    draft, written = small(draft), small(written)
    yield from _ways(draft, written)
    yield from _agents(draft, written)
    yield from _connections(draft, written)


def _ways(draft: str, written: str) -> Iterator[str]:
    """Yield where something comes from in one text and goes to in the other."""
    was, now = _directions(draft), _directions(written)
    told = frozenset(word for sentence in was for words in sentence.values() for word in words)
    for sentence in now:
        if not sentence.get("from", frozenset()) & told:
            continue
        for before in was:
            if _opposite(before, sentence):
                yield f"from {' '.join(sorted(before.get('from', ()) or before.get('to', ())))}"
                return


def _opposite(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> bool:
    """Tell whether what was "from" is "to" now and none stays what it was."""
    none = frozenset[str]()
    crossed = (
        before.get("from", none) & after.get("to", none)
        or before.get("from", none) & after.get("other", none),
        before.get("to", none) & after.get("from", none)
        or before.get("other", none) & after.get("from", none),
    )
    stays = before.get("from", none) & after.get("from", none) or before.get("to", none) & after.get(
        "to", none
    )
    return all(crossed) and not stays


@lru_cache(maxsize=512)
def _directions(text: str) -> tuple[dict[str, frozenset[str]], ...]:
    """Return for each sentence with a "from" what stands behind it, behind a "to", and elsewhere."""
    found: list[dict[str, frozenset[str]]] = []
    for sentence in _SENTENCE.split(text):
        plain = _arrows_as_words(sentence)
        if not re.search(r"\bfrom\b", plain):
            continue
        ways: dict[str, set[str]] = {"from": set(), "to": set()}
        taken: set[str] = set()
        for match in _FROM.finditer(plain):
            following = _WAY_ENDS.split(plain[match.end() :], maxsplit=1)[0]
            words = [_role(word) for word in _WORD.findall(following)[:3]]
            ways["from" if match["way"].lower() == "from" else "to"].update(words)
            taken.update(words)
        other = {_role(word) for word in meaning(plain)} - taken
        unit = ways["from"] & ways["to"]
        ways = {way: words - unit for way, words in ways.items()}
        found.append({"other": frozenset(other), **{way: frozenset(words) for way, words in ways.items()}})
    return tuple(found)


def _arrows_as_words(sentence: str) -> str:
    """Write "5 s → 30 s" as "from 5 s to 30 s"."""
    if not (arrow := _ARROW.search(sentence)):
        return sentence
    before = sentence[: arrow.start()].split()
    at = max((number for number, word in enumerate(before) if word[:1].isdigit()), default=len(before) - 1)
    return " ".join([*before[:at], "from", *before[at:], "to", sentence[arrow.end() :]])


def _role(word: str) -> str:
    return root(word.casefold())


def _agents(draft: str, written: str) -> Iterator[str]:
    """Yield the deeds that are done by whom they were done to."""
    for passive, active in ((draft, written), (written, draft)):
        if " by " not in passive:
            continue
        for match in _PASSIVE.finditer(passive):
            before = _STOP.split(passive[max(0, match.start() - 80) : match.start()])[-1]
            patient, agent = _roles(before), _roles(match["agent"])
            if patient & agent or not (patient and agent):
                continue
            if _reversed(_verb(match["verb"]), patient, agent, active):
                yield " ".join(match.group().split())[:60]


def _reversed(verb: str, patient: frozenset[str], agent: frozenset[str], text: str) -> bool:
    """Tell whether a text says that the patient does this to the agent, and nowhere the other way round."""
    right = wrong = 0
    for sentence in _SENTENCE.split(text):
        words = _WORD.findall(sentence)
        for at, word in enumerate(words):
            if _verb(word) != verb or (
                "by" not in words[at + 1 : at + 9] and _PASSIVELY.search(" ".join(words[max(0, at - 3) : at]))
            ):
                continue  # it is not told there by whom
            before, after = (
                _roles(" ".join(words[max(0, at - 6) : at])),
                _roles(" ".join(words[at + 1 : at + 9])),
            )
            if "by" in words[at + 1 : at + 9]:
                by = words.index("by", at)
                before, after = _roles(" ".join(words[by + 1 : by + 7])), before
            right += _score(agent, before, after) + _score(patient, after, before) > 0
            wrong += _score(agent, after, before) > 0 and _score(patient, before, after) > 0
    return wrong > 0 and not right


def _score(words: frozenset[str], here: frozenset[str], there: frozenset[str]) -> int:
    return len(words & here) - len(words & there)


@lru_cache(maxsize=4096)
def _roles(text: str) -> frozenset[str]:
    return frozenset(_role(word) for word in meaning(text))


def _verb(word: str) -> str:
    word = word.casefold()
    return _IRREGULAR.get(word) or stem(word)[:6]


def _connections(draft: str, written: str) -> Iterator[str]:
    """Yield what was to be both and may now be either, or the other way round."""
    if _EITHER.search(draft) and _BOTH.search(written) and not _EITHER.search(written):
        yield "either … or"
    elif _BOTH.search(draft) and _EITHER.search(written) and not _BOTH.search(written):
        yield "both … and"
    was, now = _lists(draft), _lists(written)
    for pair, (word, demanded) in was.items():
        if pair in now and now[pair][0] != word and (demanded or now[pair][1]):
            yield f"{word}: {' '.join(sorted(pair))}"


def _lists(text: str) -> dict[frozenset[str], tuple[str, bool]]:
    """Return the pairs that "and" or "or" joins in what nothing denies, and whether they are demanded."""
    found: dict[frozenset[str], tuple[str, bool]] = {}
    for sentence in _SENTENCE.split(text):
        if _DENIES.search(sentence):
            continue
        for match in _LISTED.finditer(sentence):
            pair = frozenset({_role(match["one"]), _role(match["other"])})
            if len(pair) == 2:
                found[pair] = match["word"].lower(), bool(_DEMANDS.search(sentence))
    return found
