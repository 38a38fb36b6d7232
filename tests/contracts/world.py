"""What the contract suite of connectors runs in: a real source that the tests change.

A connector joins by a module `tests/contracts/<name>_world.py` with a class `<Name>World(World)`.
"""

from __future__ import annotations

import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from kb.connectors.base import Connector
from kb.documents import Content
from tests import contracts


class World(ABC):
    """A source that a test changes, and new connectors to it.

    What its kind of source cannot express is declared, so that those tests skip for it. All connectors of
    one world share what outlives a run: the data folder and, where there is one, the memory.
    """

    # Documents are files: under any name, with a size that is listed, with secrets and links among them.
    paths = True
    # `include` and `exclude` choose among the documents by their paths.
    globs = True
    # A document that is deleted leaves the listing.
    removes = True
    # Fetching goes on to give what was listed, after the source has changed.
    keeps_listed = False
    # Statuses that every request can be made to get, by `refuse`.
    refusals: tuple[int, ...] = ()
    # Uris besides the usual that lead out of the source.
    outside: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def open(self) -> None:  # noqa: B027 - a hook that few need
        """Start what the source needs, such as a server."""

    async def close(self) -> None:  # noqa: B027 - likewise
        """Stop it."""

    @abstractmethod
    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        """Return a new connector with the source name `world`."""

    @abstractmethod
    def invalid(self) -> Connector:
        """Return a connector whose definition can never work."""

    @abstractmethod
    def write(self, files: Mapping[str, bytes]) -> None:
        """Add or change documents.

        The names are stable keys to the world. Where `paths` is set they are the documents' paths, and a
        change leaves the time of the change as it was.
        """

    @abstractmethod
    def remove(self, path: str) -> None:
        """Delete a document; it may be written again."""

    @abstractmethod
    def break_source(self) -> None:
        """Make the whole source unreadable, as an outage does."""

    def uri(self, path: str) -> str:
        """Return the uri that the document written under this name has, or had last."""
        return path

    def shows(self, content: Content, data: bytes) -> bool:
        """Say whether the content is that of a document written with this data."""
        return content.data == data

    def link(self, links: Mapping[str, str]) -> None:
        """Add symbolic links with these targets, where the source can hold them."""
        raise NotImplementedError

    def forget(self) -> None:  # noqa: B027 - likewise
        """Lose the connectors' memory, where they have one."""

    def refuse(self, status: int) -> None:
        """Answer every request with one of `refusals` from now on."""
        raise NotImplementedError


def worlds() -> list[type[World]]:
    """Return the worlds of all connectors."""
    names = sorted(each.name for each in pkgutil.iter_modules(contracts.__path__))
    modules = [import_module(f"tests.contracts.{name}") for name in names if name.endswith("_world")]
    classes = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [
        each for each in dict.fromkeys(classes) if issubclass(each, World) and not inspect.isabstract(each)
    ]
