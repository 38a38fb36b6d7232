"""Cuts Markdown into units that can be checked one by one: sentences, table rows, whole code fences.

It works on a text that is still growing: a unit is only given out when no later character can change it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_END = re.compile(
    r"(?:[.!?…]+[\"'”’)\]*_]*(?=\s)|[。！？]+[”’」』）]*)"  # noqa: RUF001 (full stops of Chinese and Japanese)
)
_MARKERS_AFTER = re.compile(r"(?:[ \t]*(?:\[[\d,;\s^–-]+\]|【[^】]*】))*[.]?")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|dr|mr|mrs|ms|prof|no|fig|cf|al|inc|ltd|st|jan|feb|mar|apr|jun|jul|aug|"
    r"sep|sept|oct|nov|dec|[a-z])|^\s*(?:[-*+•]\s+)?\d{1,3})\.$",
    re.IGNORECASE,
)
_ABBREVIATION_LENGTH = 40  # how far back one can begin
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a text. All units of a text, joined, are that text."""

    text: str
    code: bool = False

    @property
    def blank(self) -> bool:
        """Tell whether there is nothing to read."""
        return not self.text.strip()


class UnitReader:
    """Gives out the finished units of a growing text."""

    def __init__(self) -> None:
        self._held = ""
        self._fence = ""

    def feed(self, text: str) -> list[Unit]:
        """Add text and return the units that are now complete."""
        self._held += text
        return self._take(final=False)

    def end(self) -> list[Unit]:
        """Return what is left; the text has ended."""
        units = self._take(final=True)
        if self._held:
            units.append(Unit(self._held, code=bool(self._fence)))
            self._held = ""
        return units

    def _take(self, *, final: bool) -> list[Unit]:
        units: list[Unit] = []
        while (cut := self._cut(final=final)) > 0:
            units.append(Unit(self._held[:cut], code=self._in_fence(self._held[:cut])))
            self._held = self._held[cut:]
        return units

    def _in_fence(self, text: str) -> bool:
        return bool(_FENCE.match(text))

    def _cut(self, *, final: bool) -> int:
        opening = _FENCE.match(self._held)
        if opening:
            return self._fence_end(opening)
        if not final and _could_become_fence(self._held):
            return 0
        line_end = self._held.find("\n") + 1
        line = self._held[: line_end or len(self._held)]
        return sentence_end(line, final=final or bool(line_end)) or line_end

    def _fence_end(self, opening: re.Match[str]) -> int:
        """Return where the line after the closing fence begins, or 0 while it is open."""
        mark = opening.group(1)
        closing = re.compile(rf"\n[ \t]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?:\n|$)")
        found = closing.search(self._held, opening.end())
        self._fence = "" if found else mark
        return found.end() if found and found.group().endswith("\n") else 0


def _could_become_fence(held: str) -> bool:
    start = held.lstrip(" \t")
    return start in {"", "`", "``", "~", "~~"}


def sentence_end(line: str, *, final: bool) -> int:
    """Return where the first sentence of a line ends, markers after its full stop included; 0 if open."""
    for match in _END.finditer(line):
        if _ABBREVIATION.search(line, max(0, match.end() - _ABBREVIATION_LENGTH), match.end()):
            continue
        end = _MARKERS_AFTER.match(line, match.end()).end()  # type: ignore[union-attr]  # it matches nothing too
        rest = line[end:].lstrip(" \t")
        if rest and (final or rest[0] not in "[【"):
            return len(line) - len(rest)
        if not rest:
            return 0
    return 0


def split_units(text: str) -> list[Unit]:
    """Cut a finished text into its units."""
    reader = UnitReader()
    return [*reader.feed(text), *reader.end()]
