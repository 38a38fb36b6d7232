"""LlamaIndex's face of the extractive answers: a response synthesizer that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.llms import MockLLM
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, QueryType

from bot.extractive import Composer
from kb.llama_retriever import as_passage
from kb.retriever import SearchResult


class ExtractiveSynthesizer(BaseSynthesizer):
    """Quotes the best sentences of the retrieved nodes; the markers number the response's source nodes."""

    def __init__(self, composer: Composer) -> None:
        silent = MockLLM()  # the base class would else ask the global settings for a model
        super().__init__(
            llm=silent,
            callback_manager=CallbackManager([]),
            prompt_helper=PromptHelper.from_llm_metadata(silent.metadata, tokenizer=str.split),
            chat_prompt_helper=ChatPromptHelper.from_llm_metadata(silent.metadata, tokenizer=str.split),
        )
        self._composer = composer

    async def asynthesize(
        self, query: QueryType, nodes: list[NodeWithScore], *args: object, **kwargs: object
    ) -> Response:
        """Return the quoted answer to the query; empty when no node was retrieved."""
        question = query.query_str if isinstance(query, QueryBundle) else query
        passages = tuple(as_passage(node) for node in nodes)
        composed = await self._composer.compose(question, SearchResult(passages=passages, confidence=0.0))
        by_id = {node.node.node_id: node for node in nodes}
        return Response(
            response=composed.text,
            source_nodes=[by_id[passage.node.id] for passage in composed.used],
        )

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Refuse: nothing is prompted."""

    def get_response(self, query_str: str, text_chunks: Sequence[str], **kwargs: object) -> str:
        """Refuse: everything here is async."""
        raise NotImplementedError("Use asynthesize.")

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **kwargs: object) -> str:
        """Refuse: without the nodes nothing can be cited."""
        raise NotImplementedError("Use asynthesize.")
