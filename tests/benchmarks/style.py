"""How well the style measure tells a speaker: characters of Shakespeare from each other and from plain prose.

Run: .venv/bin/python -m tests.benchmarks.style [../shared/data/eval/persona-shakespeare]

Held out: trained on train.jsonl, judged on groups of five replies drawn from dev.jsonl. Cross-validated: as
the product reports it of itself, on all replies. Plain prose is other people's chat (chat-irc).
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.resampling import Interval
from bot.style import GROUP, Accuracy, StyleMeasure, auroc

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "persona-shakespeare"
SPEAKERS = ("Petruchio", "Menenius", "Lucio")
DRAWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of a speaker and of others, to learn from and held out."""

    own: list[str]
    others: list[str]
    new_own: list[str]
    new_others: list[str]


def load(folder: Path, speaker: str) -> Texts:
    """Read a speaker's replies and other characters' lines."""
    return Texts(
        own=_read(folder / speaker / "train.jsonl", "reply"),
        others=_read(folder / "others" / "train.jsonl", "text"),
        new_own=_read(folder / speaker / "dev.jsonl", "reply"),
        new_others=_read(folder / "others" / "dev.jsonl", "text"),
    )


def plain_prose(folder: Path, speaker: str) -> Texts:
    """Read a speaker's replies and messages of today's people."""
    chat = _read(folder.parent / "chat-irc" / "messages.dev.jsonl", "text")[:2_000]
    texts = load(folder, speaker)
    return Texts(own=texts.own, others=chat[:1_000], new_own=texts.new_own, new_others=chat[1_000:])


def _read(file: Path, key: str) -> list[str]:
    return [json.loads(line)[key] for line in file.read_text(encoding="utf-8").splitlines()]


def held_out(texts: Texts) -> float:
    """Return the AUROC on groups of held-out texts."""
    measure = StyleMeasure.train(texts.own, texts.others)
    return auroc(measure.scores(_groups(texts.new_own)), measure.scores(_groups(texts.new_others)))


def cross_validated(texts: Texts) -> Accuracy:
    """Return what the measure says of itself."""
    return StyleMeasure.train(texts.own + texts.new_own, texts.others + texts.new_others).accuracy


def _groups(texts: Sequence[str]) -> list[list[str]]:
    drawn = random.Random(5)
    return [drawn.sample(list(texts), min(GROUP, len(texts))) for _ in range(DRAWN)]


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    print("| speaker against | replies | held out, five | cross-validated, five | one | shuffled | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for speaker in SPEAKERS:
        for name, texts in (("characters", load(folder, speaker)), ("chat", plain_prose(folder, speaker))):
            began = time.perf_counter()
            new, told = held_out(texts), cross_validated(texts)
            cells = (_cell(told.grouped), _cell(told.single), _cell(told.shuffled))
            taken = time.perf_counter() - began
            row = f"| {speaker}, {name} | {told.own} | {new:.3f} | {' | '.join(cells)} | {taken:.0f} |"
            print(row, flush=True)


def _cell(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.2f}–{found.high:.2f})"


if __name__ == "__main__":
    main()
