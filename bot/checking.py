"""Checks a model's draft while it is being written: only verified sentences are let through.

Each sentence with a fact must cite passages that were given, and must be found in them. A sentence
without a marker may lean on the one before it, or on the next cited one; code then adds the marker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.citations import (
    Cited,
    add_markers,
    build_citation,
    canonical_markers,
    evidence_text,
    keep_markers,
    markers,
    renumber,
    safe_url,
)
from bot.errors import DraftRejected
from bot.grounding import Evidence, check, states_fact
from bot.messages import Citation
from bot.output_gate import defang
from bot.prompts import NO_ANSWER
from bot.sentences import Unit, UnitReader

_THINKING = "<think>"
_THOUGHT = "</think>"
_URL = re.compile(r"<?\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`|)\]]+>?", re.IGNORECASE)
_REJECTED = "the model's answer could not be verified against the documents"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A unit that is held back until a later one cites."""

    text: str
    states_fact: bool


class DraftCheck:
    """Takes a draft's deltas and gives back the text that may be shown.

    After `end`, `declined` tells whether the model found no answer; otherwise `text` is the whole
    answer and `citations()` what it cites. Raises DraftRejected as soon as the draft cannot stand.
    """

    def __init__(self, passages: Sequence[Cited]) -> None:
        self._passages = passages
        self._links = {safe_url(passage.node.url) for passage in passages} - {""}
        self._evidence: dict[tuple[int, ...], Evidence] = {}
        self._reader = UnitReader()
        self._opening: str | None = ""
        self._waiting: list[_Waiting] = []
        self._last: list[int] = []
        self._order: list[int] = []
        self._claims: dict[int, str] = {}
        self._shown: list[str] = []
        self.declined = False

    @property
    def text(self) -> str:
        """The text that has passed so far."""
        return "".join(self._shown)

    def citations(self) -> tuple[Citation, ...]:
        """Return the Citations of the text that has passed."""
        return tuple(
            build_citation(position, self._passages[number - 1], claim=self._claims.get(number, ""))
            for position, number in enumerate(self._order, start=1)
        )

    def feed(self, delta: str) -> str:
        """Add words of the draft and return what may be shown now."""
        return self._pass(self._reader.feed(self._without_thoughts(delta)))

    def end(self) -> str:
        """Check what is left of the finished draft and return it."""
        shown = self._pass(self._reader.end())
        if self.declined:
            return ""
        if any(held.states_fact for held in self._waiting):
            raise DraftRejected("The draft has a sentence without a citation.", reason=_REJECTED)
        shown += self._show("".join(held.text for held in self._waiting))
        if not self._order:
            raise DraftRejected("The draft cites nothing.", reason=_REJECTED)
        return shown

    def _without_thoughts(self, delta: str) -> str:
        """Leave out the thoughts that some models put before their answer."""
        if self._opening is None:
            return delta
        self._opening += delta
        text = self._opening.lstrip()
        if text.startswith(_THINKING):
            _, thought, text = text.partition(_THOUGHT)
            if not thought:
                return ""
        elif _THINKING.startswith(text):
            return ""
        self._opening = None
        return text.lstrip()

    def _pass(self, units: Sequence[Unit]) -> str:
        return "".join(self._accept(unit) for unit in units if not self.declined)

    def _accept(self, unit: Unit) -> str:
        if NO_ANSWER in unit.text:
            return self._decline()
        if unit.code:
            return self._hold(self._checked_code(unit.text), fact=False)
        text = self._with_known_markers(canonical_markers(unit.text))
        text = self._without_made_up_links(text)
        cited = markers(text)
        if cited:
            self._verify(text, cited)
            return self._show_waiting(cited) + self._show_cited(text, cited)
        if not states_fact(text):
            return self._hold(defang(text, allowed=self._links), fact=False)
        if self._last and not self._waiting and self._supported(text, self._last):
            return self._show_cited(_marked(text, self._last), self._last)
        return self._hold(text, fact=True)

    def _decline(self) -> str:
        if self._order:
            raise DraftRejected("The draft answers and declines at once.", reason=_REJECTED)
        self.declined = True
        return ""

    def _hold(self, text: str, *, fact: bool) -> str:
        if not fact and not self._waiting:
            return self._show(text)
        self._waiting.append(_Waiting(text, fact))
        return ""

    def _with_known_markers(self, text: str) -> str:
        cited = markers(text)
        kept = keep_markers(text, range(1, len(self._passages) + 1))
        if cited and not markers(kept):
            raise DraftRejected(
                f"The draft cites passage {cited[0]} of {len(self._passages)}.", reason=_REJECTED
            )
        return kept

    def _without_made_up_links(self, text: str) -> str:
        everything = self._of(range(1, len(self._passages) + 1))
        return _URL.sub(lambda url: url.group() if everything.holds(url.group().strip("<>.,;")) else "", text)

    def _checked_code(self, text: str) -> str:
        everything = self._of(range(1, len(self._passages) + 1))
        for line in text.strip().splitlines()[1:-1]:
            if not everything.holds(line):
                raise DraftRejected("The draft has code that no passage holds.", reason=_REJECTED)
        return defang(text, allowed=self._links)

    def _verify(self, text: str, cited: Sequence[int]) -> None:
        if states_fact(text) and not self._supported(text, cited):
            raise DraftRejected("The draft says what its passages do not.", reason=_REJECTED)

    def _supported(self, text: str, cited: Sequence[int]) -> bool:
        return check(text, self._of(cited)).supported

    def _of(self, cited: Sequence[int]) -> Evidence:
        key = tuple(sorted(cited))
        if key not in self._evidence:
            self._evidence[key] = Evidence.of([evidence_text(self._passages[number - 1]) for number in key])
        return self._evidence[key]

    def _show_waiting(self, cited: Sequence[int]) -> str:
        waiting, self._waiting = self._waiting, []
        shown = ""
        for held in waiting:
            if held.states_fact:
                self._verify(held.text, cited)
                shown += self._show_cited(_marked(held.text, cited), cited)
            else:
                shown += self._show(held.text)
        return shown

    def _show_cited(self, text: str, cited: Sequence[int]) -> str:
        self._last = list(cited)
        for number in cited:
            self._claims[number] = f"{self._claims.get(number, '')} {text}"
            if number not in self._order:
                self._order.append(number)
        return self._show(defang(renumber(text, self._order), allowed=self._links))

    def _show(self, text: str) -> str:
        if not self._shown:
            text = text.lstrip()
        if text:
            self._shown.append(text)
        return text


def _marked(text: str, cited: Sequence[int]) -> str:
    return text if text.lstrip().startswith("|") else add_markers(text, cited)
