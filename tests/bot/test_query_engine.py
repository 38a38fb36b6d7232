from __future__ import annotations

import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import AsyncStreamingResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.settings import _Settings

from bot.llms import Model
from bot.query_engine import MOST_PASSAGES, CitedSynthesizer, as_nodes, build_query_engine, fitting
from bot.settings import LlmSettings
from tests.bot.found import Passage, passage
from tests.emulators.openai import OpenAIEmulator, say


class Retriever(BaseRetriever):
    """Gives the same passages to every question."""

    def __init__(self, *passages: Passage) -> None:
        super().__init__(callback_manager=CallbackManager([]))
        self._nodes = as_nodes(passages, LlmSettings())

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        raise NotImplementedError

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._nodes


async def test_query_engine(server: OpenAIEmulator, model: Model) -> None:
    """LlamaIndex's query engine runs over a retriever and our synthesizer and streams the draft."""
    server.reply = lambda _request: say("PINs have ", "6 digits [1].")
    retriever = Retriever(passage("PINs have 6\u200b digits.", title="Printer", heading=("Access",)))
    engine = build_query_engine(retriever, CitedSynthesizer(model))
    response = await engine.aquery("How many digits?")
    assert isinstance(response, AsyncStreamingResponse)
    assert str(await response.get_response()) == "PINs have 6 digits [1]."
    assert "[1] begins\nPrinter > Access\nPINs have 6 digits.\n" in server.chats()[0].user


async def test_nothing_global(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """LlamaIndex's global settings are never asked for a model."""

    def asked(_self: object) -> None:
        raise AssertionError("the global settings were asked")

    for name in ("llm", "embed_model", "callback_manager"):
        monkeypatch.setattr(_Settings, name, property(asked))
    response = await build_query_engine(Retriever(passage("a")), CitedSynthesizer(model)).aquery("b?")
    assert isinstance(response, AsyncStreamingResponse)


def test_fitting() -> None:
    """As many passages as the window holds are told, one at least, and not too many."""
    small = LlmSettings(context_window=2048, max_tokens=548)
    assert len(fitting([passage("x" * 1_500)] * 5, small)) == 1
    assert len(fitting([passage("x" * 9_000)] * 5, small)) == 1
    assert len(fitting([passage("x")] * 50, LlmSettings())) == MOST_PASSAGES
    (node,) = as_nodes([passage("x" * 9_000)], small)
    assert len(node.node.get_content()) == 2_000
