"""Schedules, what connectors remember, hidden documents, and the store's versions around a run."""

import sqlalchemy as sa
from alembic import op

revision = "0002_upkeep"
down_revision = "0001_manifest"


def upgrade() -> None:
    """Add what the second release keeps."""
    op.add_column("documents", sa.Column("hidden", sa.Double, nullable=False, server_default="0"))
    op.add_column("documents", sa.Column("retry_at", sa.Double, nullable=False, server_default="0"))
    op.add_column("sync_runs", sa.Column("kind", sa.String(16), nullable=False, server_default="sync"))
    op.add_column("sync_runs", sa.Column("beat", sa.Double, nullable=False, server_default="0"))
    op.add_column("sync_runs", sa.Column("store", sa.String(64), nullable=False, server_default=""))
    op.add_column("sync_runs", sa.Column("version_before", sa.BigInteger))
    op.add_column("sync_runs", sa.Column("version_after", sa.BigInteger))
    op.add_column("sync_runs", sa.Column("listing", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "schedules",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("every", sa.Text, nullable=False),
        sa.Column("next_run", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("paused", sa.String(64), nullable=False),
    )
    op.create_table(
        "source_memory",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("key_hash", sa.String(32), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
