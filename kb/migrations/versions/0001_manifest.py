"""Sources, leases, documents and sync runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001_manifest"
down_revision = None


def upgrade() -> None:
    """Create the tables of the first release."""
    op.create_table(
        "sources",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("added", sa.Double, nullable=False),
    )
    op.create_table(
        "sync_leases",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    _create_documents()
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
    )
    op.create_index("ix_sync_runs_source_started", "sync_runs", ["source", "started"])


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("document_id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("nodes", sa.Integer, nullable=False),
        sa.Column("pipeline", sa.String(32), nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("recorded", sa.Double, nullable=False),
    )
    op.create_index("ix_documents_source", "documents", ["source"])
    op.create_table(
        "pending_documents",
        sa.Column("document_id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
    )
    op.create_index("ix_pending_documents_source", "pending_documents", ["source"])
