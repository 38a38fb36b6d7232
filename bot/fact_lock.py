"""The fact lock: whether a rewrite says what its draft says. Pure, without a model.

Numbers with their units, dates, names, code, links, negations, modal strength, bounds and citation markers
of the draft must all be in the rewrite, where they were, and none may be new. Other words are free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.fact_bounds import changed_bounds
from bot.fact_clauses import changed_clauses
from bot.fact_dates import dates
from bot.fact_dialect import plain_english
from bot.fact_idioms import VOICES
from bot.fact_literals import cited_numbers, holds, literals, worded
from bot.fact_names import names
from bot.fact_numbers import numbers
from bot.fact_order import misplaced, swapped
from bot.fact_roles import turned_roles
from bot.facts import Found, all_keys, blank, one_form, strict


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the lock found: facts of the draft that are lost, and facts that are nowhere in it.

    Each is shown as it was written; "not: …" is a denial, "[2]: …" a citation that has left its claim,
    "a ↔ b" are facts that took each other's place.
    """

    kept: bool
    lost: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


def judge(draft: str, written: str, passages: Sequence[str] = ()) -> Verdict:
    """Compare a rewrite with its draft.

    `passages` are texts whose facts are known beside the draft's and need not be told. Without a draft it is
    told what a text has that no passage has.
    """
    draft, written = plain_english(one_form(draft)), plain_english(one_form(written))
    passages = tuple(plain_english(one_form(passage)) for passage in passages)
    before = _Facts.of(draft, (written, *passages))
    after = _Facts.of(written, (draft, *passages), draft)
    known = [before, *(_Facts.of(passage, ()) for passage in passages)]
    lost = [*_missing(before, [after])]
    invented = [
        one for one in _missing(after, known) if one.casefold().removesuffix("'s").rstrip("'") not in VOICES
    ]
    if draft.strip():
        lost += _markers(cited_numbers(draft) - cited_numbers(written))
        invented += _markers(cited_numbers(written) - cited_numbers(draft))
        told, said = worded(draft), worded(written)
        denied = changed_clauses(told, said)
        lost += denied.lost
        invented += denied.invented
        lost += changed_bounds(before.found, after.found, draft, written)
        lost += misplaced(before.found, after.found, before.marked, after.marked)
        lost += swapped(before.strict, after.found, draft, written)
        lost += turned_roles(told, said)
    return Verdict(kept=not lost and not invented, lost=_once(lost), invented=_once(invented))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one text holds."""

    text: str
    marked: str
    found: tuple[Found, ...]

    @classmethod
    def of(cls, text: str, others: Sequence[str], draft: str = "") -> _Facts:
        """Read a text. `others` and the draft help to tell names; literals of theirs are names of nobody."""
        read = literals(text)
        rest, when = dates(read.rest)
        counted = numbers(rest)
        unnumbered = blank(rest, ((one.at, one.at + len(one.shown)) for one in counted if one.strict))
        called = names(unnumbered, [literals(other).rest for other in others], literals(draft).rest)
        found = (*read.found, *when, *counted, *called)
        return cls(text, read.marked, found)

    @property
    def strict(self) -> list[Found]:
        """The facts that count by themselves."""
        return list(strict(self.found))

    def holds(self, fact: Found, keys: frozenset[str]) -> bool:
        """Tell whether a fact of another text is in this one; `keys` are all of this one's."""
        if fact.keys & keys:
            return True
        if fact.shown.isalpha() and fact.shown.isupper() and _inside(fact.shown, self.text):
            return True  # the SDK of `acme-sdk`
        written = [key[1:] for key in fact.keys if key.startswith("=")]
        return any(holds(self.text, one) or _joined(self.text, one) for one in written)


def _joined(text: str, literal: str) -> bool:
    """Tell whether a literal joins two of a text: `TZ=UTC` for `TZ` and `UTC`."""
    parts = [part for part in literal.split("=") if part]
    return len(parts) == 2 and all(holds(text, part) for part in parts)


def _inside(acronym: str, text: str) -> bool:
    """Tell whether an acronym is a part of a literal."""
    wanted = re.compile(rf"(?<![^\W_]){acronym}(?![^\W_])", re.IGNORECASE)
    return any(wanted.search(one.shown) for one in literals(text).found)


def _missing(facts: _Facts, others: Sequence[_Facts]) -> Iterator[str]:
    """Yield the facts of a text that none of the others holds."""
    keys = [all_keys(other.found) for other in others]
    for fact in facts.strict:
        if not any(other.holds(fact, known) for other, known in zip(others, keys, strict=True)):
            yield fact.shown


def _markers(numbers: Iterable[int]) -> list[str]:
    return [f"[{number}]" for number in sorted(numbers)]


def _once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
