"""The ledger: every answer with what it cites, how long each step took and what it cost."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.messages import Answer, Citation, Conversation, Question, Turn
from bot.tables import answer_citations, answers
from kb.database import migrate, reading, transaction

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "bot_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answer as the ledger holds it. `timings` maps a step to its milliseconds."""

    id: str
    asked: float
    asker: str
    conversation: str
    question: str
    answer: str
    answered: bool
    mode: str
    model: str
    confidence: float
    notice: str
    milliseconds: float
    timings: Mapping[str, float] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    nodes: tuple[str, ...] = ()  # hashes of the cited nodes, in order of their numbers


class Ledger:
    """Writes and reads answers in the SQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, engine: AsyncEngine) -> Ledger:
        """Bring this layer's tables to this release's version and return the ledger."""
        await migrate(engine, MIGRATIONS, VERSION_TABLE)
        return cls(engine)

    async def record(
        self,
        question: Question,
        answer: Answer,
        *,
        timings: Mapping[str, float],
        hashes: Mapping[str, str],
    ) -> str:
        """Keep an answer under its id and return the id. `hashes` maps a node's id to its hash."""
        row = _answer_row(question, answer, timings)
        cited = [_citation_row(answer.id, citation, hashes) for citation in answer.citations]
        async with transaction(self._engine) as connection:
            await connection.execute(insert(answers), row)
            if cited:
                await connection.execute(insert(answer_citations), cited)
        return answer.id

    async def recent(self, limit: int = 20) -> list[Entry]:
        """Return the latest answers, newest first."""
        query = select(answers).order_by(answers.c.asked.desc(), answers.c.id).limit(limit)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            cited = select(answer_citations).where(answer_citations.c.answer.in_([row["id"] for row in rows]))
            nodes = (await connection.execute(cited.order_by(answer_citations.c.number))).mappings().all()
        by_answer: dict[str, list[str]] = {}
        for node in nodes:
            by_answer.setdefault(node["answer"], []).append(node["node_hash"])
        return [_entry(dict(row), by_answer.get(row["id"], [])) for row in rows]

    async def conversation(self, conversation: str, limit: int = 6) -> Conversation:
        """Return the last turns of a conversation, oldest first; an empty id has none."""
        if not conversation:
            return Conversation()
        query = (
            select(answers.c.question, answers.c.answer)
            .where(answers.c.conversation == conversation)
            .order_by(answers.c.asked.desc(), answers.c.id)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        turns = tuple(Turn(question=asked, answer=said) for asked, said in reversed(rows))
        return Conversation(id=conversation, turns=turns)


def _answer_row(question: Question, answer: Answer, timings: Mapping[str, float]) -> dict[str, Any]:
    return {
        "id": answer.id,
        "asked": time.time(),
        "asker": _storable(question.asker.id),
        "conversation": _storable(question.conversation.id),
        "question": _storable(question.text),
        "answer": _storable(answer.text),
        "answered": answer.answered,
        "mode": answer.mode,
        "model": answer.model,
        "confidence": answer.confidence,
        "notice": _storable(answer.notice),
        "milliseconds": answer.milliseconds,
        "timings": json.dumps({step: round(value, 2) for step, value in timings.items()}),
        "input_tokens": answer.usage.input_tokens,
        "output_tokens": answer.usage.output_tokens,
        "cost": answer.usage.cost,
    }


def _citation_row(answer: str, citation: Citation, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "answer": answer,
        "number": citation.number,
        "node": citation.node,
        "node_hash": hashes.get(citation.node, ""),
        "source": citation.source,
        "document": _storable(citation.document),
    }


def _storable(text: str) -> str:
    """Replace what no database takes: lone surrogates, and NUL in PostgreSQL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _entry(row: dict[str, Any], nodes: list[str]) -> Entry:
    return Entry(**(row | {"timings": json.loads(row["timings"]), "nodes": tuple(nodes)}))
