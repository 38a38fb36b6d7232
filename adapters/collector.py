"""When Python's cycle collector works: neither while a command starts nor while its process ends.

What is imported stays. To look through it again and again while it comes, and once more when the interpreter
takes everything apart, is a sixth of what a short command costs.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_STARTING_SECONDS = 5.0


@contextmanager
def held_back() -> Iterator[None]:
    """Collect no cycles inside the block, unless `let_in` does, and none when the process ends."""
    gc.disable()
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.enable()


def let_in(loop: AbstractEventLoop) -> None:
    """Collect cycles again in some seconds: what still runs then may run for long."""
    loop.call_later(_STARTING_SECONDS, gc.enable)
