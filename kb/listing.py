"""What a source lists, while it is being listed: a bounded stream that tells whether it came to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from kb import faults
from kb.connectors.base import Connector
from kb.documents import DocumentRef
from kb.errors import SourceInvalid, SourceUnavailable
from kb.planning import ListingDigest
from kb.reports import Tally

log = logging.getLogger(__name__)

# So many documents are listed ahead of what becomes of them; then the listing waits.
AHEAD = 10_000
AT_ONCE = 1_000
# Most listings are the same as the last, and then there is nothing to do with them. So one that comes
# quickly, `AT_ONCE` documents in these many seconds, is kept back to its end, up to so many documents.
PATIENCE = 1.0
KEPT_BACK = 200_000


class Listing:
    """One listing of a source.

    When the source cannot be listed to its end, the tally is marked as broken and what came before is
    good. `complete` turns True at the end of all there is; `digest` is of what was waited for or yielded.
    """

    def __init__(self, source: str, connector: Connector, tally: Tally) -> None:
        self.digest = ListingDigest()
        self.complete = False
        self._source = source
        self._connector = connector
        self._tally = tally
        self._waiting: list[DocumentRef] = []
        self._taken_in = 0
        self._most = AHEAD
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._full = asyncio.Event()
        self._ended = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """List in a task of its own while the block runs; a fault of the connector is raised at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wait(self) -> bool:
        """Wait for the listing's end while it comes quickly; return whether it came, with all there is."""
        self._most = KEPT_BACK
        if not self._ended:
            self._full.clear()
        self._room.set()
        await self._arrived.wait()
        before = -AT_ONCE
        while not self._full.is_set() and self._tally.listed >= before + AT_ONCE:
            before = self._tally.listed
            self._tally.show()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._full.wait()
        self._most = AHEAD
        self._take_in(self._waiting)
        return self.complete

    async def chunks(self) -> AsyncIterator[list[DocumentRef]]:
        """Yield what is listed, as it comes, some at a time."""
        while True:
            await self._arrived.wait()
            chunk = self._waiting[:AT_ONCE]
            if not chunk:
                return
            self._take_in(chunk)
            self._taken_in -= len(chunk)
            del self._waiting[:AT_ONCE]
            if not self._waiting and not self._ended:
                self._arrived.clear()
            if len(self._waiting) < self._most:
                self._room.set()
            self._tally.show()
            faults.reach("plan")
            yield chunk

    def _take_in(self, refs: Sequence[DocumentRef]) -> None:
        """Add the first of those that wait to the digest, unless they are in it."""
        self.digest.add(refs[self._taken_in :])
        self._taken_in = max(self._taken_in, len(refs))

    async def _run(self) -> None:
        faults.reach("list")
        try:
            async for ref in self._connector.list_documents():
                self._waiting.append(ref)
                self._tally.listed += 1
                self._arrived.set()
                if len(self._waiting) >= self._most:
                    await self._wait_for_room()
            self.complete = True
        except (SourceUnavailable, SourceInvalid) as exc:
            log.warning("listing failed source=%s after=%d reason=%s", self._source, self._tally.listed, exc)
            self._tally.fail(str(exc))
        finally:
            self._ended = True
            self._arrived.set()
            self._full.set()

    async def _wait_for_room(self) -> None:
        self._room.clear()
        self._full.set()
        await self._room.wait()
