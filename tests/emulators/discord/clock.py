"""The emulator's time: it can be set forward, and it gives out ids in order."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_EPOCH_MS = 1_420_070_400_000


class Clock:
    """Seconds since the epoch, plus what `advance` added."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._last = 0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Set the clock forward, as if so much time had passed."""
        self._ahead += seconds

    def snowflake(self) -> str:
        """Return a new id: it holds the moment, and each is greater than the one before."""
        self._last = max(self._last + 1, (round(self.now() * 1000) - _EPOCH_MS) << 22)
        return str(self._last)


def moment(snowflake: str) -> float:
    """Return when an id was made, in seconds since the epoch."""
    return ((int(snowflake) >> 22) + _EPOCH_MS) / 1000


def iso(at: float) -> str:
    """Return a moment as Discord writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
