"""Runs all benchmarks one after the other: `make bench`. They take about an hour on two cores.

Those that need ../shared/data/eval are left out, and named, when it is not there;
`python -m tests.benchmarks.NAME` runs one alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EVAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval"
NEED_EVAL = frozenset({"retrieval", "grounding", "trace", "recognising", "style"})
COMMANDS = (
    ("startup",),
    ("embedding",),
    ("retrieval",),
    ("grounding",),
    ("recognising",),
    ("style",),
    ("persona_dataset",),
    ("sync", "unchanged", "--documents", "5000"),
    ("sync", "ingest"),
    ("sync", "memory", "--documents", "10000"),
    ("latency", "--nodes", "10000", "100000"),
    ("store", "--nodes", "10000"),
    ("during",),
    ("chat",),
    ("chat", "--platform", "discord"),
    ("sync", "rival"),
    ("web",),
    ("trace",),
)


def main() -> int:
    """Run each in a process of its own, so that none warms up another; return how many failed."""
    failed = 0
    for module, *words in COMMANDS:
        print(f"\n# {module} {' '.join(words)}".rstrip(), flush=True)
        if module in NEED_EVAL and not EVAL.is_dir():
            print(f"left out: {EVAL.parent.parent.name}/data/eval is not beside this checkout")
            continue
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", *words]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
