"""Long Markdown in pieces that each stand alone: code blocks closed and opened again, tables headed anew."""

from __future__ import annotations

import re
import unicodedata

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[^\n]*")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CLOSING = "\n```"


def split(text: str, limit: int) -> list[str]:
    """Return text in pieces of at most `limit` characters, cut where a reader would pause.

    It is cut between paragraphs where it can be, else between lines, else between words.
    """
    pieces: list[str] = []
    rest = text.strip("\n")
    while len(rest) > limit:
        cut, closing, opening = _cut(rest, limit - len(_CLOSING))
        pieces.append(rest[:cut].rstrip() + closing)
        rest = opening + (rest[cut:] if closing else rest[cut:].lstrip("\n"))
    return [*pieces, rest] if rest.strip() or not pieces else pieces


def _cut(text: str, room: int) -> tuple[int, str, str]:
    """Return where to cut, and what to write at the end of this piece and before the next one."""
    paragraph, line, fence, offset = 0, 0, "", 0
    opened_at_paragraph = ""
    opened_at_line = ""
    for number, held in enumerate(text[: room + 1].split("\n")):
        if offset and offset <= room:
            line, opened_at_line = offset, fence
            if not held.strip() and not fence:
                paragraph, opened_at_paragraph = offset, ""
        if _FENCE.fullmatch(held) and number >= 0:
            fence = "" if fence else held
        offset += len(held) + 1
    if paragraph > room * 0.4:
        return paragraph, "", opened_at_paragraph
    if line > room * 0.2 and len(opened_at_line) < line // 2:
        return line, *_between_lines(text, line, opened_at_line)
    return _inside_line(text, room, fence)


def _between_lines(text: str, cut: int, fence: str) -> tuple[str, str]:
    if fence:
        return _CLOSING, f"{fence}\n"
    return "", _table_head(text, cut)


def _table_head(text: str, cut: int) -> str:
    """Return the header rows of the table that a cut goes through, empty when there is none or it is huge."""
    if not text[cut:].lstrip("\n").startswith("|"):
        return ""
    start = cut
    while start and text.rfind("\n", 0, start - 1) + 1 < start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].startswith("|"):
            break
        start = above
    head = text[start:cut].split("\n")[:2]
    whole = len(head) == 2 and bool(_RULE.fullmatch(head[1])) and start < cut
    rows = "\n".join(head) + "\n"
    return rows if whole and len(rows) < cut // 2 and start + len(rows) < cut else ""


def _inside_line(text: str, room: int, fence: str) -> tuple[int, str, str]:
    """Cut a very long line at a space; where there is none, not inside of one visible character."""
    cut = max(text.rfind(" ", room // 2, room), text.rfind("\n", room // 2, room)) + 1 or room
    while cut > room // 2 and _joined(text, cut):
        cut -= 1
    opening = fence if len(fence) < cut // 2 else "```"
    return (cut, _CLOSING, f"{opening}\n") if fence else (cut, "", "")


def _joined(text: str, cut: int) -> bool:
    """Tell whether the characters on both sides of a cut belong together."""
    after = text[cut : cut + 1]
    joiners = ("\u200d", "\ufe0f")
    return bool(after) and (
        unicodedata.combining(after) != 0
        or after in joiners
        or text[cut - 1] == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
