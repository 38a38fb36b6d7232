"""Turns what LanceDB and the operating system raise into this layer's errors, at one boundary."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kb.errors import StoreError, StoreFull

_FULL = ("no space left", "os error 28", "disk quota exceeded", "os error 122")
_CONFLICT = ("commit conflict", "retryable", "too many concurrent writers", "concurrent")
_FOREIGN = (OSError, RuntimeError, ValueError, TypeError, TimeoutError)


def first_line(exc: BaseException) -> str:
    """Return the first line of an error's text, shortened for a message."""
    lines = str(exc).strip().splitlines()
    return (lines[0] if lines else type(exc).__name__)[:300]


def is_full(exc: BaseException) -> bool:
    """Tell whether an error means that the disk is full."""
    if isinstance(exc, OSError) and exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return any(sign in str(exc).lower() for sign in _FULL)


def is_conflict(exc: BaseException) -> bool:
    """Tell whether an error means that another writer committed first; a retry is right then."""
    return any(sign in str(exc).lower() for sign in _CONFLICT)


@contextmanager
def store_errors(path: str, doing: str) -> Iterator[None]:
    """Raise `StoreFull` or `StoreError` for whatever goes wrong inside."""
    try:
        yield
    except StoreError:
        raise
    except _FOREIGN as exc:
        if is_full(exc):
            raise StoreFull(
                f"The disk that holds {path!r} is full ({doing}). Free some space and run it again."
            ) from exc
        raise StoreError(f"The store {path!r} failed {doing}: {first_line(exc)}") from exc
