"""How long the installed command takes from a cold start: `python -m tests.benchmarks.startup`.

Each command runs as a process of its own, seven times after a first run that fills the disk cache. Its
processor time, user and system, depends less on what else the machine does than the time that passes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 7
DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Index the project's own documents once, then time commands over them."""
    command = shutil.which("lorekeeper", path=str(Path(sys.executable).parent))
    if command is None:
        sys.exit("The command lorekeeper is not installed here. Run: make setup")
    with tempfile.TemporaryDirectory() as folder:
        base = [command, "--data", folder]
        run([*base, "sources", "add", str(DOCS), "--name", "docs", "--include", "*.md"])
        print(f"{'first sync, model built':24} {run([*base, 'sync']).passed:5.2f} s")
        for name, words in {
            "--help": ["--help"],
            "status": ["status"],
            "sync, no change": ["sync"],
            "search": ["search", "removing a source"],
            "ask": ["ask", "What happens after a power cut?"],
        }.items():
            run([*base, *words])
            taken = [run([*base, *words]) for _ in range(RUNS)]
            passed, processor = told([one.passed for one in taken]), told([one.processor for one in taken])
            print(f"{name:24} {passed}  processor {processor}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a command took, in seconds."""

    passed: float
    processor: float


def run(words: list[str]) -> Taken:
    """Return the seconds that a command takes; end when it fails."""
    started, before = time.perf_counter(), processor_seconds()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return Taken(passed=time.perf_counter() - started, processor=processor_seconds() - before)


def processor_seconds() -> float:
    """Return what all processes that were begun and have ended took of the processor."""
    times = os.times()
    return times.children_user + times.children_system


def told(seconds: list[float]) -> str:
    """Return the median with the least and the most."""
    return f"{statistics.median(seconds):5.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
