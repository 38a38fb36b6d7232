"""A clock that a test may push forward, and a bell that rings when something changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

ACK_SECONDS = 3.0
TRIGGER_SECONDS = 3.0
STREAM_SECONDS = 300.0
RESPONSE_URL_SECONDS = 1800.0
STATUS_SECONDS = 120.0


class Clock:
    """Seconds since the epoch, real ones until `advance` is called."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._alarms: dict[asyncio.Future[None], tuple[float, asyncio.TimerHandle]] = {}

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Push the time forward; what was waiting for that moment goes on."""
        self._ahead += seconds
        for alarm, (due, timer) in list(self._alarms.items()):
            timer.cancel()
            self._wind(alarm, due)

    async def until(self, moment: float) -> None:
        """Wait until this clock shows that moment."""
        alarm = self._alarm(moment)
        try:
            await alarm
        finally:
            self._forget(alarm)

    async def sleep(self, seconds: float) -> None:
        """Wait until that much time of this clock is over."""
        await self.until(self.now() + seconds)

    async def before(self, moment: float, future: asyncio.Future[Value]) -> Value:
        """Return a future's result; raise TimeoutError when this clock shows that moment first."""
        alarm = self._alarm(moment)
        try:
            await asyncio.wait({future, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise TimeoutError
            return future.result()
        finally:
            self._forget(alarm)

    def _alarm(self, due: float) -> asyncio.Future[None]:
        alarm = asyncio.get_running_loop().create_future()
        self._wind(alarm, due)
        return alarm

    def _wind(self, alarm: asyncio.Future[None], due: float) -> None:
        timer = asyncio.get_running_loop().call_later(max(0.0, due - self.now()), _ring, alarm)
        self._alarms[alarm] = due, timer

    def _forget(self, alarm: asyncio.Future[None]) -> None:
        _, timer = self._alarms.pop(alarm)
        timer.cancel()


def _ring(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)


class Bell:
    """Wakes everybody who waits, each time it rings."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, seconds: float) -> bool:
        """Return True when it rang, False when that many real seconds passed without."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=seconds)
            return future.done()
        finally:
            self._waiting.discard(future)

    async def until(self, found: Callable[[], Value], seconds: float) -> Value:
        """Return what `found` gives once it is truthy, asked again at each ring; raise TimeoutError."""
        end = time.monotonic() + seconds
        while not (value := found()):
            if (left := end - time.monotonic()) <= 0:
                raise TimeoutError
            await self.wait(left)
        return value
