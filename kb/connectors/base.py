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

from collections.abc import AsyncIterator
from typing import Protocol

from kb.documents import Content, DocumentRef


class Connector(Protocol):
    """Reads one source."""

    def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document that the source holds now."""
        ...

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the content of a listed document."""
        ...
