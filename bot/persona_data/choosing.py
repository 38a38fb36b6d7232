"""Which replies are trained on: of all lengths alike, spread over the whole export, none twice."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bot.persona_data.cleaning import Clean
from bot.persona_data.pairing import Pair
from bot.persona_data.private import SECRET
from bot.persona_data.repeats import Repeats

FEWEST_WORDS, MOST_WORDS = 3, 400
_CLASSES = (10, 25, 60, MOST_WORDS)  # a reply's class: the first of these that it is no longer than
_LARGEST_CLASS = 2.0  # times the average class
_SPARE = 2  # candidates kept for each reply that is wanted: some are dropped when they are cleaned
_MOST_CODE = 0.5
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_STAND_IN = re.compile(
    r"\[(?:link|e-mail|phone number|account number|card number|secret|IP address)\]|someone"
)


@dataclass(slots=True)
class Dropped:
    """What was left out, by reason."""

    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, reason: str, number: int = 1) -> None:
        """Count what was left out for a reason."""
        if number:
            self.reasons[reason] += number


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A reply that is trained on, cleaned."""

    pair: Pair
    reply: Clean


class Candidates:
    """Keeps the candidates of each class of lengths: all, or so many that a hash has picked."""

    def __init__(self, limit: int, dropped: Dropped) -> None:
        self._most = limit * _SPARE
        self._dropped = dropped
        self._classes: list[list[tuple[int, int, Pair]]] = [[] for _ in _CLASSES]
        self.seen = 0

    def add(self, pair: Pair) -> None:
        """Take a reply in unless it is too short or too long."""
        self.seen += 1
        words = len(_WORD.findall(pair.reply.raw))
        if reason := _unfit(words):
            self._dropped.count(reason)
            return
        kept = self._classes[length_class(words)]
        entry = (-_rank(pair), -self.seen, pair)
        if not self._most or len(kept) < self._most:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
            self._dropped.count("over the limit")

    def in_turn(self) -> Iterator[Pair]:
        """Yield the candidates, one of each class in turn, as long as the classes last."""
        queues = [iter(sorted(kept, reverse=True)) for kept in self._classes]
        while queues:
            left = []
            for queue in queues:
                if (entry := next(queue, None)) is not None:
                    yield entry[2]
                    left.append(queue)
            queues = left

    def waiting(self) -> int:
        """Return how many there are."""
        return sum(map(len, self._classes))


def choose(
    candidates: Candidates,
    clean: Callable[[Pair], Clean],
    limit: int,
    dropped: Dropped,
    *,
    told: Callable[[int], None] = lambda _: None,
) -> list[Chosen]:
    """Clean the candidates and return those that are good, different from each other, and of all lengths."""
    repeats = Repeats()
    chosen: list[Chosen] = []
    tried = 0
    for pair in candidates.in_turn():
        if limit and len(chosen) >= limit:
            break
        tried += 1
        told(tried)
        reply = clean(pair)
        if reason := _bad(reply) or ("" if repeats.add(reply.text) else "near-duplicate of another reply"):
            dropped.count(reason)
            continue
        chosen.append(Chosen(pair=pair, reply=reply))
    dropped.count("over the limit", candidates.waiting() - tried)
    return _balanced(chosen, dropped)


def length_class(words: int) -> int:
    """Return the class of a reply's length."""
    return next((number for number, most in enumerate(_CLASSES) if words <= most), len(_CLASSES) - 1)


def class_names() -> tuple[str, ...]:
    """Return what the classes are called."""
    lows = (FEWEST_WORDS, *(most + 1 for most in _CLASSES[:-1]))
    return tuple(f"{low}-{most} words" for low, most in zip(lows, _CLASSES, strict=True))


def count_words(text: str) -> int:
    """Return how many words a text has, stand-ins not counted."""
    return len(_WORD.findall(_STAND_IN.sub(" ", text)))


def _unfit(words: int) -> str:
    if words < FEWEST_WORDS:
        return f"under {FEWEST_WORDS} words"
    return f"over {MOST_WORDS} words" if words > MOST_WORDS else ""


def _bad(reply: Clean) -> str:
    if reply.replaced.get(SECRET):
        return "holds a secret"
    if reason := _unfit(count_words(reply.text)):
        return reason
    code = sum(len(found[0]) for found in _CODE.finditer(reply.text))
    return "mostly code" if code > _MOST_CODE * len(reply.text) else ""


def _balanced(chosen: list[Chosen], dropped: Dropped) -> list[Chosen]:
    """Leave out the last ones of a class that is far larger than the others."""
    sizes = Counter(length_class(count_words(one.reply.text)) for one in chosen)
    most = _LARGEST_CLASS * len(chosen) / max(1, len(sizes))
    kept: list[Chosen] = []
    taken: Counter[int] = Counter()
    for one in chosen:
        number = length_class(count_words(one.reply.text))
        taken[number] += 1
        if taken[number] <= most:
            kept.append(one)
    dropped.count("too many of that length", len(chosen) - len(kept))
    return kept


def _rank(pair: Pair) -> int:
    """Return a number that spreads replies evenly and is the same in every run."""
    digest = hashlib.blake2b(repr(pair.reply.keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def stand_ins(text: str) -> Counter[str]:
    """Return what stands in a text in place of what was taken out."""
    return Counter(found[0] for found in _STAND_IN.finditer(text))


def share_out(texts: Iterable[str]) -> dict[str, int]:
    """Count replies by class of length."""
    names = class_names()
    counts = Counter(names[length_class(count_words(text))] for text in texts)
    return {name: counts[name] for name in names}
