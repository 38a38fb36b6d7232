"""How long the installed command takes from a cold start: `python -m tests.benchmarks.startup`.

Each command runs as a process of its own, five times after a first run that fills the disk cache.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Index the project's own documents once, then time commands over them."""
    command = shutil.which("lorekeeper", path=str(Path(sys.executable).parent))
    if command is None:
        sys.exit("The command lorekeeper is not installed here. Run: make setup")
    with tempfile.TemporaryDirectory() as folder:
        base = [command, "--data", folder]
        run([*base, "sources", "add", str(DOCS), "--name", "docs", "--include", "*.md"])
        print(f"{'first sync, model built':24} {run([*base, 'sync']):5.2f} s")
        for name, words in {
            "--help": ["--help"],
            "status": ["status"],
            "sync, no change": ["sync"],
            "search": ["search", "removing a source"],
            "ask": ["ask", "What happens after a power cut?"],
        }.items():
            run([*base, *words])
            taken = [run([*base, *words]) for _ in range(RUNS)]
            print(f"{name:24} {statistics.median(taken):5.2f} s  ({min(taken):.2f} to {max(taken):.2f})")


def run(words: list[str]) -> float:
    """Return the seconds that a command takes; end when it fails."""
    started = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
