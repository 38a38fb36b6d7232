"""The tables of this layer in the SQL database. Times are seconds since the epoch."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

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
    Column("detail", Text, nullable=False, server_default=""),  # JSON of the whole Answer
    Column("withdrawn", Boolean, nullable=False, server_default=false()),  # replaced, or its question deleted
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

# What people think of answers: one row a person and answer.
feedback = Table(
    "feedback",
    metadata,
    Column("answer", String(32), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", Double, nullable=False),
)

# What happened on the chat platforms and has to be seen to. Rows stay for a while after they are done, so
# that what is delivered again is known; their payload does not.
inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # in order of arrival
    Column("key", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("stamp", Text, nullable=False),  # of an edit, to tell the later one
    Column("platform", String(16), nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),  # the message itself where it is in no thread
    Column("person", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON of the Incoming; empty when done
    Column("received", Double, nullable=False),
    Column("state", String(8), nullable=False),  # new, running or done
    Column("result", String(16), nullable=False),  # how it ended; empty before
    Column("due", Double, nullable=False),
    Column("owner", Text, nullable=False),
    Column("until", Double, nullable=False),
    Column("attempt", Integer, nullable=False),  # grows with every claim: a fence
    Column("posting", Boolean, nullable=False),  # something of its reply may be visible
    Column("counted", Boolean, nullable=False),  # against its person's quota
    Column("stopped", Boolean, nullable=False),  # someone pressed stop
    Column("finished", Double, nullable=False),
    Index("ix_inbox_state_due", "state", "due"),
    Index("ix_inbox_subject", "subject"),
    Index("ix_inbox_person_received", "person", "received"),
)

# Which message of ours answers which subject.
replies = Table(
    "replies",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("answer", String(32), nullable=False),  # empty: one line in place of an answer
    Column("platform", String(16), nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("shown", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("incoming", Text, nullable=False),  # JSON of the Incoming, without what was there to reply to it
    Column("posted", Text, nullable=False),  # JSON of the Posted
    Column("called", Boolean, nullable=False),  # a person was called
    Column("resolved", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Index("ix_replies_answer", "answer"),
    Index("ix_replies_place", "platform", "workspace", "channel", "thread"),
)

reply_messages = Table(
    "reply_messages",
    metadata,
    Column("platform", String(16), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("message", Text, primary_key=True),
    Column("subject", Text, ForeignKey("replies.subject", ondelete="CASCADE"), nullable=False),
    Index("ix_reply_messages_subject", "subject"),
)

# What people and channels want: a persona, or none (empty).
persona_choices = Table(
    "persona_choices",
    metadata,
    Column("scope", String(8), primary_key=True),  # person, channel or all
    Column("id", Text, primary_key=True),
    Column("persona", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
)

# How each answer in a voice went: the verdict of the fact lock, time and cost of this step alone.
persona_outcomes = Table(
    "persona_outcomes",
    metadata,
    Column("answer", String(32), primary_key=True),
    Column("persona", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("model", Text, nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("lost", Text, nullable=False),  # JSON: a list
    Column("invented", Text, nullable=False),  # JSON: a list
    Column("tries", Integer, nullable=False),
    Column("milliseconds", Double, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", Double, nullable=False),
    Index("ix_persona_outcomes_persona_at", "persona", "at"),
)

# Personas that switched themselves off.
persona_pauses = Table(
    "persona_pauses",
    metadata,
    Column("persona", Text, primary_key=True),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("reason", Text, nullable=False),
)

# The models that training gave to personas.
persona_models = Table(
    "persona_models",
    metadata,
    Column("name", Text, primary_key=True),
    Column("model", Text, nullable=False),  # empty while it is trained
    Column("base_url", Text, nullable=False),
    Column("backend", String(16), nullable=False),
    Column("job", Text, nullable=False),
    Column("trained", Double, nullable=False),
)

# Two replies to one question that are voted on without their names.
persona_ballots = Table(
    "persona_ballots",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("persona", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("second", Text, nullable=False),
    Column("voiced", String(8), nullable=False),  # first or second: which one is in the voice
    Column("place", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("closed", Double, nullable=False),  # 0 while it is voted on
    Index("ix_persona_ballots_persona_created", "persona", "created"),
)

persona_votes = Table(
    "persona_votes",
    metadata,
    Column("ballot", String(32), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("choice", String(8), nullable=False),  # first, second or neither
    Column("at", Double, nullable=False),
)
