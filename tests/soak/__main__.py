"""Runs all soaks one after the other and prints one table: `make soak`, or `python -m tests.soak [SCALE]`.

At scale 1 they take an hour or two on two cores. Those that cannot be run here are named with the reason.
`python -m tests.soak.NAME [SCALE]` runs one alone.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module

from rich.console import Console
from rich.table import Table

from tests.soak.rows import Row

SOAKS = (
    "kills", "boundaries", "power", "histories", "outages", "files", "replicas", "hosts", "hostile", "inbox",
    "discord", "slack",
)  # fmt: skip


def main(scale: float) -> int:
    """Run each and print the table; return how many promises were not kept."""
    rows: list[Row] = []
    skipped: list[str] = []
    for name in SOAKS:
        module = import_module(f"tests.soak.{name}")
        if reason := getattr(module, "missing", str)():
            skipped.append(f"{name}: {reason}")
            continue
        began = time.monotonic()
        rows += asyncio.run(module.measure(scale))
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    show(rows, skipped)
    return sum(not row.kept for row in rows)


def show(rows: list[Row], skipped: list[str]) -> None:
    """Print what was promised and what came of it."""
    table = Table("Promise", "Done", "Figure", "To reach", "Kept")
    for row in rows:
        table.add_row(row.promise, row.done, row.figure, row.reach, "yes" if row.kept else "NO")
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for line in skipped:
        console.print(f"left out: {line}")


if __name__ == "__main__":
    sys.exit(min(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0), 100))
