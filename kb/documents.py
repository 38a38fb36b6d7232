"""The words of the knowledge base: what a source lists, what it hands over, and who may see it.

Level 0: this module imports nothing of ours and nothing heavy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

EVERYONE_TAG = "*"
# Carried by nodes that no search may find: their document is gone from its source, and they are kept
# until a second listing agrees. No asker holds it.
HIDDEN_TAG = "!hidden"


def document_id(source: str, uri: str) -> str:
    """Return the stable id of a document: 32 hex digits that depend on source and uri alone."""
    return hashlib.sha256(f"{source}\0{uri}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """One item that a source lists, before its content is read.

    `uri` is the path inside the source with `/` separators, or a URL; it is unique within the source.
    Equal `version` tokens mean equal content; an empty token means "unknown": the content is fetched.
    `size` is in bytes where the source tells it; `url` is a link that a person can open.
    """

    source: str
    uri: str
    version: str
    size: int | None = None
    url: str | None = None

    @property
    def document_id(self) -> str:
        """The stable id under which this document's nodes are stored."""
        return document_id(self.source, self.uri)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of one document as its source handed them over.

    `media_type` is what the source claims (may be empty); the parser decides by name and bytes too.
    `updated` is timezone-aware. `version` is the token of exactly these bytes when it differs from
    the listed one (the file changed between listing and reading).
    """

    data: bytes = field(repr=False)
    media_type: str = ""
    updated: datetime | None = None
    url: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """The tags an asker holds, or the tags a document is limited to.

    A document with no tags is for everyone. A limited document is visible to an asker who holds at
    least one of its tags.
    """

    tags: frozenset[str] = frozenset()

    def stored(self) -> list[str]:
        """Return the tags as the index stores them for a document: never empty, sorted."""
        return sorted(self.tags) if self.tags else [EVERYONE_TAG]

    def visible(self) -> list[str]:
        """Return the stored tags that an asker with this audience may see, sorted."""
        return sorted({*self.tags, EVERYONE_TAG} - {HIDDEN_TAG})


EVERYONE = Audience()
