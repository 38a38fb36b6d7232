"""The port of a source type: list what there is, fetch one of it. Nothing else.

The contract, tested for every implementation in `tests/contracts/test_connectors.py`:

- Listing yields each document once, in any order. It either ends having yielded all that the source
  holds, or raises `SourceUnavailable`: a listing that ends silently early would delete documents.
- Two listings of an unchanged source give equal refs. A changed document gets another version token.
- `fetch` returns the bytes that are there now; it raises `DocumentVanished` when the document is gone,
  `DocumentUnreadable` when only this document cannot be read, `SourceUnavailable` when nothing can.
- Nothing outside the source's root is ever listed or fetched.
- Constructing a connector does no work; `SourceInvalid` is raised by the first call of either method
  when the definition cannot work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from kb.documents import Content, DocumentRef
from kb.settings import ReadersSettings

if TYPE_CHECKING:
    from kb.fetch import Fetcher

MAX_BYTES = 1 << 30


class Connector(Protocol):
    """Reads one source."""

    def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document that the source holds now."""
        ...

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the content of a listed document."""
        ...


class Memory(Protocol):
    """What a connector remembers of its source from one run to the next, texts by key.

    It may be lost at any time: that costs requests and never truth. A cursor and the refs it stands for
    are kept in one call, so that none runs ahead.
    """

    async def recall(self) -> dict[str, str]:
        """Return everything that was kept, by key."""
        ...

    async def keep(self, entries: Mapping[str, str], *, drop: Collection[str] = ()) -> None:
        """Add or replace entries and drop others, all or nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a connector may use. `secret` looks up an environment variable; None when it is not set.

    `data` is the data folder, for mirrors and spools; a document larger than `max_bytes` is not read.
    """

    data: Path
    fetcher: Fetcher
    memory: Memory
    secret: Callable[[str], SecretStr | None]
    readers: ReadersSettings = field(default_factory=ReadersSettings)
    max_bytes: int = MAX_BYTES
