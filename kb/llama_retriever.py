"""LlamaIndex's face of a Searcher, apart from it because importing LlamaIndex takes longer than searching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from kb.documents import EVERYONE, Audience
from kb.nodes import StoredNode
from kb.retriever import Passage, Searcher


class KnowledgeRetriever(BaseRetriever):
    """LlamaIndex's face of a Searcher: one NodeWithScore a passage, in rank order."""

    def __init__(
        self,
        searcher: Searcher,
        *,
        audience: Audience = EVERYONE,
        sources: Sequence[str] = (),
        limit: int | None = None,
    ) -> None:
        super().__init__(callback_manager=CallbackManager([]))
        self._searcher = searcher
        self._audience = audience
        self._sources = sources
        self._limit = limit

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        result = await self._searcher.search(
            query_bundle.query_str, audience=self._audience, sources=self._sources, limit=self._limit
        )
        return [as_llama_node(passage) for passage in result.passages]

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        raise NotImplementedError("Use aretrieve: everything here is async.")


def as_llama_node(passage: Passage) -> NodeWithScore:
    """Return a passage as LlamaIndex's node; its metadata has the stored node's fields."""
    fields = asdict(replace(passage.node, embedding=None))
    for key in ("id", "text", "embedding"):
        del fields[key]
    node = TextNode(
        id_=passage.node.id,
        text=passage.text,
        metadata=fields,
        excluded_embed_metadata_keys=list(fields),
        excluded_llm_metadata_keys=list(fields),
    )
    return NodeWithScore(node=node, score=passage.score)


def as_passage(found: NodeWithScore) -> Passage:
    """Return the passage that `as_llama_node` made this node of; joined neighbours are one node now."""
    fields = {**found.node.metadata, "heading": tuple(found.node.metadata["heading"])}
    fields["audience"] = tuple(fields["audience"])
    node = StoredNode(id=found.node.node_id, text=found.node.get_content(), **fields)
    return Passage(node=node, score=found.score or 0.0, text=node.text, nodes=(node,))
