"""Measure the fact lock on rewrites by hand: `python -m tests.benchmarks.fact_lock [--show] [SET|FILE…]`.

For each set: the share of faithful rewrites that are rejected with its 95 % interval (to reach: 5 %), the
broken ones that pass, by kind, and the processor time of one judgement. `--show` prints what went wrong,
which is always printed of a FILE: one written as those of `tests/bot/lock_data`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.fact_lock import judge
from tests.bot.paraphrases_written import SETS, Measured, measure, read

MOST_FALSE_REJECTIONS = 0.05


def told(name: str, found: Measured, seconds: float) -> str:
    """Return one line about a set."""
    low, high = found.interval
    missed = ", ".join(f"{count} {kind}" for kind, count in Counter(one[0] for one in found.missed).items())
    each = seconds * 1000 / (found.kept + found.broken)
    return (
        f"{name}: faithful rejected {len(found.rejected)}/{found.kept} ({low:.1%} to {high:.1%}), "
        f"broken passed {len(found.missed)}/{found.broken} ({missed or 'none'}), {each:.1f} ms each"
    )


def show(found: Measured) -> None:
    """Print what was judged wrongly."""
    for draft, text in found.rejected:
        verdict = judge(draft, text)
        print(f"  rejected: lost {list(verdict.lost)}, invented {list(verdict.invented)}")
        print(f"    {draft}\n    {text}")
    for kind, draft, text in found.missed:
        print(f"  passed, {kind}\n    {draft}\n    {text}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen sets, and all of them together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET|FILE", help=f"of {', '.join(SETS)}; all by default")
    parser.add_argument("--show", action="store_true", help="print what was judged wrongly")
    chosen = parser.parse_args(arguments)
    rejected = kept = 0
    for name in chosen.sets or SETS:
        began = time.process_time()
        found = measure(read(SETS.get(name) or [Path(name)]))
        print(told(name, found, time.process_time() - began))
        if chosen.show or name not in SETS:
            show(found)
        rejected, kept = rejected + len(found.rejected), kept + found.kept
    print(f"together: {rejected} of {kept} rejected ({rejected / kept:.1%})")
    return int(rejected > MOST_FALSE_REJECTIONS * kept)


if __name__ == "__main__":
    sys.exit(main())
