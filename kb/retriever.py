"""From a question to ranked passages with a confidence: two search legs, one order, neighbours joined."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kb import confidence, maxsim
from kb.documents import EVERYONE, Audience
from kb.nodes import Found, QuestionEmbedding, StoredNode, Vector
from kb.placing import with_places
from kb.ranking import VECTOR_SHARE, Ranked, fold, fuse, leading, rerank, spread
from kb.settings import RetrievalSettings
from kb.words import content_words, coverage, is_mostly_latin, words

if TYPE_CHECKING:
    from kb.embedding import Embedder

RERANKED = 40
LONGEST_QUESTION = 2_000  # characters: more than the model reads
_REMEMBERED = 32
_UNKNOWN_SCRIPT_SHARE = 0.2  # of the vector leg, where the embedded model knows few words


class Searchable(Protocol):
    """What the searcher asks of the store."""

    async def find_nearest(
        self, vector: Vector, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        """Find the nodes whose vectors are nearest."""
        ...

    async def find_matching(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        """Find the nodes that have words of the text."""
        ...

    async def read(self, found: Sequence[Found], audience: Audience) -> dict[str, StoredNode]:
        """Read what was found and may be seen, by id."""
        ...

    async def nodes_of(self, document_id: str) -> list[StoredNode]:
        """Return a document's nodes by position."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A ranked passage. `node` is what was found; `nodes` are it and its joined neighbours, in order.

    `same` holds nodes of other documents, or other places, that say the same and were folded.
    """

    node: StoredNode
    score: float
    text: str
    nodes: tuple[StoredNode, ...]
    same: tuple[StoredNode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Passages, best first, and how sure it is (0 to 1) that they hold an answer."""

    passages: tuple[Passage, ...]
    confidence: float
    milliseconds: float = 0.0
    question: QuestionEmbedding | None = field(default=None, repr=False)


class Searcher:
    """Searches a store. Any number of questions may be searched for at once."""

    def __init__(self, store: Searchable, embedder: Embedder, settings: RetrievalSettings) -> None:
        self.embedder = embedder
        self._store = store
        self._settings = settings
        self._remembered: OrderedDict[str, QuestionEmbedding] = OrderedDict()

    async def search(
        self,
        text: str,
        *,
        audience: Audience = EVERYONE,
        sources: Sequence[str] = (),
        limit: int | None = None,
    ) -> SearchResult:
        """Return the best passages that this audience may see; none for an empty text.

        `limit` counts nodes, before neighbours are joined; without it the settings decide. A text
        without a letter or a digit has no confidence, whatever it finds.
        """
        began = time.perf_counter()
        text = text[:LONGEST_QUESTION].strip()
        if not text:
            return SearchResult(passages=(), confidence=0.0)
        limit = limit or self._settings.results
        candidates = max(self._settings.candidates, limit)
        # Matching needs no vector, so it runs while the question is embedded.
        (question, nearest), matching = await asyncio.gather(
            self._nearest(text, limit=candidates, audience=audience, sources=sources),
            self._store.find_matching(text, limit=candidates, audience=audience, sources=sources),
        )
        share = VECTOR_SHARE if is_mostly_latin(text) else _UNKNOWN_SCRIPT_SHARE
        found = fuse(nearest, matching, vector_share=share)
        ranked = await self._read(found[:RERANKED], audience)
        alike, sure = _likeness(text, question, ranked)
        kept = fold(leading(self._ordered(ranked, alike)), limit)
        if len(kept) < limit:  # several say the same, or are of few documents
            ranked += await self._read(found[RERANKED:], audience)
            kept = fold(spread(self._ordered(ranked, alike)), limit)
        return SearchResult(
            passages=join(kept),
            confidence=sure if any(map(str.isalnum, text)) else 0.0,
            milliseconds=(time.perf_counter() - began) * 1000,
            question=question,
        )

    async def section(self, passage: Passage) -> tuple[StoredNode, ...]:
        """Return the nodes of the passage's section, in reading order."""
        nodes = await self._store.nodes_of(passage.node.document_id)
        around = [node for node in nodes if node.heading == passage.node.heading]
        run = _run_of(around, passage.node.position)
        return tuple(run) or passage.nodes

    async def _nearest(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str]
    ) -> tuple[QuestionEmbedding, list[Found]]:
        question = await self._embed(text)
        found = await self._store.find_nearest(
            question.vector, limit=limit, audience=audience, sources=sources
        )
        return question, found

    async def _read(self, found: Sequence[Found], audience: Audience) -> list[Ranked]:
        nodes = await self._store.read(found, audience)
        return [
            Ranked(node=nodes[one.id], fused=one.score, score=one.score) for one in found if one.id in nodes
        ]

    def _ordered(self, ranked: list[Ranked], alike: Sequence[float]) -> list[Ranked]:
        return rerank(ranked, alike) if self._settings.rerank else ranked

    async def _embed(self, text: str) -> QuestionEmbedding:
        known = self._remembered.get(text)
        if known is None:
            known = self._remembered[text] = await self.embedder.embed_question(text)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return known


def join(ranked: Sequence[Ranked]) -> tuple[Passage, ...]:
    """Merge results that stand next to each other in a document; a merged one has its best rank."""
    found = {(item.node.document_id, item.node.position): item for item in ranked}
    passages: list[Passage] = []
    for item in ranked:
        document, position = item.node.document_id, item.node.position
        if (document, position) not in found:
            continue
        first, last = position, position
        while (document, first - 1) in found:
            first -= 1
        while (document, last + 1) in found:
            last += 1
        run = [found.pop((document, at)) for at in range(first, last + 1)]
        passages.append(_joined(item, run))
    return tuple(passages)


def _joined(best: Ranked, run: Sequence[Ranked]) -> Passage:
    nodes = tuple(item.node for item in run)
    return Passage(
        node=best.node,
        score=best.score,
        text="\n\n".join(node.text for node in nodes),
        nodes=nodes,
        same=tuple(twin for item in run for twin in item.same),
    )


def _run_of(nodes: Iterable[StoredNode], position: int) -> list[StoredNode]:
    """Return the nodes that follow one another without a gap and include `position`."""
    run: list[StoredNode] = []
    for node in nodes:
        if run and node.position != run[-1].position + 1:
            if run[-1].position >= position:
                break
            run = []
        run.append(node)
    return run


def _likeness(text: str, question: QuestionEmbedding, ranked: Sequence[Ranked]) -> tuple[list[float], float]:
    """Return how like the question each passage is, and the confidence that the best one gives.

    The place of a document helps to find it; that it answers the question its words alone can tell.
    """
    packed = [item.node.embedding.tokens if item.node.embedding else b"" for item in ranked]
    similar = maxsim.similarities(question, packed) if is_mostly_latin(text) else None
    if similar is not None:
        said = maxsim.weighted(question, similar)
        placed = maxsim.weighted(question, with_places(similar, question, [item.node for item in ranked]))
        return placed.tolist(), confidence.from_maxsim(float(said.max(initial=0.0)))
    wanted = content_words(text)
    shares = [coverage(wanted, _words_of(item.node)) for item in ranked]
    return shares, confidence.from_coverage(max(shares, default=0.0))


def _words_of(node: StoredNode) -> frozenset[str]:
    return frozenset(words(" ".join((node.title, *node.heading, node.text))))
