"""How well grounding without a model tells supported answers from others.

Run: .venv/bin/python -m tests.benchmarks.grounding [../shared/data/eval/grounding-begin]
"""

from __future__ import annotations

import bisect
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.grounding import SHARE_NEEDED, Evidence, check

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "grounding-begin"


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer: what people said of it, and what the check says."""

    source: str
    supported: bool
    share: float
    exact: bool  # every number, name, link and quote occurs in the evidence


def load(folder: Path) -> list[Judged]:
    """Check every judged answer in a folder."""
    judged = []
    for path in sorted(folder.glob("items.*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            verdict = check(item["answer"], Evidence.of([item["evidence"]]))
            supported = item["label"] == "supported"
            judged.append(Judged(item["source"], supported, verdict.share, not verdict.missing))
    return judged


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return how often a positive scores above a negative, ties counted half."""
    ordered = sorted(negative)
    wins = sum(bisect.bisect_left(ordered, p) + bisect.bisect_right(ordered, p) for p in positive)
    return wins / 2 / max(len(positive) * len(ordered), 1)


def _auroc(items: Sequence[Judged]) -> float:
    return auroc([i.share for i in items if i.supported], [i.share for i in items if not i.supported])


def _passed(items: Sequence[Judged], supported: bool, threshold: float, *, exact: bool) -> float:
    kind = [i for i in items if i.supported is supported]
    return sum(i.share >= threshold and (i.exact or not exact) for i in kind) / max(len(kind), 1)


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    began = time.perf_counter()
    items = load(folder)
    each = (time.perf_counter() - began) / max(len(items), 1) * 1000
    print(f"{len(items)} answers, {each:.2f} ms each; shipped threshold {SHARE_NEEDED}")
    for source in sorted({item.source for item in items}):
        print(f"AUROC {source}: {_auroc([item for item in items if item.source == source]):.3f}")
    print(f"AUROC all: {_auroc(items):.3f}")
    print("| threshold | supported pass | others pass | both checks: supported pass | others pass |")
    print("| --- | --- | --- | --- | --- |")
    for threshold in (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0):
        kinds = [(exact, kind) for exact in (False, True) for kind in (True, False)]
        cells = [_passed(items, kind, threshold, exact=exact) for exact, kind in kinds]
        print(f"| {threshold} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
