"""LlamaIndex's face of an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.embeddings import BaseEmbedding

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.nodes import Vector


class LlamaEmbedding(BaseEmbedding):
    """A LlamaIndex embedding model over an `Embedder`. Synchronous calls raise: they would block the loop."""

    _embedder: Embedder = PrivateAttr()

    @classmethod
    def over(cls, embedder: Embedder) -> LlamaEmbedding:
        """Return the face of an embedder."""
        face = cls(model_name=embedder.identity)
        face._embedder = embedder
        return face

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex's events show."""
        return "LorekeeperEmbedding"

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return _numbers((await self._embedder.embed_question(query)).vector)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [_numbers(passage.vector) for passage in await self._embedder.embed_passages(texts)]

    def _get_query_embedding(self, query: str) -> NoReturn:
        _refuse("aget_query_embedding")

    def _get_text_embedding(self, text: str) -> NoReturn:
        _refuse("aget_text_embedding")


def _numbers(vector: Vector) -> list[float]:
    return [float(number) for number in vector]


def _refuse(instead: str) -> NoReturn:
    raise NotImplementedError(f"This embedding model is async only. Await {instead!r} instead.")
