"""Runs all benchmarks one after the other: `make bench`. They take about an hour on two cores.

Those that need ../shared/data/eval are left out, and named, when it is not there;
`python -m tests.benchmarks.NAME` runs one alone. With `--quick` each is made so small that all of them take
minutes: that proves that they run, and its figures say nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

EVAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval"
NEED_EVAL = frozenset({"retrieval", "grounding", "trace", "recognising", "style"})


class Part(NamedTuple):
    """A benchmark: its module with the words of its command line, and those that make it small."""

    command: str
    quick: str = ""


PARTS = (
    Part("startup"),
    Part("embedding"),
    Part("retrieval", "--sets squad2 --every 50 --no-baselines"),
    Part("grounding"),
    Part("recognising"),
    Part("style", "held-out --speakers 1"),
    Part("fact_lock"),
    Part("persona_dataset", "--messages 20000"),
    Part("sync unchanged --documents 5000", "--documents 100"),
    Part("sync ingest --documents 1000", "--documents 10"),
    Part("sync memory --documents 10000", "--documents 100"),
    Part("latency --nodes 10000 100000", "--nodes 1000"),
    Part("store --nodes 10000", "--nodes 1000"),
    Part("during", "--documents 20"),
    Part("chat", "--burst 10 --rounds 5"),
    Part("chat --platform discord", "--burst 10 --rounds 5"),
    Part("chat_discord", "--documents 20"),
    Part("sync rival", "--documents 200"),
    Part("web", "--pages 30"),
    Part("trace", "--steps 10"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run each in a process of its own, so that none warms up another; return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only prove that each of them runs")
    quick = parser.parse_args(arguments).quick
    failed: list[str] = []
    for part in PARTS:
        module, *words = f"{part.command} {part.quick if quick else ''}".split()
        name = " ".join([module, *words])
        print(f"\n# {name}", flush=True)
        if module in NEED_EVAL and not EVAL.is_dir():
            print(f"left out: {EVAL.parent.parent.name}/data/eval is not beside this checkout")
            continue
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{module}", *words], check=False)
        print(f"({time.monotonic() - began:.0f} s)")
        failed += [name] if done.returncode else []
    for name in failed:
        print(f"\nfailed: {name}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
