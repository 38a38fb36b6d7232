"""The LlamaIndex query engine, built part by part: nothing is taken from LlamaIndex's global settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from llama_index.core.base.response.schema import AsyncStreamingResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from bot.citations import evidence_text
from bot.llms import Model, system, user
from bot.output_gate import strip_unseen
from bot.prompts import new_boundary, question_prompt, system_prompt
from bot.settings import LlmSettings
from bot.spending import Spent

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.types import RESPONSE_TEXT_TYPE

    from bot.citations import Cited

MOST_PASSAGES = 8

_CHARACTERS_A_TOKEN = 3  # on the safe side, so that the prompt fits the window
_RULES = 2_500  # characters of the rules and the boundaries


class CitedSynthesizer(BaseSynthesizer):
    """Lets a model write from numbered passages, streamed.

    What it gives is a draft; `bot.checking` decides what of it is shown.
    """

    def __init__(self, model: Model) -> None:
        metadata = model.llama.metadata
        super().__init__(
            llm=model.llama,
            callback_manager=CallbackManager([]),
            # Their default tokenizer takes a second to load, and nothing here counts tokens with it.
            prompt_helper=PromptHelper.from_llm_metadata(metadata, tokenizer=str.split),
            chat_prompt_helper=ChatPromptHelper.from_llm_metadata(metadata, tokenizer=str.split),
            streaming=True,
        )
        self._model = model

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Refuse: the prompts are part of the checks."""

    def get_response(
        self, query_str: str, text_chunks: Sequence[str], **kwargs: object
    ) -> RESPONSE_TEXT_TYPE:
        """Refuse: everything here is async."""
        raise NotImplementedError("Use aget_response.")

    async def aget_response(
        self, query_str: str, text_chunks: Sequence[str], *, spent: Spent | None = None, **kwargs: object
    ) -> RESPONSE_TEXT_TYPE:
        """Return the draft as an async generator of deltas; `spent` collects its tokens."""
        boundary = new_boundary()
        messages = [system(system_prompt(boundary)), user(question_prompt(query_str, text_chunks, boundary))]
        return self._model.stream(messages, spent or Spent())


async def draft(
    model: Model, question: str, passages: Sequence[Cited], spent: Spent
) -> AsyncGenerator[str, None]:
    """Yield the deltas of the model's draft from these passages; `spent` collects its tokens."""
    nodes = as_nodes(passages, model.settings)
    response = await CitedSynthesizer(model).asynthesize(QueryBundle(question), nodes, spent=spent)
    assert isinstance(response, AsyncStreamingResponse)  # the synthesizer streams
    async with aclosing(response.response_gen) as deltas:
        async for delta in deltas:
            yield delta


def build_query_engine(retriever: BaseRetriever, synthesizer: BaseSynthesizer) -> RetrieverQueryEngine:
    """Return a query engine over our retriever and one of our synthesizers."""
    return RetrieverQueryEngine(
        retriever=retriever, response_synthesizer=synthesizer, callback_manager=CallbackManager([])
    )


def fitting(passages: Sequence[Cited], settings: LlmSettings) -> list[Cited]:
    """Return the first passages that fit into the model's window: at least one."""
    room = (settings.context_window - settings.max_tokens) * _CHARACTERS_A_TOKEN - _RULES
    kept: list[Cited] = []
    for passage in passages[:MOST_PASSAGES]:
        room -= len(evidence_text(passage))
        if kept and room < 0:
            break
        kept.append(passage)
    return kept


def _told(passage: Cited) -> str:
    return strip_unseen(evidence_text(passage))


def as_nodes(passages: Sequence[Cited], settings: LlmSettings) -> list[NodeWithScore]:
    """Return passages as LlamaIndex nodes, with title and headings in the text and nothing unseen."""
    longest = (settings.context_window - settings.max_tokens) * _CHARACTERS_A_TOKEN - _RULES
    return [
        NodeWithScore(
            node=TextNode(
                id_=passage.node.id, text=strip_unseen(evidence_text(passage))[: max(longest, 1000)]
            )
        )
        for passage in passages
    ]
