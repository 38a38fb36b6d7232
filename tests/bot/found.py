"""What a search brings, made up for tests: passages, a searcher, a composer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bot.assistant import Assistant
from bot.ledger import Ledger
from bot.llms import Model
from bot.persona import Stylist
from kb.documents import EVERYONE, Audience, document_id
from kb.errors import KnowledgeBaseError
from kb.nodes import StoredNode, index_text, node_hash, node_id
from kb.settings import RetrievalSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    node: StoredNode
    text: str
    score: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    passages: tuple[Passage, ...]
    confidence: float = 0.9
    milliseconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    text: str
    used: tuple[Passage, ...]
    quotes: tuple[tuple[int, str], ...] = ()


def passage(
    text: str,
    *,
    title: str = "Handbook",
    heading: tuple[str, ...] = (),
    uri: str = "handbook.md",
    url: str = "",
    updated: float = 0.0,
) -> Passage:
    document = document_id("docs", uri)
    digest = node_hash(index_text(title, heading, text))
    node = StoredNode(
        id=node_id(document, digest, 0),
        document_id=document,
        source="docs",
        uri=uri,
        title=title,
        heading=heading,
        position=0,
        text=text,
        hash=digest,
        updated=updated,
        audience=("*",),
        url=url,
    )
    return Passage(node=node, text=text)


@dataclass(slots=True)
class FakeSearcher:
    """Gives the same result to every search and keeps what it was asked."""

    found: Found
    fails: KnowledgeBaseError | None = None
    asked: list[str] = field(default_factory=list)
    audiences: list[Audience] = field(default_factory=list)

    async def search(
        self, text: str, *, audience: Audience = EVERYONE, sources: Sequence[str] = (), limit: int = 10
    ) -> Found:
        self.asked.append(text)
        self.audiences.append(audience)
        if self.fails is not None:
            raise self.fails
        return self.found


async def quote_first(question: str, result: Found) -> Composed:
    """Quote the whole first passage."""
    first = result.passages[0]
    return Composed(text=f"{first.text} [1]", used=(first,), quotes=((0, first.text),))


def assistant(
    *passages: Passage,
    model: Model | None = None,
    ledger: Ledger | None = None,
    confidence: float = 0.9,
    searcher: FakeSearcher | None = None,
    stylist: Stylist | None = None,
) -> Assistant:
    searcher = searcher or FakeSearcher(Found(passages=passages, confidence=confidence))
    return Assistant(
        cast("Any", searcher),
        cast("Any", quote_first),
        model,
        ledger,
        RetrievalSettings(threshold=0.5),
        stylist,
    )
