"""Plain transcripts: a speaker and a colon, or a chat log's line, before what was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from bot.persona_data.said import Found, Known, Said

LONGEST_CONVERSATION = 40  # messages, where neither times nor lines tell where one ends
_LONGEST_TEXT = 20_000
_STAMP = (
    r"\[?(?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})[ T,]+"
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?(?P<half> ?[AaPp][Mm])?Z?\]?"
)
_TIMED = re.compile(
    rf"^\u200e?{_STAMP}(?: ?[-–] ?| +)"
    r"(?:<(?P<nick>[^<>]{1,60})> ?|(?P<name>[^:<>]{1,60}): ?)(?P<text>.*)$"
)
_SPOKEN = re.compile(r"^(?:<(?P<nick>[^<>\s]{1,40})> |(?P<name>[^\W\d_][\w.'’ -]{0,39}): )(?P<text>.*)$")
_RULE = re.compile(r"^\s*(?:-{3,}|={3,}|\*{3,}|_{3,})\s*$")
# Words that stand before a colon in anyone's sentences.
_NO_NAMES = frozenset(
    {"note", "warning", "error", "info", "todo", "fixme", "edit", "update", "ps", "tip", "hint", "example"}
    | {"answer", "question", "re", "fwd", "subject", "date", "from", "to", "cc", "http", "https", "mailto"}
)
_MOST_WORDS = 4


@dataclass(slots=True)
class _Open:
    """The message that is being read; `number` counts messages, `part` conversations."""

    speaker: str = ""
    at: float = 0.0
    lines: list[str] = field(default_factory=list)
    number: int = 0
    part: int = 0
    length: int = 0


def looks_spoken(head: str) -> bool:
    """Say whether a text that begins so is a transcript: at least two of its lines name a speaker."""
    return sum(1 for line in head.split("\n") if _speaker_of(line, timed=False)) >= 2


def read_transcript(file: Path) -> Iterator[Found]:
    """Yield who speaks and what they say; a line of `---` or two empty lines end a conversation."""
    met: set[str] = set()
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        for said in _messages(stream, str(file)):
            name = said.speaker
            known = f"text:{' '.join(name.split()).casefold()}"
            if known not in met:
                met.add(known)
                yield Known(id=known, names=(name,))
            yield Said(
                key=said.key,
                kind="text",
                conversation=said.conversation,
                speaker=known,
                text=said.text,
                at=said.at,
                gaps=said.gaps,
            )


def _messages(lines: Iterable[str], name: str) -> Iterator[Said]:
    now, timed, blank = _Open(), None, 0
    for raw in lines:
        line = raw.rstrip("\r\n")
        if not line.strip():
            blank += 1
            continue
        if timed is None:
            timed = bool(_TIMED.match(line))
        if _RULE.match(line):
            yield from _closed(now, name, timed=timed)
            now.part, now.length, blank = now.part + 1, 0, 0
            continue
        found = _speaker_of(line, timed=timed)
        if found is None:
            now.lines += [""] * min(blank, 1) + [line] if now.speaker else []
        else:
            yield from _closed(now, name, timed=timed)
            _begin(now, found, blank, timed=timed)
        blank = 0
    yield from _closed(now, name, timed=bool(timed))


def _begin(now: _Open, found: re.Match[str], blank: int, *, timed: bool) -> None:
    if not timed and (blank >= 2 or now.length >= LONGEST_CONVERSATION):
        now.part, now.length = now.part + 1, 0
    now.speaker = (found["nick"] or found["name"]).strip()
    now.lines = [found["text"]]
    now.number += 1
    now.length += 1
    now.at = _seconds(found) if timed else float(now.number)


def _closed(now: _Open, name: str, *, timed: bool) -> Iterator[Said]:
    text = "\n".join(now.lines).strip()[:_LONGEST_TEXT]
    if now.speaker and text:
        yield Said(
            key=f"text:{name}:{now.number}",
            kind="text",
            conversation=f"text:{name}:{now.part}",
            speaker=now.speaker,
            text=text,
            at=now.at,
            gaps=timed,
        )
    now.speaker, now.lines = "", []


def _speaker_of(line: str, *, timed: bool) -> re.Match[str] | None:
    found = _TIMED.match(line) or (None if timed else _SPOKEN.match(line))
    if found is None or found["nick"]:
        return found
    name = found["name"].strip()
    if not name or len(name.split()) > _MOST_WORDS or name.casefold() in _NO_NAMES:
        return None
    return found


def _seconds(found: re.Match[str]) -> float:
    """Return when a line was written; days before months, as chat logs with dots or slashes mostly have."""
    numbers = [int(part) for part in re.split(r"[-./]", found["date"])]
    if len(found["date"].split("-")[0]) == 4:
        year, month, day = numbers
    else:
        day, month, year = numbers
        if month > 12:
            day, month = month, day
    hour, minute, second = [*map(int, found["time"].split(":")), 0][:3]
    if half := (found["half"] or "").strip().lower():
        hour = hour % 12 + 12 * (half == "pm")
    try:
        moment = datetime.combine(
            date(year + 2000 * (year < 100), month, day), time(hour, minute, second), tzinfo=UTC
        )
    except ValueError:
        return 0.0
    return moment.timestamp()
