"""The embedding model from the settings: the embedded MiniLM, or any OpenAI-compatible API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kb import maxsim
from kb.minilm.model import Encoded, MiniLM
from kb.nodes import Embedding, QuestionEmbedding
from kb.settings import EmbeddingSettings
from kb.words import words_at

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from pydantic import SecretStr


class Embedder(Protocol):
    """Turns text into vectors of unit length.

    `identity` names the model: vectors of two identities must never meet in one store. `dimension` is
    the length of every vector. Every method may be called by many tasks at once, with any text, the
    empty one included, and raises `EmbeddingError` when the model does not answer.
    """

    @property
    def identity(self) -> str:
        """The name of the model that made the vectors."""
        ...

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        ...

    @property
    def llama(self) -> BaseEmbedding:
        """The same embedder as LlamaIndex's parts expect it; its async methods alone work."""
        ...

    async def embed_passages(self, texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        """Return an embedding for each text, in order; an equal text gets an equal vector.

        Urgent texts, which somebody waits for, do not wait for others that queue.
        """
        ...

    async def embed_question(self, text: str) -> QuestionEmbedding:
        """Return the embedding of a question; it does not wait for passages that queue."""
        ...

    async def close(self) -> None:
        """Release threads and connections. The embedder is not used afterwards."""
        ...


class MiniLMEmbedder:
    """The embedded model. Besides vectors it gives word vectors, packed for re-ranking."""

    dimension = MiniLM.dimension

    def __init__(self, model: MiniLM) -> None:
        self._model = model
        self.identity = model.identity

    @property
    def llama(self) -> BaseEmbedding:
        """The same embedder as LlamaIndex's parts expect it; its async methods alone work."""
        from kb.llama_embedding import LlamaEmbedding

        return LlamaEmbedding.over(self)

    async def embed_passages(self, texts: Sequence[str], *, urgent: bool = False) -> list[Embedding]:
        """Return an embedding for each text, in order; urgent ones pass those in the queue."""
        return await self._model.map(_passage, texts, urgent=urgent)

    async def embed_question(self, text: str) -> QuestionEmbedding:
        """Return the vector and word vectors of a question, past any passages in the queue."""
        encoded = await asyncio.to_thread(self._model.encode, text)
        return QuestionEmbedding(
            vector=encoded.vector,
            token_ids=encoded.token_ids,
            token_vectors=encoded.token_vectors,
            token_words=words_at(text, encoded.offsets[:, 0].tolist()),
        )

    async def close(self) -> None:
        """Stop the model's threads."""
        self._model.close()


def _passage(encoded: Encoded) -> Embedding:
    tokens = maxsim.pack(encoded.token_ids, encoded.token_vectors)
    return Embedding(vector=encoded.vector, tokens=tokens)


async def open_embedder(settings: EmbeddingSettings, cache: Path, api_key: SecretStr | None) -> Embedder:
    """Open the model that the settings name; raise EmbeddingError when it cannot work.

    An API is asked for one vector, which tells its dimension. `cache` holds the embedded model's graph.
    """
    if settings.provider == "minilm":
        return MiniLMEmbedder(await asyncio.to_thread(MiniLM.load, cache, threads=settings.threads))
    from kb.openai_embedding import OpenAIEmbedder

    return await OpenAIEmbedder.open(settings, api_key)
