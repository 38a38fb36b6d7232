"""Pieces, embeddings and hits: what passes between parser, splitter, embedding model, store and retriever.

Level 0 as well: numpy is the only foreign import, so that the parsing child process stays small.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.plain import plain_text

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One passage of a split document, before it has an id.

    `text` is what a person is shown (Markdown). `heading` is the path of headings above it, outermost
    first, without the document's title. `page` is 1-based where the format has pages.
    """

    text: str
    heading: tuple[str, ...] = ()
    page: int | None = None


def index_text(title: str, heading: tuple[str, ...], text: str) -> str:
    """Return the text that is embedded and hashed: context first, plain words, the path never in it."""
    context = " > ".join(part for part in (title, *heading) if part)
    words = plain_text(text)
    return f"{context}\n{words}" if context else words


def node_hash(indexed: str) -> str:
    """Return the hash of an index text (32 hex digits): equal hashes share one vector."""
    return hashlib.sha256(indexed.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def node_id(document: str, digest: str, occurrence: int) -> str:
    """Return a node's id: stable while its document and text stay, whatever moves around it."""
    return hashlib.sha256(f"{document}\0{digest}\0{occurrence}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """A passage's vector (float32, unit length) and its packed word vectors for re-ranking.

    `tokens` is what `kb.maxsim.pack` made, or empty when the model gives no word vectors.
    """

    vector: Vector = field(repr=False)
    tokens: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionEmbedding:
    """A question's vector and, where the model gives them, its word vectors.

    `token_ids` has shape (n,), `token_vectors` (n, d) with unit rows; special tokens are left out.
    `token_words` names, for each of the n, the word that it is a piece of, as `kb.words` folds it.
    """

    vector: Vector = field(repr=False)
    token_ids: NDArray[np.int32] | None = field(default=None, repr=False)
    token_vectors: Vector | None = field(default=None, repr=False)
    token_words: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNode:
    """One row of the index, as written and as read. `embedding` is None unless asked for."""

    id: str
    document_id: str
    source: str
    uri: str
    title: str
    heading: tuple[str, ...]
    position: int
    text: str
    hash: str
    updated: float  # seconds since the epoch; 0 when unknown
    audience: tuple[str, ...]  # stored tags, never empty
    url: str = ""
    page: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    embedding: Embedding | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A node that one search leg found, before it is read. `row` is where it lay in the table then.

    `score` is cosine similarity or BM25, by leg.
    """

    id: str
    row: int
    score: float
