"""Personas: what people chose, how voices did, their models and votes."""

import sqlalchemy as sa
from alembic import op

revision = "0003_persona"
down_revision = "0002_chat"


def upgrade() -> None:
    """Create what personas need."""
    _create_choices()
    _create_outcomes()
    _create_pauses()
    _create_models()
    _create_ballots()
    _create_votes()


def _create_choices() -> None:
    op.create_table(
        "persona_choices",
        sa.Column("scope", sa.String(8), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )


def _create_outcomes() -> None:
    op.create_table(
        "persona_outcomes",
        sa.Column("answer", sa.String(32), primary_key=True),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lost", sa.Text, nullable=False),
        sa.Column("invented", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("milliseconds", sa.Double, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cost", sa.Double, nullable=False),
    )
    op.create_index("ix_persona_outcomes_persona_at", "persona_outcomes", ["persona", "at"])


def _create_pauses() -> None:
    op.create_table(
        "persona_pauses",
        sa.Column("persona", sa.Text, primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _create_models() -> None:
    op.create_table(
        "persona_models",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("backend", sa.String(16), nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("trained", sa.Double, nullable=False),
    )


def _create_ballots() -> None:
    op.create_table(
        "persona_ballots",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("persona", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("second", sa.Text, nullable=False),
        sa.Column("voiced", sa.String(8), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("closed", sa.Double, nullable=False),
    )
    op.create_index("ix_persona_ballots_persona_created", "persona_ballots", ["persona", "created"])


def _create_votes() -> None:
    op.create_table(
        "persona_votes",
        sa.Column("ballot", sa.String(32), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("choice", sa.String(8), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
