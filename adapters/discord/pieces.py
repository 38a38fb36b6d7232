"""Long Markdown in pieces that each stand alone: cut where a reader would pause, code opened again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"```([\w+#.-]*)")
_ENOUGH = 0.5  # a piece that is as full as this need not be filled up with half a paragraph


@dataclass(frozen=True, slots=True)
class _Unit:
    """A paragraph or a code block with what stands before it. `fence` opens the code, empty: none."""

    gap: str
    text: str
    fence: str = ""


def split(text: str, limit: int, *, last: int | None = None) -> list[str]:
    """Return text, as `gate` wrote it, in pieces of at most `limit` characters, the last of at most `last`.

    It is cut between paragraphs where it can be, else between lines, else between words.
    """
    pieces = _filled(text, limit)
    if pieces and last is not None and len(pieces[-1]) > last:
        pieces[-1:] = _filled(pieces[-1], min(limit, max(last, 200)))
    return pieces


def _filled(text: str, limit: int) -> list[str]:
    pieces: list[str] = []
    held = ""
    for unit in _units(text.strip("\n")):
        gap = unit.gap if held else ""
        if len(held) + len(gap) + len(unit.text) <= limit:
            held += gap + unit.text
            continue
        if len(unit.text) <= limit and len(held) >= limit * _ENOUGH:
            pieces.append(held)
            held = unit.text
            continue
        first, *others = _broken(unit, limit, limit - len(held) - len(gap))
        pieces += [part for part in (held + gap + first if first else held, *others) if part]
        held = pieces.pop()
    return [*pieces, held] if held.strip() else pieces


def _units(text: str) -> Iterator[_Unit]:
    """Yield the paragraphs and code blocks of a text."""
    gap, lines, fence = "", list[str](), ""
    for line in text.split("\n"):
        opened = _FENCE.fullmatch(line)
        if fence:
            lines.append(line)
            if line == "```":
                yield _Unit(gap, "\n".join(lines), fence)
                gap, lines, fence = "\n", [], ""
        elif opened or not line.strip():
            if lines:
                yield _Unit(gap, "\n".join(lines))
                gap, lines = "\n", []
            if opened:
                lines, fence = [line], line
            else:
                gap += "\n"
        else:
            lines.append(line)
    if lines:
        yield _Unit(gap, "\n".join(lines), fence)


def _broken(unit: _Unit, limit: int, room: int) -> list[str]:
    """Return a unit in parts; the first fits into `room`, and is empty when nothing of it does."""
    opening, closing = (f"{unit.fence}\n", "\n```") if unit.fence else ("", "")
    frame = len(opening) + len(closing)
    inner = unit.text.split("\n")[1:-1] if unit.fence else unit.text.split("\n")
    parts, held, left = list[str](), "", room - frame
    for line in inner:
        for position, piece in enumerate(_lines(line, limit - frame)):
            joint = "\n" if held and not position else ""
            if held and len(held) + len(joint) + len(piece) <= left:
                held += joint + piece
                continue
            if held or len(piece) > left:
                parts.append(held)
                left = limit - frame
            held = piece
    parts.append(held)
    return [f"{opening}{part}{closing}" if part else "" for part in parts]


def _lines(line: str, limit: int) -> Iterator[str]:
    """Yield a very long line in parts, cut behind a space or at least not inside of one visible character."""
    while len(line) > limit:
        cut = line.rfind(" ", limit // 2, limit) + 1 or limit
        while cut > limit // 2 and _joined(line, cut):
            cut -= 1
        yield line[:cut]
        line = line[cut:]
    yield line


def _joined(text: str, cut: int) -> bool:
    """Tell whether the characters on both sides of a cut belong together."""
    after = text[cut : cut + 1]
    return bool(after) and (
        unicodedata.combining(after) != 0
        or after in "\u200d\ufe0f"
        or text[cut - 1] in "\u200d\\"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
