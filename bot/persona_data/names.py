"""Names of people in running text, replaced where those people did not agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

SOMEONE = "someone"

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_WORD = re.compile(r"@?[^\W\d_][\w'’-]*(?:\.[\w-]+)*|@\w[\w.'’-]*")
_POSSESSIVE = re.compile(r"['’]s?$")
_SHORTEST = 3
# First names and surnames that are words too: they count only where a name is plain from their place.
_WORDS_TOO = frozenset(
    {"will", "mark", "may", "june", "april", "august", "grace", "hope", "faith", "joy", "bill", "art", "rose"}
    | {"jack", "pat", "sue", "guy", "rob", "drew", "chase", "max", "dean", "page", "young", "king", "long"}
    | {"brown", "green", "white", "black", "gray", "grey", "day", "case", "miles", "lane", "field", "stone"}
    | {"wood", "price", "rich", "frank", "ray", "dale", "gene", "iris", "lily", "daisy", "ruby", "amber"}
    | {
        "crystal",
        "summer",
        "autumn",
        "dawn",
        "eve",
        "ivy",
        "olive",
        "sky",
        "star",
        "sunny",
        "angel",
        "christian",
    }
    | {
        "major",
        "duke",
        "earl",
        "prince",
        "bishop",
        "pope",
        "law",
        "marshall",
        "ward",
        "park",
        "hill",
        "wells",
    }
    | {"banks", "brooks", "rivers", "snow", "winter", "frost", "fox", "wolf", "bush", "berry", "rice", "cook"}
    | {"baker", "mason", "carter", "taylor", "hunter", "fisher", "parker", "porter", "turner", "walker"}
    | {"smith", "miller", "best", "good", "love", "wise", "moon", "star", "sage", "reed", "cliff", "glen"}
    | {"bob", "don", "ken", "norm", "peg", "penny", "robin", "harry", "jay", "kit", "lance", "van", "von"}
    | {"admin", "bot", "dev", "team", "user", "test", "guest", "support", "help", "info", "all", "here"}
    | {"everyone", "channel", "general", "random", "system", "server", "data", "alpha", "beta", "root", "the"}
    | {"and", "you", "not", "but", "for", "with", "from", "this", "that", "they", "have", "was", "are", "can"}
)
_CALLS = re.compile(
    r"(?:\b(?:hi|hey|hello|dear|thanks|thx|cheers|cc|ping|ask|asked|tell|told|with|by|from|and|mr|mrs|ms|dr|"
    r"sorry|bye|welcome|hallo|danke|merci|gracias|hola|bonjour)\b[ ,.]*|@)$",
    re.IGNORECASE,
)
_LOOKED_BACK = 16
_LEADING = re.compile(
    rf"^\s*(?P<word>(?:hi|hey|hello|dear)\s+)?@?{SOMEONE}\s*(?:[,:;!–-]+\s*|\n)", re.IGNORECASE
)
_TRAILING = re.compile(rf",\s*@?{SOMEONE}(?=\s*[.!?…]*\s*$)", re.IGNORECASE)


class Namer:
    """Finds the names of some people in a text, also in lower case and in part.

    A part of a name is taken for the person when it is no common word, or when it stands where a name does:
    capitalised inside a sentence, or after a greeting.
    """

    def __init__(self, names: Iterable[str], spared: Iterable[str] = ()) -> None:
        """Look for `names` and their parts; `spared` are names of people who agreed."""
        kept = {word for name in spared for word in (_plain(name), *map(_plain, name.split()))}
        self._full: dict[str, list[tuple[str, ...]]] = {}
        self._parts: set[str] = set()
        for name in names:
            words = tuple(_plain(word) for word in name.split() if _plain(word))
            if words and _plain(name) not in kept:
                self._full.setdefault(words[0], []).append(words)
                self._parts |= {one for one in words if len(one) >= _SHORTEST and one not in kept}
        for options in self._full.values():
            options.sort(key=len, reverse=True)

    def replaced(self, text: str) -> tuple[str, int]:
        """Return the text without the names, and how many there were."""
        words = list(_WORD.finditer(text))
        parts: list[str] = []
        at, number, count = 0, 0, 0
        while number < len(words):
            length = self._named(text, words, number)
            if length:
                first, last = words[number], words[number + length - 1]
                tail = _POSSESSIVE.search(last[0])
                parts += [text[at : first.start()], SOMEONE, tail[0] if tail else ""]
                at, count = last.end(), count + 1
            number += length or 1
        return ("".join([*parts, text[at:]]), count) if count else (text, 0)

    def _named(self, text: str, words: list[re.Match[str]], number: int) -> int:
        """Return how many words from here on are one person's name; 0: none."""
        word = words[number]
        plain = _plain(word[0])
        for option in self._full.get(plain, ()):
            following = words[number : number + len(option)]
            fits = tuple(_plain(one[0]) for one in following) == option and _adjacent(text, following)
            if fits and (len(option) > 1 or _stands_as_name(text, word, plain)):
                return len(option)
        if word[0].startswith("@") and len(plain) > 1:
            return int(plain in self._parts or plain in self._full)
        return int(plain in self._parts and _stands_as_name(text, word, plain))


def without_address(text: str) -> str:
    """Return a text without the nameless person that it speaks to at its beginning or end."""
    found = _LEADING.match(text)
    if found:
        rest = text[found.end() :]
        text = rest if not found["word"] else f"{found['word'].strip()}, {rest}"
    return _TRAILING.sub("", text)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what is not in code spans and fences."""
    pieces = CODE.split(text)
    return "".join(piece if number % 2 else change(piece) for number, piece in enumerate(pieces))


def _plain(word: str) -> str:
    return _POSSESSIVE.sub("", word.removeprefix("@")).strip(".,:;!?()[]\"'’").casefold()


def _adjacent(text: str, words: list[re.Match[str]]) -> bool:
    between = (text[a.end() : b.start()] for a, b in pairwise(words))
    return all(not gap.strip() and "\n" not in gap for gap in between)


def _stands_as_name(text: str, word: re.Match[str], plain: str) -> bool:
    if plain not in _WORDS_TOO:
        return True
    before = text[max(0, word.start() - _LOOKED_BACK) : word.start()]
    if word[0].startswith("@") or _CALLS.search(before):
        return word[0].startswith("@") or word[0][0].isupper()
    inside = bool(before.strip()) and before.rstrip()[-1] not in ".!?:\n" and "\n" not in before[-2:]
    return inside and word[0][0].isupper() and not word[0].isupper()
