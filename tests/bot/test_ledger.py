from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ledger import Ledger
from bot.messages import Answer, Asker, Citation, Conversation, Question, Turn, Usage
from bot.tables import metadata
from kb.database import close_database, open_database, reading


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


@pytest.fixture
async def ledger(engine: AsyncEngine) -> Ledger:
    return await Ledger.open(engine)


def cited(number: int, node: str) -> Citation:
    return Citation(
        number=number,
        document="a.md",
        title="A",
        heading="",
        url="",
        quote="q",
        updated="",
        source="docs",
        node=node,
    )


def answer(key: str, text: str = "Six [1].", **more: object) -> Answer:
    fields: dict[str, object] = {
        "id": key,
        "question": "?",
        "answered": True,
        "text": text,
        "confidence": 0.8,
    }
    return Answer(**(fields | more))  # type: ignore[arg-type]  # a table of fields


async def test_an_entry_holds_everything(ledger: Ledger) -> None:
    """What is recorded is read back: text, citations as hashes, timings, tokens, cost."""
    question = Question(text="How many?", asker=Asker(id="U1"), conversation=Conversation(id="C1"))
    kept = answer(
        "a1",
        citations=(cited(1, "n1"), cited(2, "n2")),
        mode="model",
        model="test-model",
        milliseconds=12.5,
        usage=Usage(input_tokens=10, output_tokens=5, cost=0.25),
        notice="Note.",
    )
    key = await ledger.record(question, kept, timings={"retrieve": 3.14159}, hashes={"n1": "h1", "n2": "h2"})
    (entry,) = await ledger.recent()
    assert key == entry.id == "a1"
    assert (entry.question, entry.answer, entry.asker, entry.conversation) == (
        "How many?",
        "Six [1].",
        "U1",
        "C1",
    )
    assert (entry.mode, entry.model, entry.confidence, entry.notice) == ("model", "test-model", 0.8, "Note.")
    assert (entry.input_tokens, entry.output_tokens, entry.cost) == (10, 5, 0.25)
    assert (entry.nodes, entry.timings, entry.milliseconds) == (("h1", "h2"), {"retrieve": 3.14}, 12.5)
    assert entry.asked > 0


async def test_recent_is_newest_first(ledger: Ledger) -> None:
    """The latest answers come first, as many as asked for."""
    for key in ("a", "b", "c"):
        await ledger.record(Question(text=key), answer(key), timings={}, hashes={})
    assert [entry.id for entry in await ledger.recent(2)] == ["c", "b"]


async def test_conversation(ledger: Ledger) -> None:
    """A conversation's last turns come oldest first; others and an empty id bring none."""
    for key in ("a", "b", "c"):
        question = Question(text=f"{key}?", conversation=Conversation(id="T"))
        await ledger.record(question, answer(key, f"{key}!"), timings={}, hashes={})
    await ledger.record(Question(text="x?"), answer("x"), timings={}, hashes={})
    assert (await ledger.conversation("T", 2)).turns == (
        Turn(question="b?", answer="b!"),
        Turn(question="c?", answer="c!"),
    )
    assert (await ledger.conversation("")).turns == ()


async def test_odd_text(ledger: Ledger) -> None:
    """Lone surrogates and NUL are replaced, not refused."""
    await ledger.record(Question(text="a\ud800b\0c"), answer("a"), timings={}, hashes={})
    assert [entry.question for entry in await ledger.recent()] == ["a?b\ufffdc"]


async def test_tables_match_the_migrations(engine: AsyncEngine, ledger: Ledger) -> None:
    """The migrations make the tables, columns and indexes that the code names; opening twice is harmless."""
    await Ledger.open(engine)
    async with reading(engine) as connection:
        for table in metadata.sorted_tables:
            columns, indexes = await connection.run_sync(_made, table.name)
            assert columns == set(table.columns.keys())
            assert indexes == {index.name for index in table.indexes}


def _made(connection: Connection, table: str) -> tuple[set[str], set[str | None]]:
    """Return the names of a table's columns and indexes as the database has them."""
    inspector = inspect(connection)
    columns = {column["name"] for column in inspector.get_columns(table)}
    return columns, {index["name"] for index in inspector.get_indexes(table)}
