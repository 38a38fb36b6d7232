"""How hosts are asked: two requests at a time, a pause between them, and what their robots.txt allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

AT_ONCE = 2
SLOWEST = 10.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Tells seconds and waits them."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


@dataclass(slots=True)
class _Host:
    delay: float
    ready: float = 0.0
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Manners:
    """Gives each host's requests their turns."""

    def __init__(self, delay: float, clock: Clock) -> None:
        self._delay = delay
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until the host may be asked, and hold one of its places."""
        host = self._host(address)
        async with host.slots:
            async with host.starting:
                while (wait := host.ready - self._clock.now()) > 0:
                    await self._clock.sleep(wait)
                host.ready = self._clock.now() + host.delay
            yield

    def slow(self, address: str, delay: float | None) -> None:
        """Let the seconds that a host wishes lie between two requests, but no more than ten."""
        host = self._host(address)
        host.delay = max(host.delay, min(delay or 0.0, SLOWEST))
        host.ready = max(host.ready, self._clock.now() + host.delay)

    def hold(self, address: str, seconds: float) -> float:
        """Ask the host nothing for some seconds; return by how much that is later than so far."""
        host = self._host(address)
        now = self._clock.now()
        before, host.ready = max(host.ready, now), max(host.ready, now + seconds)
        return max(0.0, host.ready - before)

    def _host(self, address: str) -> _Host:
        return self._hosts.setdefault(urlsplit(address).netloc, _Host(self._delay))
