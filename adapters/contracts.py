"""Passages as the JSON that other programs rely on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.retriever import SearchResult

_SCORE_DIGITS = 4
_TIME_DIGITS = 1


def search_json(question: str, result: SearchResult, limit: int) -> dict[str, Any]:
    """Return a search's result as `lorekeeper search --json` prints it."""
    results = [
        {
            "rank": rank,
            "document": passage.node.uri,
            "title": passage.node.title,
            "heading": " > ".join(passage.node.heading),
            "text": passage.text,
            "score": round(passage.score, _SCORE_DIGITS),
            "source": passage.node.source,
            "node": passage.node.id,
        }
        for rank, passage in enumerate(result.passages[:limit], start=1)
    ]
    return {
        "question": question,
        "results": results,
        "confidence": round(result.confidence, _SCORE_DIGITS),
        "milliseconds": round(result.milliseconds, _TIME_DIGITS),
    }
