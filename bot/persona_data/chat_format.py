"""OpenAI's chat format for fine-tuning: one JSON object a line, its limits, and what it costs to train on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]

FEWEST_EXAMPLES = 10  # fewer are refused by OpenAI
LARGEST_FILE = 512_000_000
LONGEST_EXAMPLE = 65_536  # tokens that the smallest of the models that can be tuned takes
_ROLES = frozenset({"system", "user", "assistant"})
_KEYS = frozenset({"role", "content", "weight"})
_CHARACTERS_A_TOKEN = 4
_A_MESSAGE, _AN_EXAMPLE = 4, 3  # tokens around them


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an example. One of the assistant that is `earlier` is read but not learnt."""

    role: Role
    content: str
    earlier: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        weight = {"weight": 0} if self.earlier else {}
        return {"role": self.role, "content": self.content, **weight}


def example_line(messages: Sequence[Message]) -> str:
    """Return one example as a line of JSON."""
    return json.dumps({"messages": [message.as_json() for message in messages]}, ensure_ascii=False)


def estimate_tokens(messages: Iterable[Message]) -> int:
    """Return about how many tokens an example has; a tokenizer would have to be downloaded."""
    return _AN_EXAMPLE + sum(
        _A_MESSAGE + math.ceil(_weighed(message.content) / _CHARACTERS_A_TOKEN) for message in messages
    )


def _weighed(text: str) -> int:
    """Count characters; one outside of Latin scripts is mostly a token of its own."""
    return len(text) + (_CHARACTERS_A_TOKEN - 1) * sum(1 for character in text if character > "\u024f")


def faults(line: str) -> Iterator[str]:
    """Yield what is wrong with a line by the documented format; nothing for a good one."""
    try:
        value = json.loads(line)
    except ValueError:
        yield "it is not JSON"
        return
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, list) or not messages:
        yield 'it has no list "messages"'
        return
    if set(value) != {"messages"}:
        yield f"it has other keys: {sorted(set(value) - {'messages'})}"
    for message in messages:
        yield from _message_faults(message)
    yield from _order_faults([message for message in messages if isinstance(message, dict)])


def _message_faults(message: object) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "a message is no object"
        return
    if message.get("role") not in _ROLES:
        yield f"a message has the role {message.get('role')!r}"
    if not isinstance(message.get("content"), str) or not message["content"].strip():
        yield "a message has no content"
    if extra := set(message) - _KEYS:
        yield f"a message has other keys: {sorted(extra)}"
    if "weight" in message and (message["weight"] not in (0, 1) or message.get("role") != "assistant"):
        yield "only a message of the assistant has a weight, 0 or 1"


def _order_faults(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    roles = [message.get("role") for message in messages]
    if "system" in roles[1:]:
        yield "the system's message is not the first"
    if not roles or roles[-1] != "assistant" or messages[-1].get("weight", 1) == 0:
        yield "it does not end with a message to learn from"
    spoken = [role for role in roles if role != "system"]
    if spoken[:1] != ["user"] or any(a == b for a, b in pairwise(spoken)):
        yield "user and assistant do not take turns, the user first"


def file_faults(file: Path) -> Iterator[str]:
    """Yield what is wrong with a file, line by line."""
    size = file.stat().st_size
    if size > LARGEST_FILE:
        yield f"{file.name}: {size / 1e6:.0f} MB are more than {LARGEST_FILE / 1e6:.0f} MB"
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            yield from (f"{file.name}, line {number}: {fault}" for fault in faults(line))
