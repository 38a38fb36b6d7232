"""Training and validation by whole conversations, and the check that nothing is on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.persona_data.errors import DatasetRefused
from bot.persona_data.examples import Example
from bot.persona_data.repeats import Repeats

_LARGEST_GROUP = 2.0  # times what is wanted for validation
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Both sides, and of how many groups of conversations that hang together each consists."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    train_groups: int
    validation_groups: int


def split(examples: Sequence[Example], share: float) -> Split:
    """Put about `share` of the examples aside for validation; raise DatasetRefused when a side is empty."""
    groups = sorted(_groups(examples), key=_rank)
    wanted = max(1.0, share * len(examples))
    aside: list[list[Example]] = []
    for group in groups:
        taken = sum(map(len, aside))
        if taken < wanted and taken + len(group) <= _LARGEST_GROUP * wanted:
            aside.append(group)
    if not aside and len(groups) > 1:
        aside.append(min(groups, key=len))
    kept = [group for group in groups if not any(group is one for one in aside)]
    if not kept or not aside:
        raise DatasetRefused(_empty(len(examples), len(groups)))
    return Split(
        train=tuple(one for group in kept for one in group),
        validation=tuple(one for group in aside for one in group),
        train_groups=len(kept),
        validation_groups=len(aside),
    )


def leaks(train: Sequence[Example], validation: Sequence[Example]) -> list[str]:
    """Return what is on both sides: a conversation, a message, a reply or nearly the same reply."""
    trained = frozenset[str]().union(*(one.ties for one in train))
    found = {tie for one in validation for tie in one.ties & trained}
    repeats = Repeats()
    for said in dict.fromkeys(one.said for one in train):
        repeats.add(said)
    found |= {one.said for one in validation if repeats.seen(one.said)}
    return sorted(found)


def refuse_leaks(parts: Split) -> None:
    """Raise DatasetRefused when something is on both sides."""
    if found := leaks(parts.train, parts.validation):
        raise DatasetRefused(
            f"Training and validation share {len(found)} messages, such as {found[0][:_SHOWN]!r}. "
            "Leave out the export that repeats them."
        )


def _empty(examples: int, groups: int) -> str:
    if not examples:
        return "No reply is left to train on. The reasons are in the report; add exports or consent."
    return (
        f"All {examples} examples are of one conversation, so that none is left to validate with. Add other "
        "conversations; in a transcript a line of --- ends one."
        if groups == 1
        else f"The {examples} examples cannot be split. Lower --validation."
    )


def _groups(examples: Sequence[Example]) -> list[list[Example]]:
    """Put together what is tied together."""
    parents = list(range(len(examples)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    first: dict[str, int] = {}
    for number, example in enumerate(examples):
        for tie in example.ties:
            parents[root(number)] = root(first.setdefault(tie, number))
    groups: dict[int, list[Example]] = {}
    for number, example in enumerate(examples):
        groups.setdefault(root(number), []).append(example)
    return list(groups.values())


def _rank(group: Sequence[Example]) -> bytes:
    return hashlib.blake2b(min(min(one.ties) for one in group).encode("utf-8", "replace")).digest()
