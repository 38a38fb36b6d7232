"""Runs the soaks one after the other and prints one table: `make soak`, or `python -m tests.soak [NAME …]`.

At full length they take an hour or two on two cores, with `--scale 0.005` minutes. Those that cannot be run
here are named with the reason.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from rich.console import Console
from rich.table import Table

from tests.soak.rows import Row

SOAKS = (
    "kills", "boundaries", "power", "histories", "outages", "files", "replicas", "hosts", "hostile", "inbox",
    "discord", "slack",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run each and print the table; return how many promises were not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOAKS)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the full length; 1 by default")
    chosen = parser.parse_args(arguments)
    if strange := set(chosen.names).difference(SOAKS):
        parser.error(f"there is no soak {min(strange)!r}. Choose of {', '.join(SOAKS)}.")
    rows: list[Row] = []
    skipped: list[str] = []
    try:
        for name in chosen.names or SOAKS:
            module = import_module(f"tests.soak.{name}")
            if reason := getattr(module, "missing", str)():
                skipped.append(f"{name}: {reason}")
                continue
            began = time.monotonic()
            rows += asyncio.run(module.measure(chosen.scale))
            sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    finally:
        show(rows, skipped)  # what hours have found is told even if a soak breaks
    return sum(not row.kept for row in rows)


def show(rows: Sequence[Row], skipped: Sequence[str]) -> None:
    """Print what was promised and what came of it."""
    table = Table("Promise", "Done", "Figure", "To reach", "Kept")
    for row in rows:
        table.add_row(row.promise, row.done, row.figure, row.reach, "yes" if row.kept else "NO")
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for line in skipped:
        console.print(f"left out: {line}")


if __name__ == "__main__":
    sys.exit(min(main(), 100))
