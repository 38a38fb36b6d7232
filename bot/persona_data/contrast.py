"""What others said in the speaker's conversations: a style measure learns from the difference."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.persona_data.choosing import FEWEST_WORDS, Chosen, count_words
from bot.persona_data.cleaning import Cleaner
from bot.persona_data.private import SECRET
from bot.persona_data.scratch import Row

MOST = 5000
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Other:
    """Something that another person said, cleaned, and where."""

    text: str
    talk: str


class Contrast:
    """Keeps an even sample of what others said; `usable` tells whose words may be kept."""

    def __init__(self, usable: Callable[[str], bool], most: int = MOST) -> None:
        self._usable = usable
        self._most = most
        self._kept: list[tuple[int, int, Row]] = []
        self._seen = 0

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows as they come, and keep some."""
        for row in rows:
            if self._usable(row.speaker) and row.text.count(" ") >= FEWEST_WORDS - 1:
                self._keep(row)
            yield row

    def _keep(self, row: Row) -> None:
        self._seen += 1
        entry = (-row.key, self._seen, row)  # a key is a hash, so that the smallest are an even sample
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        elif entry > self._kept[0]:
            heapq.heapreplace(self._kept, entry)

    def cleaned(self, cleaner: Cleaner) -> tuple[Other, ...]:
        """Return what was kept, each text once, without secrets and without what is left too short."""
        found: dict[str, Other] = {}
        for _, _, row in sorted(self._kept, reverse=True):
            clean = cleaner.clean(row.text, row.kind)
            if count_words(clean.text) >= FEWEST_WORDS and not clean.replaced.get(SECRET):
                found.setdefault(clean.text, Other(clean.text, _talk(row.conversation, row.at)))
        return tuple(found.values())


def reply_lines(chosen: Sequence[Chosen], others: Sequence[Other]) -> Iterator[str]:
    """Yield the speaker's replies and the others' words as JSON, with the day of their conversation."""
    for one in chosen:
        talk = _talk(one.pair.talk[0], one.pair.reply.at)
        yield json.dumps({"text": one.reply.text, "own": True, "talk": talk}, ensure_ascii=False)
    for other in others:
        yield json.dumps({"text": other.text, "own": False, "talk": other.talk}, ensure_ascii=False)


def _talk(conversation: int, at: float) -> str:
    return f"{conversation:x} {int(at // _DAY)}"
