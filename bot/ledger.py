"""The ledger: every answer with what it cites, how long each step took, what it cost, what people think."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat_json import read_answer, storable, write_answer
from bot.group_commit import shared_commits
from bot.messages import Answer, Citation, Conversation, Question, Turn
from bot.tables import answer_citations, answers, feedback
from kb.database import migrate, reading

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "bot_version"
_NEVER = 1e12


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
    withdrawn: bool = False  # another answer took its place, or its question was deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person thinks of one answer. `person` is an asker's id, `at` in seconds since the epoch."""

    answer: str
    person: str
    good: bool
    comment: str
    at: float


class Ledger:
    """Writes and reads answers in the SQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writes = shared_commits(engine)

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
        """Keep an answer under its id, in place of what was kept under it, and return the id.

        `hashes` maps a node's id to its hash.
        """
        row = _answer_row(question, answer, timings)
        cited = [_citation_row(answer.id, citation, hashes) for citation in answer.citations]

        async def work(connection: AsyncConnection) -> None:
            if question.id:  # asked once more, after a crash or a platform's refusal
                await connection.execute(delete(answers).where(answers.c.id == answer.id))
            await connection.execute(insert(answers), row)
            if cited:
                await connection.execute(insert(answer_citations), cited)

        await self._writes.run(work)
        return answer.id

    async def answer(self, answer: str, *, since: float = 0.0) -> Answer | None:
        """Return an answer, whole; None when none was kept under this id since then, or not whole."""
        query = select(answers.c.detail).where(answers.c.id == answer, answers.c.asked >= since)
        async with reading(self._engine) as connection:
            return read_answer((await connection.execute(query)).scalar_one_or_none() or "")

    async def rate(self, answer: str, person: str, *, good: bool, comment: str = "") -> bool | None:
        """Keep what a person thinks of an answer, in place of what they thought before.

        Return what they thought before, None when nothing. An empty comment leaves an earlier one of the same
        opinion.
        """
        mine = and_(feedback.c.answer == answer, feedback.c.person == storable(person))
        row = {"good": good, "comment": storable(comment), "at": time.time()}

        async def work(connection: AsyncConnection) -> bool | None:
            before = (await connection.execute(select(feedback).where(mine).with_for_update())).first()
            if before is None:
                values = {"answer": answer, "person": storable(person), **row}
                await connection.execute(insert(feedback), values)
                return None
            if not comment and before.good == good:
                row["comment"] = before.comment
            await connection.execute(update(feedback).where(mine).values(**row))
            return bool(before.good)

        return await self._writes.run(work)

    async def withdraw(self, answer: str) -> None:
        """Take an answer out of its conversation."""
        await self._writes.run(partial(withdraw, answer=answer))

    async def place(self, answer: str, conversation: str) -> None:
        """Put an answer into the conversation that it turned out to begin."""
        await self._writes.run(partial(place, answer=answer, conversation=conversation))

    async def ratings(self, answer: str) -> list[Feedback]:
        """Return what people think of an answer, oldest first."""
        query = select(feedback).where(feedback.c.answer == answer).order_by(feedback.c.at)
        async with reading(self._engine) as connection:
            return [Feedback(**row) for row in (await connection.execute(query)).mappings()]

    async def opinions(self, since: float = 0.0) -> tuple[int, int]:
        """Count the good and the bad opinions since then."""
        query = select(feedback.c.good, func.count()).where(feedback.c.at >= since).group_by(feedback.c.good)
        async with reading(self._engine) as connection:
            counts = {bool(good): int(number) for good, number in (await connection.execute(query)).all()}
        return counts.get(True, 0), counts.get(False, 0)

    async def recent(self, limit: int = 20, *, asker: str | None = None) -> list[Entry]:
        """Return the latest answers, newest first, of all or of one asker."""
        query = select(*_ENTRY).order_by(answers.c.asked.desc(), answers.c.id).limit(limit)
        if asker is not None:
            query = query.where(answers.c.asker == storable(asker))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            cited = select(answer_citations).where(answer_citations.c.answer.in_([row["id"] for row in rows]))
            nodes = (await connection.execute(cited.order_by(answer_citations.c.number))).mappings().all()
        by_answer: dict[str, list[str]] = {}
        for node in nodes:
            by_answer.setdefault(node["answer"], []).append(node["node_hash"])
        return [_entry(dict(row), by_answer.get(row["id"], [])) for row in rows]

    async def conversation(
        self,
        conversation: str,
        limit: int = 6,
        *,
        since: float = 0.0,
        until: float | None = None,
        besides: Collection[str] = (),
    ) -> Conversation:
        """Return the last turns of a conversation, oldest first; an empty id has none.

        Left out are turns from before `since` and from `until` on, the answers `besides`, and withdrawn ones.
        """
        if not conversation:
            return Conversation()
        query = (
            select(answers.c.question, answers.c.answer)
            .where(
                answers.c.conversation == conversation,
                answers.c.asked >= since,
                answers.c.asked < (until if until is not None else _NEVER),
                answers.c.id.not_in(besides),
                answers.c.withdrawn.is_(False),
            )
            .order_by(answers.c.asked.desc(), answers.c.id)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        turns = tuple(Turn(question=asked, answer=said) for asked, said in reversed(rows))
        return Conversation(id=conversation, turns=turns)


_ENTRY = [column for column in answers.c if column.name != "detail"]


async def withdraw(connection: AsyncConnection, answer: str) -> None:
    """Take an answer out of its conversation: another took its place, or its question was deleted."""
    await connection.execute(update(answers).where(answers.c.id == answer).values(withdrawn=True))


async def place(connection: AsyncConnection, answer: str, conversation: str) -> None:
    """Put an answer into the conversation that it turned out to begin."""
    await connection.execute(update(answers).where(answers.c.id == answer).values(conversation=conversation))


def _answer_row(question: Question, answer: Answer, timings: Mapping[str, float]) -> dict[str, Any]:
    return {
        "id": answer.id,
        "asked": time.time(),
        "asker": storable(question.asker.id),
        "conversation": storable(question.conversation.id),
        "question": storable(question.text),
        "answer": storable(answer.text),
        "answered": answer.answered,
        "mode": answer.mode,
        "model": answer.model,
        "confidence": answer.confidence,
        "notice": storable(answer.notice),
        "milliseconds": answer.milliseconds,
        "timings": json.dumps({step: round(value, 2) for step, value in timings.items()}),
        "input_tokens": answer.usage.input_tokens,
        "output_tokens": answer.usage.output_tokens,
        "cost": answer.usage.cost,
        "detail": write_answer(answer),
    }


def _citation_row(answer: str, citation: Citation, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "answer": answer,
        "number": citation.number,
        "node": citation.node,
        "node_hash": hashes.get(citation.node, ""),
        "source": citation.source,
        "document": storable(citation.document),
    }


def _entry(row: dict[str, Any], nodes: list[str]) -> Entry:
    return Entry(**(row | {"timings": json.loads(row["timings"]), "nodes": tuple(nodes)}))
