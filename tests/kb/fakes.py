"""Stand-ins for the parts of a sync that would be slow, or that a test must be able to break."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np

from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceUnavailable
from kb.nodes import Embedding, Piece, QuestionEmbedding, Vector
from kb.parsing.parsed import ParsedDocument
from kb.sources import AnySource

DIMENSION = 16


def vector_of(text: str) -> Vector:
    """Return a unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


class HashEmbedder:
    """Embeds by hash, counts what it embeds, and fails when told to."""

    identity = "hash-16"
    dimension = DIMENSION

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.fail: Callable[[Sequence[str]], None] = lambda _texts: None

    async def embed_passages(self, texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        self.fail(texts)
        self.texts += texts
        await asyncio.sleep(0)
        return [Embedding(vector=vector_of(text), tokens=b"t") for text in texts]

    async def embed_question(self, text: str) -> QuestionEmbedding:
        return QuestionEmbedding(vector=vector_of(text))

    async def close(self) -> None:
        return


class LineParser:
    """Makes a piece of each paragraph and a title of a first line that begins with `# `."""

    def __init__(self) -> None:
        self.parsed: list[str] = []
        self.bad: dict[str, DocumentUnreadable] = {}

    async def parse(self, data: bytes, name: str, media_type: str) -> ParsedDocument:
        self.parsed.append(name)
        if name in self.bad:
            raise self.bad[name]
        blocks = [block.strip() for block in data.decode().split("\n\n") if block.strip()]
        title = ""
        if blocks and blocks[0].startswith("# "):
            title = blocks.pop(0)[2:]
        if not blocks:
            raise DocumentUnreadable("holds 0 characters of text.", status="empty")
        return ParsedDocument(title=title, pieces=tuple(Piece(text=block) for block in blocks))

    async def close(self) -> None:
        return


class ScriptedConnector:
    """A source in memory that counts what is asked of it and breaks when told to."""

    def __init__(self, source: str, files: dict[str, str]) -> None:
        self.source = source
        self.files = files
        self.fetched: Counter[str] = Counter()
        self.list_fails_after: int | None = None
        self.fetch_fails_after: int | None = None
        self.bad: dict[str, DocumentUnreadable] = {}
        self.before_fetch: Callable[[str], None] = lambda _uri: None

    def __call__(self, settings: AnySource, *, max_bytes: int, dry: bool) -> ScriptedConnector:
        return self

    def version(self, uri: str) -> str:
        return hashlib.sha256(self.files[uri].encode()).hexdigest()[:12]

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        for place, uri in enumerate(sorted(self.files)):
            if place == self.list_fails_after:
                raise SourceUnavailable(f"Source {self.source!r} does not answer. Try again later.")
            yield DocumentRef(source=self.source, uri=uri, version=self.version(uri))
        if self.list_fails_after is not None and self.list_fails_after >= len(self.files):
            raise SourceUnavailable(f"Source {self.source!r} does not answer. Try again later.")

    async def fetch(self, ref: DocumentRef) -> Content:
        self.before_fetch(ref.uri)
        self.fetched[ref.uri] += 1
        if self.fetch_fails_after is not None and self.fetched.total() > self.fetch_fails_after:
            raise SourceUnavailable(f"Source {self.source!r} does not answer. Try again later.")
        if ref.uri in self.bad:
            raise self.bad[ref.uri]
        if ref.uri not in self.files:
            raise DocumentVanished(f"{ref.uri!r} is gone.")
        await asyncio.sleep(0)
        version = self.version(ref.uri)
        return Content(data=self.files[ref.uri].encode(), version=version if version != ref.version else None)
