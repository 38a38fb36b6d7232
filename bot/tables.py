"""The tables of this layer in the SQL database. Times are seconds since the epoch."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("asked", Double, nullable=False),
    Column("asker", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("notice", Text, nullable=False),
    Column("milliseconds", Double, nullable=False),
    Column("timings", Text, nullable=False),  # JSON: step → milliseconds
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", Double, nullable=False),
    Index("ix_answers_conversation_asked", "conversation", "asked"),
    Index("ix_answers_asked", "asked"),
)

answer_citations = Table(
    "answer_citations",
    metadata,
    Column("answer", String(32), ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("node", String(32), nullable=False),
    Column("node_hash", String(32), nullable=False),
    Column("source", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_answer_citations_document", "source", "document"),
)
