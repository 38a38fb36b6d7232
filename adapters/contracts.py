"""Answers, passages and reports as the JSON that other programs rely on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.messages import Answer, Citation

if TYPE_CHECKING:
    from kb.retriever import SearchResult

_SCORE_DIGITS = 4
_TIME_DIGITS = 1


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as `lorekeeper ask --json` prints it."""
    return {
        "question": answer.question,
        "answered": answer.answered,
        "answer": answer.text,
        "confidence": round(answer.confidence, _SCORE_DIGITS),
        "citations": _citations(answer.citations),
        "nearest": _citations(answer.nearest),
        "mode": answer.mode,
        "model": answer.model,
        "milliseconds": round(answer.milliseconds, _TIME_DIGITS),
        "usage": asdict(answer.usage),
        "notice": answer.notice,
    }


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


def _citations(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [asdict(citation) for citation in citations]
