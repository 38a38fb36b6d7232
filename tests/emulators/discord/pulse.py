"""Waiting for something to become true, without polling."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Pulse:
    """Wakes everyone who waits whenever something has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def beat(self) -> None:
        """Tell that something changed."""
        for event in self._waiting:
            event.set()

    async def until(
        self,
        predicate: Callable[[], T | Awaitable[T]],
        seconds: float,
        described: Callable[[], str] = lambda: "",
    ) -> T:
        """Return the first true value of `predicate`; raise `AssertionError` after so many seconds."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    event.clear()
                    value = predicate()
                    found = await value if inspect.isawaitable(value) else value
                    if found:
                        return found
                    await event.wait()
        except TimeoutError:
            raise AssertionError(f"nothing of the kind within {seconds} s\n{described()}") from None
        finally:
            self._waiting.discard(event)
