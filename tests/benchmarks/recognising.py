"""How well questions are recognised in a busy chat: people's own labels of Ubuntu's IRC channel.

Run: .venv/bin/python -m tests.benchmarks.recognising [../shared/data/eval/chat-irc/messages.dev.jsonl]

The rules were tuned on one half of the messages (by a hash of their ids); the other half is reported. A "new
question" begins a conversation, as people labelled it, and holds a question mark; "asks" is any message with
one. Most of what counts as false here is a question asked inside a conversation, which the desk tells
by its thread, so precision is a lower bound.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.recognising import THRESHOLD, question_score

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "chat-irc" / "messages.dev.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One message with people's labels and our score. `tuned` tells on which half it is."""

    begins: bool
    asks: bool
    score: float
    tuned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of those said to be questions, how many are; and of those that are, how many were said to be."""

    precision: float
    recall: float


def load(file: Path) -> list[Scored]:
    """Score every message of a file."""
    scored = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        tuned = hashlib.sha256(row["id"].encode()).digest()[-1] % 2 == 0
        scored.append(
            Scored(
                begins=row["starts_conversation"],
                asks=row["question"],
                score=question_score(row["text"]),
                tuned=tuned,
            )
        )
    return scored


def figures(pairs: Iterable[tuple[bool, bool]]) -> Figures:
    """Return the figures of pairs of what is and what was said."""
    held = list(pairs)
    both = sum(is_one and said for is_one, said in held)
    return Figures(
        precision=both / max(sum(said for _, said in held), 1),
        recall=both / max(sum(is_one for is_one, _ in held), 1),
    )


def new_questions(messages: Sequence[Scored], threshold: float = THRESHOLD) -> Figures:
    """Return how well questions that begin a conversation are found among all messages."""
    return figures((one.begins and one.asks, one.score >= threshold) for one in messages)


def questions(messages: Sequence[Scored], threshold: float = THRESHOLD) -> Figures:
    """Return how well messages with a question mark are found."""
    return figures((one.asks, one.score >= threshold) for one in messages)


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    began = time.perf_counter()
    messages = load(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
    each = (time.perf_counter() - began) / len(messages) * 1e6
    for name, tuned in (("tuning half", True), ("reported half", False)):
        half = [one for one in messages if one.tuned is tuned]
        print(f"{name}: {len(half):,} messages")
        print("  threshold  new questions      asks at all")
        for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
            new, asks = new_questions(half, threshold), questions(half, threshold)
            print(
                f"  {threshold:9.1f}  P {new.precision:.3f} R {new.recall:.3f}"
                f"    P {asks.precision:.3f} R {asks.recall:.3f}"
            )
    print(f"{each:.0f} µs a message")


if __name__ == "__main__":
    main()
