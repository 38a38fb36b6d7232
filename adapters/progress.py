"""A progress bar on standard error, with rate and time left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from adapters.plain import single_line


@contextmanager
def progress_bar(console: Console, label: str) -> Iterator[ProgressLine]:
    """Show a bar with rate and time left while the block runs; nothing without a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[step]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(single_line(label), total=None, rate="", step="starting")
        yield ProgressLine(progress, task)


class ProgressLine:
    """One bar: told how far the work is, it works out the rate."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._start = time.monotonic()

    def update(self, *, done: int, total: int | None, step: str) -> None:
        """Show how far it is."""
        elapsed = time.monotonic() - self._start
        rate = f"{done / elapsed:.0f}/s" if done and elapsed > 0 else ""
        self._progress.update(self._task, completed=done, total=total, rate=rate, step=single_line(step))
