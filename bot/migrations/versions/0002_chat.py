"""Chat platforms: the inbox, replies, feedback, and whole answers for the buttons under them."""

import sqlalchemy as sa
from alembic import op

revision = "0002_chat"
down_revision = "0001_answers"


def upgrade() -> None:
    """Create what answering in chats needs."""
    op.add_column("answers", sa.Column("detail", sa.Text, nullable=False, server_default=""))
    op.add_column("answers", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "feedback",
        sa.Column("answer", sa.String(32), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("good", sa.Boolean, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    _create_inbox()
    _create_replies()


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("received", sa.Double, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("posting", sa.Boolean, nullable=False),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("finished", sa.Double, nullable=False),
    )
    op.create_index("ix_inbox_state_due", "inbox", ["state", "due"])
    op.create_index("ix_inbox_subject", "inbox", ["subject"])
    op.create_index("ix_inbox_person_received", "inbox", ["person", "received"])


def _create_replies() -> None:
    op.create_table(
        "replies",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("answer", sa.String(32), nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("shown", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("incoming", sa.Text, nullable=False),
        sa.Column("posted", sa.Text, nullable=False),
        sa.Column("called", sa.Boolean, nullable=False),
        sa.Column("resolved", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_index("ix_replies_answer", "replies", ["answer"])
    op.create_index("ix_replies_place", "replies", ["platform", "workspace", "channel", "thread"])
    op.create_table(
        "reply_messages",
        sa.Column("platform", sa.String(16), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, sa.ForeignKey("replies.subject", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("ix_reply_messages_subject", "reply_messages", ["subject"])
