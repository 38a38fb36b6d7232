from __future__ import annotations

from bot.answer_json import answer_json
from bot.citations import build_citation
from bot.messages import Answer, Usage
from tests.bot.found import passage


def test_contract() -> None:
    """The object has the keys that other programs rely on."""
    citation = build_citation(1, passage("PINs have 6 digits.", heading=("A", "B")), claim="digits")
    told = answer_json(
        Answer(
            id="a1",
            question="How many?",
            answered=True,
            text="Six [1].",
            confidence=0.87654,
            citations=(citation,),
            milliseconds=12.345,
            usage=Usage(input_tokens=1, output_tokens=2, cost=0.5),
        )
    )
    assert told == {
        "question": "How many?",
        "answered": True,
        "answer": "Six [1].",
        "confidence": 0.8765,
        "citations": [
            {
                "number": 1,
                "document": "handbook.md",
                "title": "Handbook",
                "heading": "A > B",
                "url": "",
                "quote": "PINs have 6 digits.",
                "updated": "",
                "source": "docs",
                "node": citation.node,
            }
        ],
        "nearest": [],
        "mode": "extractive",
        "model": "",
        "milliseconds": 12.3,
        "usage": {"input_tokens": 1, "output_tokens": 2, "cost": 0.5},
        "notice": "",
        "id": "a1",
    }
