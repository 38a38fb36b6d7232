"""Slack's rate limits, kept: nothing is sent that Slack asked to hold back, and streams are rationed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.errors import SurfaceBusy

_MARGIN = 0.1  # the server counts from when it sent the header, we from when it came in
_WARY_SECONDS = 30.0


@dataclass(slots=True)
class _Held:
    """A limit that Slack has set: nothing before `until`, one call at a time until `wary`."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    wary: float = 0.0


class Pace:
    """Holds calls back while Slack's `Retry-After` runs, by whatever a limit counts for.

    After a refusal the calls under its key go one by one for a while, so that none is on its way when the
    next refusal arrives.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}

    @asynccontextmanager
    async def turn(self, key: str, patience: float) -> AsyncIterator[None]:
        """Wait until a call under `key` may go; raise `SurfaceBusy` when `patience` does not last."""
        held = self._held.get(key)
        if held is None or self._clock() >= held.wary:
            self._held.pop(key, None)
            yield
            return
        deadline = self._clock() + patience
        await self._acquire(held, key, deadline)
        try:
            await self._wait(held, key, deadline)
            yield
        finally:
            held.turn.release()

    def hold(self, key: str, seconds: float) -> None:
        """Let nothing under `key` go for so long."""
        held = self._held.setdefault(key, _Held())
        held.until = max(held.until, self._clock() + seconds + _MARGIN)
        held.wary = held.until + _WARY_SECONDS

    async def _acquire(self, held: _Held, key: str, deadline: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                await held.turn.acquire()
        except TimeoutError:
            raise self._busy(held, key) from None

    async def _wait(self, held: _Held, key: str, deadline: float) -> None:
        while (wait := held.until - self._clock()) > 0:
            if held.until > deadline:
                raise self._busy(held, key)
            await asyncio.sleep(wait)

    def _busy(self, held: _Held, key: str) -> SurfaceBusy:
        wait = max(1.0, held.until - self._clock())
        return SurfaceBusy(f"Slack's rate limit of {key!r} is used up. Try again later.", seconds=wait)


class Ration:
    """At most `limit` uses in any `seconds`."""

    def __init__(
        self, limit: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._used: deque[float] = deque()

    def take(self) -> bool:
        """Use one; False when none is left now."""
        now = self._clock()
        while self._used and self._used[0] <= now - self._seconds:
            self._used.popleft()
        if len(self._used) >= self._limit:
            return False
        self._used.append(now)
        return True
