"""Log lines that `serve` prints, too: when a chat platform is connected and when it is out of reach."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHOWN = {"shown": True}  # as `extra` of a log line


class Shown(logging.Handler):
    """Hands on the lines that are to be shown, and whether each is a warning."""

    def __init__(self, show: Callable[[str, bool], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one line."""
        if getattr(record, "shown", False):
            self._show(record.getMessage(), record.levelno >= logging.WARNING)


@contextmanager
def showing(show: Callable[[str, bool], None]) -> Iterator[None]:
    """Hand on what is to be shown meanwhile."""
    handler = Shown(show)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
