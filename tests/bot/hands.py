"""Texts by two hands about the same things: a plain one and one with a strong manner. Made up for tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

_THINGS = ("the printer", "your badge", "the build server", "the wiki", "a ticket", "the invoice")
_DEEDS = ("restart", "renew", "check", "close", "move", "ask for", "rename", "print")
_WHEN = ("on Monday", "before lunch", "after 5 days", "each quarter", "at 9:30", "within 2 weeks")


def plain(number: int, *, seed: int = 1) -> list[str]:
    """Write sentences as documents have them."""
    forms = (
        "Please {deed} {thing} {when}.",
        "You can {deed} {thing} {when}. It is then available to the team.",
        "To {deed} {thing}, open the settings. This is possible {when}.",
        "The team will {deed} {thing} {when}.",
    )
    return _written(forms, number, seed)


def pirate(number: int, *, seed: int = 2) -> list[str]:
    """Say the same things as somebody who cannot help it."""
    forms = (
        "Arr, ye'd best {deed} {thing} {when}, matey!",
        "Aye!! {deed} {thing} {when} - or walk the plank, ye scurvy dog...",
        "By me beard, we be off to {deed} {thing} {when}, har har!",
        "Avast, 'tis {thing} ye'll be wantin' to {deed} {when}, aye?",
    )
    return _written(forms, number, seed)


def _written(forms: Sequence[str], number: int, seed: int) -> list[str]:
    drawn = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < number:
        form = drawn.choice(forms)
        text = form.format(deed=drawn.choice(_DEEDS), thing=drawn.choice(_THINGS), when=drawn.choice(_WHEN))
        texts[text] = None
    return list(texts)
