"""Imports lancedb, once and quickly: the rest of the knowledge base takes its names from here.

lancedb pulls in a client of its cloud's REST interface, whose 375 methods pydantic compiles a validator
for, one by one: half of lancedb's import time. Nothing here calls that client, so its methods go without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pydantic

Function = TypeVar("Function", bound=Callable[..., object])


def _unvalidated(function: Function) -> Function:
    return function


@contextmanager
def _without_call_validation() -> Iterator[None]:
    validate_call = pydantic.validate_call
    pydantic.validate_call = _unvalidated  # type: ignore[assignment]  # for the length of one import
    try:
        yield
    finally:
        pydantic.validate_call = validate_call


with _without_call_validation():
    from lancedb import AsyncConnection, AsyncTable, connect_async
    from lancedb.index import FTS, Bitmap, BTree, IvfRq, LabelList

__all__ = [
    "FTS",
    "AsyncConnection",
    "AsyncTable",
    "BTree",
    "Bitmap",
    "IvfRq",
    "LabelList",
    "connect_async",
]
