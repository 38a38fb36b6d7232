"""Imports lancedb, once and quickly: the rest of the knowledge base takes its names from here.

lancedb pulls in a generated client of its cloud's REST interface: 200 data classes and 375 methods, for each
of which pydantic compiles a validator. That takes longer than all the rest of lancedb, and a local or
object store never calls it. While lancedb is imported, that client's names are given by plain classes.

On Python 3.11 lancedb also has the package `overrides` compare the signatures of all its methods with those
of their base classes, whenever it is imported; that is a fifth of what is left. Nothing is compared here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import TypeVar

import pyarrow as pa

_CLIENT = "lance_namespace_urllib3_client"
_CHECKS = "overrides"


class _Unused(ModuleType):
    """A module that has every name, as a class that keeps what it is given: answers are built of some."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (SimpleNamespace,), {})


class _UnusedLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Unused(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


class _UnusedFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _CLIENT:
            return None
        return ModuleSpec(fullname, _UnusedLoader(), is_package=True)


def _unchecked() -> ModuleType:
    """Return the names that lancedb takes from `overrides`, without its checks."""
    module = ModuleType(_CHECKS)
    vars(module).update(EnforceOverrides=object, override=lambda method: method)
    return module


@contextmanager
def _quickly() -> Iterator[None]:
    finder = _UnusedFinder()
    sys.meta_path.insert(0, finder)
    checks = sys.modules.get(_CHECKS)
    sys.modules[_CHECKS] = _unchecked()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        del sys.modules[_CHECKS]
        if checks is not None:
            sys.modules[_CHECKS] = checks


with _quickly():
    from lancedb import AsyncConnection, AsyncTable, connect_async
    from lancedb.index import FTS, Bitmap, BTree, IvfRq, LabelList
    from lancedb.query import AsyncFTSQuery as TextQuery
    from lancedb.query import AsyncQueryBase
    from lancedb.query import AsyncVectorQuery as NearestQuery

Query = TypeVar("Query", bound=AsyncQueryBase)


def without_blobs(query: Query) -> Query:
    """Tell a query that its table has no blob columns; lancedb else reads the schema to look for some.

    That takes half a millisecond a query.
    """
    query._table = None  # lancedb 0.40 has no public way to say so
    return query


async def rows_of(query: AsyncQueryBase, most: int) -> pa.Table:
    """Run a query that finds so many rows at most; its end is not waited for once they are there.

    To hear of it takes a tenth of what a search leg costs.
    """
    reader = await query.to_batches()
    batches: list[pa.RecordBatch] = []
    missing = most
    async for batch in reader:
        batches.append(batch)
        missing -= batch.num_rows
        if missing <= 0:
            break
    return pa.Table.from_batches(batches, schema=reader.schema)


__all__ = [
    "FTS",
    "AsyncConnection",
    "AsyncTable",
    "BTree",
    "Bitmap",
    "IvfRq",
    "LabelList",
    "NearestQuery",
    "TextQuery",
    "connect_async",
    "rows_of",
    "without_blobs",
]
