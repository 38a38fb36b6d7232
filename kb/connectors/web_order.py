"""Work on many items at a time, with the results in the items' order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


async def in_order(
    work: Callable[[_Item], Awaitable[_Result]], items: AsyncIterator[_Item], ahead: int
) -> AsyncGenerator[_Result, None]:
    """Yield the results for the items in their order, `ahead` of them being worked on at a time."""
    running: deque[asyncio.Future[_Result]] = deque()
    try:
        async for item in items:
            running.append(asyncio.ensure_future(work(item)))
            if len(running) >= ahead:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
