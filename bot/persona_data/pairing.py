"""What was said to the speaker, and what they replied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from bot.persona_data.said import Kind
from bot.persona_data.scratch import Row

SILENCE = 3600.0  # seconds after which a channel's talk is another conversation
LONGEST_TALK = 100  # messages, after which a channel that never rests is cut
_BREATH = 300.0  # messages of one person within these seconds are one turn
_TURNS = 6
_MERGED = 8


@dataclass(slots=True)
class Turn:
    """What one person said in one go, message by message; `keys` are those of the messages."""

    speaker: str
    kind: Kind
    at: float
    keys: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """All of it, in the marks of its platform."""
        return "\n".join(self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A reply of the speaker and the turns before it, oldest first. `talk` names their conversation."""

    talk: tuple[int, int]
    context: tuple[Turn, ...]
    reply: Turn

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys of all messages in it."""
        return tuple(key for turn in (*self.context, self.reply) for key in turn.keys)


def pair_up(
    rows: Iterable[Row], speakers: Collection[str], find: Callable[[int], Row | None]
) -> Iterator[Pair]:
    """Yield the speaker's replies; `rows` come by conversation and time, `find` looks a message up by key."""
    for talk, turns in _talks(rows):
        recent: deque[Turn] = deque(maxlen=_TURNS)
        for turn, parent in turns:
            if turn.speaker in speakers:
                context = tuple(recent)
                if parent and not any(parent in one.keys for one in (*recent, turn)):
                    context = _answered(find(parent)) or context
                yield Pair(talk=talk, context=context, reply=turn)
            recent.append(turn)


def _answered(row: Row | None) -> tuple[Turn, ...]:
    if row is None:
        return ()
    return (Turn(row.speaker, row.kind, row.at, [row.key], [row.text]),)


def _talks(rows: Iterable[Row]) -> Iterator[tuple[tuple[int, int], list[tuple[Turn, int]]]]:
    """Yield each talk with its turns, and which message each turn replies to (0: none in particular)."""
    turns: list[tuple[Turn, int]] = []
    number, length, last = 0, 0, None
    for row in rows:
        new = last is None or row.conversation != last.conversation
        if last is not None and (new or _rested(row, last, length)):
            yield (last.conversation, number), turns
            turns, length, number = [], 0, (0 if new else number + 1)
        _append(turns, row)
        length, last = length + 1, row
    if last is not None:
        yield (last.conversation, number), turns


def _rested(row: Row, last: Row, length: int) -> bool:
    if length >= LONGEST_TALK and row.speaker != last.speaker:
        return True
    return row.gaps and last.gaps and row.at - last.at > SILENCE


def _append(turns: list[tuple[Turn, int]], row: Row) -> None:
    if turns:
        turn, parent = turns[-1]
        goes_on = row.parent == 0 or row.parent in (parent, *turn.keys)
        near = row.at - turn.at <= _BREATH and row.kind != "mail"
        if turn.speaker == row.speaker and goes_on and near and len(turn.texts) < _MERGED:
            turn.keys.append(row.key)
            turn.texts.append(row.text)
            turn.at = row.at
            return
    turns.append((Turn(row.speaker, row.kind, row.at, [row.key], [row.text]), row.parent))
