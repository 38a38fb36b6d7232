"""Everything the knowledge base raises.

    KnowledgeBaseError
    ├── SourceInvalid             a source's definition cannot work (missing folder, bad address)
    │   └── SourceUnknown         no source has that name
    ├── SourceUnavailable         the source cannot be read now; nothing that it holds may be deleted
    ├── DocumentUnreadable        one document cannot be read; its neighbours go on
    │   └── DocumentVanished      it was listed and is gone by the time it is fetched
    ├── SyncRefused               a sync may not run as asked (another run holds the source)
    │   └── LeaseLost             another process has taken the source over during the run
    ├── FetchError                an address could not be read through the fetch gate
    │   ├── FetchRefused          it may not be read: no web address, or not a public host
    │   └── FetchFailed           the host did not answer, or not within the limits
    ├── EmbeddingError            the embedding model is missing, mis-set or does not answer
    └── StoreError                the store cannot be opened, read or written
        ├── StoreNewer            it was written by a newer release
        ├── StoreFull             the disk is full
        └── ModelMismatch         it was built with another embedding model

Every message is one line that names the thing, says what is wrong, and then what to do.
"""

from __future__ import annotations

from typing import Literal

DocumentStatus = Literal[
    "ok", "empty", "passed-over", "encrypted", "too-large", "unsupported", "unreadable", "vanished"
]
# What holds no text, a picture among the documents say, is named in reports and is no failure.
NO_FAILURE: tuple[DocumentStatus, ...] = ("ok", "empty", "passed-over")


class KnowledgeBaseError(Exception):
    """Base of all errors of this layer; its text is fit to be shown to a user."""


class SourceInvalid(KnowledgeBaseError):
    """A source's definition cannot work."""


class SourceUnknown(SourceInvalid):
    """No source has the name that was given."""


class SourceUnavailable(KnowledgeBaseError):
    """The source as a whole cannot be read now."""


class DocumentUnreadable(KnowledgeBaseError):
    """One document cannot be read. `status` says how, for reports and the manifest."""

    def __init__(self, reason: str, *, status: DocumentStatus = "unreadable") -> None:
        super().__init__(reason)
        self.status: DocumentStatus = status


class DocumentVanished(DocumentUnreadable):
    """A document was listed and could not be found when it was fetched."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, status="vanished")


class SyncRefused(KnowledgeBaseError):
    """A sync may not run as it was asked for."""


class LeaseLost(SyncRefused):
    """Another process has taken the source over; nothing more may be written."""


class FetchError(KnowledgeBaseError):
    """An address could not be read through the fetch gate."""


class FetchRefused(FetchError):
    """The address may not be read: it is no web address, or its host is not public."""


class FetchFailed(FetchError):
    """The host did not answer, or not within the limits of time and size."""


class EmbeddingError(KnowledgeBaseError):
    """The embedding model is missing, mis-set or does not answer."""


class StoreError(KnowledgeBaseError):
    """The store cannot be opened, read or written."""


class StoreNewer(StoreError):
    """The store was written by a newer release of this program."""


class StoreFull(StoreError):
    """The disk that holds the store is full."""


class ModelMismatch(StoreError):
    """The store was built with another embedding model."""
