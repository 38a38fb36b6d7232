"""Look-ups of host names, few at a time: each holds a thread for as long as the name server pleases."""

from __future__ import annotations

import asyncio

from kb.public_hosts import IPAddress, Resolve

_AT_A_TIME = 3


class Lookups:
    """Bounds the look-ups that run at once, those included whose caller has given up.

    The threads are those of `asyncio.to_thread`; a name server that does not answer would take them all.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._free = asyncio.Semaphore(_AT_A_TIME)

    async def addresses(self, host: str, port: int) -> list[IPAddress]:
        """Return the addresses of a host; raise OSError when there are none."""
        await self._free.acquire()
        running = asyncio.ensure_future(self._resolve(host, port))
        running.add_done_callback(self._done)
        return await asyncio.shield(running)

    def _done(self, running: asyncio.Future[list[IPAddress]]) -> None:
        self._free.release()
        if not running.cancelled():
            # Looked at, so that asyncio does not complain when nobody waits any more.
            running.exception()
