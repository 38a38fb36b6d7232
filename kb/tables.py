"""The tables of this layer in the SQL database. Times are seconds since the epoch."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("definition", Text, nullable=False),
    Column("added", Double, nullable=False),
)

leases = Table(
    "sync_leases",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("owner", Text),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("uri", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content_hash", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("nodes", Integer, nullable=False),
    Column("pipeline", String(32), nullable=False),
    Column("audience", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("recorded", Double, nullable=False),
    Column("hidden", Double, nullable=False, server_default="0"),
    Column("retry_at", Double, nullable=False, server_default="0"),
    Index("ix_documents_source", "source"),
)

pending = Table(
    "pending_documents",
    metadata,
    Column("document_id", String(32), primary_key=True),
    Column("source", String(64), nullable=False),
    Index("ix_pending_documents_source", "source"),
)

runs = Table(
    "sync_runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("owner", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("finished", Double),
    Column("status", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("kind", String(16), nullable=False, server_default="sync"),
    Column("beat", Double, nullable=False, server_default="0"),
    Column("store", String(64), nullable=False, server_default=""),
    Column("version_before", BigInteger),
    Column("version_after", BigInteger),
    Column("listing", String(64), nullable=False, server_default=""),
    Index("ix_sync_runs_source_started", "source", "started"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("every", Text, nullable=False),
    Column("next_run", Double, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("paused", String(64), nullable=False),
)

source_memory = Table(
    "source_memory",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("key_hash", String(32), primary_key=True),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
)
