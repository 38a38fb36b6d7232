"""An Answer as other programs read it: the JSON of `lorekeeper ask`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.messages import Answer, Citation, Voice

_CITATION_KEYS = ("number", "document", "title", "heading", "url", "quote", "updated", "source", "node")


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer; its keys are a contract (design, Contracts)."""
    told = {
        "question": answer.question,
        "answered": answer.answered,
        "answer": answer.text,
        "confidence": round(answer.confidence, 4),
        "citations": [_citation(citation) for citation in answer.citations],
        "nearest": [_citation(citation) for citation in answer.nearest],
        "mode": answer.mode,
        "model": answer.model,
        "milliseconds": round(answer.milliseconds, 1),
        "usage": asdict(answer.usage),
        "notice": answer.notice,
        "id": answer.id,
    }
    return told if answer.voice is None else told | {"persona": _voice(answer.voice)}


def _voice(voice: Voice) -> dict[str, Any]:
    """Return the step that gave the answer a voice, or failed to."""
    return {
        "name": voice.name,
        "mode": voice.mode,
        "model": voice.model,
        "verdict": voice.verdict,
        "reason": voice.reason,
        "lost": list(voice.lost),
        "invented": list(voice.invented),
        "tries": voice.tries,
        "milliseconds": round(voice.milliseconds, 1),
        "usage": asdict(voice.usage),
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {key: getattr(citation, key) for key in _CITATION_KEYS}
