"""Words that say the opposite of each other: "never closes" is "open", and "accepted" is not "declined"."""

# ruff: noqa: E501 - tables and patterns read better unbroken

from __future__ import annotations

import re
from functools import lru_cache

from bot.facts import root

_PAIRS = (
    "void:valid broken:intact accept:reject accept:decline accept:refuse approve:reject allow:forbid allow:prohibit allow:block permit:forbid "
    "permit:prohibit enable:disable include:exclude cover:exclude open:close opened:closed stay:leave stays:leaves remain:leave keep:lose "
    "keep:delete succeed:fail pass:fail works:fails remember:forget start:stop stops:keeps stop:keep stop:continue begin:end win:lose connect:disconnect "
    "lock:unlock install:uninstall subscribe:unsubscribe increase:decrease raise:lower grow:shrink public:private "
    "online:offline available:unavailable possible:impossible supported:unsupported able:unable valid:invalid "
    "visible:hidden visible:invisible safe:unsafe stable:unstable paid:unpaid lawful:unlawful legal:illegal "
    "encrypted:unencrypted encrypted:plain mandatory:optional required:optional free:paid same:different full:empty "
    "always:never everyone:nobody everything:nothing everybody:nobody"
)
_ROOT_PAIRS = tuple(tuple(map(root, pair.split(":"))) for pair in _PAIRS.split())
_OPPOSITES: dict[str, set[str]] = {}
for _first, _last in _ROOT_PAIRS:
    _OPPOSITES.setdefault(_first, set()).add(_last)
    _OPPOSITES.setdefault(_last, set()).add(_first)
_NEGATED = re.compile(
    r"\b(?:not|never|no longer|cannot|[a-z]+n't)\s+(?:(?:be|been|get|ever|yet|being|you|we|ye|just|really)\s+)?(?P<word>\w+)",
    re.IGNORECASE,
)


def opposed(one: frozenset[str], other: frozenset[str], told: frozenset[str]) -> bool:
    """Tell whether two claims about the same hold words that are opposites; they are roots as clauses have them.

    `told` is all that is said beside the second one: what the first one says may stand there.
    """
    return any(
        opposite in other and opposite not in one
        for root in (one & _OPPOSITES.keys()) - told
        for opposite in _OPPOSITES[root]
    )


@lru_cache(maxsize=1024)
def denied_opposites(text: str) -> frozenset[str]:
    """Return the roots of what a text says by denying the opposite: "open" of "never closes"."""
    roots = {root(match["word"].lower()) for match in _NEGATED.finditer(text)}
    return frozenset(word for root in roots & _OPPOSITES.keys() for word in _OPPOSITES[root]) - roots
