"""Slack's rate limits, kept: nothing is sent that Slack asked to hold back, and streams are rationed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.errors import SurfaceBusy

Value = TypeVar("Value")

SIDE_BY_SIDE = 8
FREE = 10  # half of what the strictest limit of a workspace takes a minute
_MINUTE = 60.0
_MARGIN = 0.1  # the server counts from when it sent the header, we from when it came in
_WARY_SECONDS = 30.0
_QUEUE_SECONDS = 1.0  # that even the least patient waits for others of its key, while nothing is held back


class Limited(Exception):
    """Slack asked to wait `seconds` before the next such call."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True)
class _Gate:
    """What goes under one key: nothing before `until`, one call at a time until `wary`.

    `free` is how many calls a minute may be on their way side by side; 0 keeps the calls in their order.
    """

    free: int
    room: asyncio.Semaphore
    one: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    wary: float = 0.0
    users: int = 0
    sent: deque[float] = field(default_factory=deque)

    def careful(self, now: float) -> bool:
        """Tell whether a refusal may be near, so that no call may be on its way when it arrives."""
        while self.sent and self.sent[0] <= now - _MINUTE:
            self.sent.popleft()
        return now < self.wary or len(self.sent) >= self.free

    def idle(self, now: float) -> bool:
        return not self.users and now >= self.wary and not (self.sent and self.sent[-1] > now - _MINUTE)


class Pace:
    """Lets calls go when Slack's limits allow it, by whatever a limit counts for: their key.

    A call that is on its way when another is refused would come inside the wait that Slack asked for. So the
    calls of a key go one by one where one may be near: after a refusal, when much of the limit is used, and
    always where the limit is about one a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gates: dict[str, _Gate] = {}

    async def run(
        self, key: str, send: Callable[[], Awaitable[Value]], *, patience: float, free: int = FREE
    ) -> Value:
        """Send when it may go, and again for as long as `send` raises `Limited`.

        Raise `SurfaceBusy` when `patience`, in seconds, does not last. With `free=0` the calls of the key go
        in the order in which they came, also when one has to be sent again.
        """
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = _Gate(free, asyncio.Semaphore(SIDE_BY_SIDE if free else 1))
        gate.users += 1
        try:
            return await self._sent(gate, key, send, self._clock() + patience)
        finally:
            gate.users -= 1
            if gate.idle(self._clock()):
                self._gates.pop(key, None)

    async def _sent(
        self, gate: _Gate, key: str, send: Callable[[], Awaitable[Value]], deadline: float
    ) -> Value:
        await self._acquire(gate.room, gate, key, deadline)
        try:
            while True:
                try:
                    return await self._once(gate, key, send, deadline)
                except Limited as limited:
                    gate.until = max(gate.until, self._clock() + limited.seconds + _MARGIN)
                    gate.wary = gate.until + _WARY_SECONDS
                    self._check(gate, key, deadline)
        finally:
            gate.room.release()

    async def _once(
        self, gate: _Gate, key: str, send: Callable[[], Awaitable[Value]], deadline: float
    ) -> Value:
        """Send once: beside others, or alone where a refusal may be near."""
        if not gate.careful(self._clock()):
            gate.sent.append(self._clock())
            return await send()
        await self._acquire(gate.one, gate, key, deadline)
        try:
            while (wait := gate.until - self._clock()) > 0:
                self._check(gate, key, deadline)
                await asyncio.sleep(wait)
            gate.sent.append(self._clock())
            return await send()
        finally:
            gate.one.release()

    async def _acquire(
        self, what: asyncio.Semaphore | asyncio.Lock, gate: _Gate, key: str, deadline: float
    ) -> None:
        self._check(gate, key, deadline)
        try:
            async with asyncio.timeout(max(_QUEUE_SECONDS, deadline - self._clock())):
                await what.acquire()
        except TimeoutError:
            raise self._busy(gate, key) from None

    def _check(self, gate: _Gate, key: str, deadline: float) -> None:
        if gate.until > max(deadline, self._clock()):
            raise self._busy(gate, key)

    def _busy(self, gate: _Gate, key: str) -> SurfaceBusy:
        wait = max(1.0, gate.until - self._clock())
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
