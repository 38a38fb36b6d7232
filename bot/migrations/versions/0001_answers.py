"""Answers and what they cite."""

import sqlalchemy as sa
from alembic import op

revision = "0001_answers"
down_revision = None


def upgrade() -> None:
    """Create the tables of the first release."""
    op.create_table(
        "answers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("asked", sa.Double, nullable=False),
        sa.Column("asker", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Double, nullable=False),
        sa.Column("timings", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cost", sa.Double, nullable=False),
    )
    op.create_index("ix_answers_conversation_asked", "answers", ["conversation", "asked"])
    op.create_index("ix_answers_asked", "answers", ["asked"])
    _create_citations()


def _create_citations() -> None:
    op.create_table(
        "answer_citations",
        sa.Column("answer", sa.String(32), sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("node", sa.String(32), nullable=False),
        sa.Column("node_hash", sa.String(32), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("ix_answer_citations_document", "answer_citations", ["source", "document"])
