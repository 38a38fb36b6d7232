"""Imports lancedb, once and quickly: the rest of the knowledge base takes its names from here.

lancedb pulls in a generated client of its cloud's REST interface: 200 data classes and 375 methods, for each
of which pydantic compiles a validator. That takes longer than all the rest of lancedb, and a local or
object store never calls it. While lancedb is imported, that client's names are given by plain classes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

_CLIENT = "lance_namespace_urllib3_client"


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


@contextmanager
def _without_client() -> Iterator[None]:
    finder = _UnusedFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without_client():
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
