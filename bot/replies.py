"""Which messages of the bot answer what, so that they are found again: to revise, remove, share, approve."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, UpdateBase, and_, case, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.chat import Incoming, Place, Posted, Shown
from bot.chat_json import read_incoming, read_posted, storable, write_incoming, write_posted
from bot.group_commit import shared_commits
from bot.ledger import MIGRATIONS, VERSION_TABLE
from bot.tables import replies, reply_messages
from kb.database import inserting, migrate, reading

Begun = Literal["new", "again", "taken"]
State = Literal["begun", "posted", "removed", "discarded"]

SHARED = ":shared"  # ends the subject of a private answer's public twin
WAITING = ":waiting"  # ends the subject of the line that says that a reviewer looks at the answer
PATIENCE = 120.0  # seconds that someone who began a reply has to post it


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """One reply. `answer` is empty where a line stands in place of an answer.

    `thread` names the thread that the reply stands in, in the words of `Place`.
    """

    subject: str
    answer: str
    thread: str
    shown: Shown
    state: State
    incoming: Incoming
    posted: Posted
    called: bool = False
    resolved: bool = False
    created: float = 0.0
    changed: float = 0.0


class Replies:
    """Keeps replies in the SQL database."""

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        self._writes = shared_commits(engine)

    @classmethod
    async def open(cls, engine: AsyncEngine, *, clock: Callable[[], float] = time.time) -> Replies:
        """Bring this layer's tables to this release's version and return the replies."""
        await migrate(engine, MIGRATIONS, VERSION_TABLE)
        return cls(engine, clock=clock)

    async def by_subject(self, subject: str) -> Replied | None:
        """Return the reply to a message, in whatever state."""
        return await self._one(replies.c.subject == storable(subject))

    async def waiting(self, subject: str) -> Replied | None:
        """Return the line that says that the answer to a message is being looked at, if it stands."""
        line = await self.by_subject(subject + WAITING)
        return line if line is not None and line.state == "posted" else None

    async def by_answer(self, answer: str) -> Replied | None:
        """Return the reply that shows an answer."""
        return await self._one(replies.c.answer == answer) if answer else None

    async def by_message(self, platform: str, channel: str, message: str) -> Replied | None:
        """Return the reply that a message of the bot is part of."""
        subject = select(reply_messages.c.subject).where(
            reply_messages.c.platform == platform,
            reply_messages.c.channel == channel,
            reply_messages.c.message == message,
        )
        return await self._one(replies.c.subject.in_(subject))

    async def to(self, subject: str) -> list[Replied]:
        """Return the replies to a message that stand, the public one first."""
        subject = storable(subject)
        query = select(replies).where(
            replies.c.subject.in_((subject, subject + SHARED)), replies.c.state == "posted"
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return sorted((_replied(dict(row)) for row in rows), key=lambda one: one.shown != "public")

    async def owns(self, place: Place) -> bool:
        """Tell whether the bot has answered in this thread for all to see."""
        if not place.thread:
            return False
        query = select(replies.c.subject).where(
            replies.c.platform == place.platform,
            replies.c.workspace == place.workspace,
            replies.c.channel == place.channel,
            replies.c.thread == place.thread,
            replies.c.state == "posted",
            replies.c.shown == "public",
        )
        async with reading(self._engine) as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def keep(self, incoming: Incoming, *, answer: str, shown: Shown, posted: Posted) -> None:
        """Note a reply that was posted, in place of what was noted of its subject."""

        async def work(connection: AsyncConnection) -> None:
            await keep(connection, incoming, answer=answer, shown=shown, posted=posted, now=self._clock())

        await self._writes.run(work)

    async def begin(self, incoming: Incoming) -> Begun:
        """Take the right to post a reply of which nothing is noted yet.

        Who began and did not post for `PATIENCE` seconds has lost the right: then it is had "again", and
        something may have been posted.
        """
        now = self._clock()
        nothing = Posted(channel=incoming.place.channel, messages=())
        row = _row(incoming, answer="", shown="public", posted=nothing, now=now) | {"state": "begun"}
        new = inserting(self._engine, replies).values(row).on_conflict_do_nothing()
        taken_over = (
            update(replies)
            .where(
                replies.c.subject == row["subject"],
                or_(
                    replies.c.state.in_(("removed", "discarded")),
                    and_(replies.c.state == "begun", replies.c.changed < now - PATIENCE),
                ),
            )
            .values(state="begun", changed=now)
        )

        async def work(connection: AsyncConnection) -> Begun:
            if (await connection.execute(new)).rowcount == 1:
                return "new"
            return "again" if (await connection.execute(taken_over)).rowcount == 1 else "taken"

        return await self._writes.run(work)

    async def give_back(self, subject: str, *, posted: bool) -> None:
        """Give the right to post back; `posted` tells that something may have been posted all the same."""
        mine = and_(replies.c.subject == storable(subject), replies.c.state == "begun")
        unclear = update(replies).where(mine).values(changed=0.0)
        await self._run(unclear if posted else delete(replies).where(mine))

    async def take(self, reply: Replied, state: State) -> bool:
        """Change the state of a reply that stands; False when it stands no more."""
        mine = and_(replies.c.subject == storable(reply.subject), replies.c.state == "posted")
        return await self._run(update(replies).where(mine).values(state=state, changed=self._clock())) == 1

    async def call(self, subject: str, *, called: bool = True) -> bool:
        """Note that a person was called; False when it was noted before."""
        changed = and_(replies.c.subject == storable(subject), replies.c.called.is_not(called))
        return await self._run(update(replies).where(changed).values(called=called)) == 1

    async def resolve(self, subject: str) -> bool:
        """Note that a question is settled; False when it was noted before."""
        open_one = and_(replies.c.subject == storable(subject), replies.c.resolved.is_(False))
        return await self._run(update(replies).where(open_one).values(resolved=True)) == 1

    async def _run(self, statement: UpdateBase) -> int:
        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(statement)).rowcount)

        return await self._writes.run(work)

    async def _one(self, where: ColumnElement[bool]) -> Replied | None:
        standing_first = (case((replies.c.state == "posted", 0), else_=1), replies.c.changed.desc())
        query = select(replies).where(where).order_by(*standing_first).limit(1)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().first()
        return _replied(dict(row)) if row is not None else None


async def keep(
    connection: AsyncConnection, incoming: Incoming, *, answer: str, shown: Shown, posted: Posted, now: float
) -> None:
    """Note a reply that was posted, within a transaction."""
    row = _row(incoming, answer=answer, shown=shown, posted=posted, now=now)
    subject = row.pop("subject")
    fresh = {name: value for name, value in row.items() if name != "created"}
    changed = await connection.execute(update(replies).where(replies.c.subject == subject).values(**fresh))
    if changed.rowcount == 0:
        await connection.execute(insert(replies), {"subject": subject, **row})
    await connection.execute(delete(reply_messages).where(reply_messages.c.subject == subject))
    for message in dict.fromkeys(posted.messages):
        ours = {"platform": row["platform"], "channel": posted.channel, "message": message}
        await connection.execute(delete(reply_messages).where(*_equal(ours)))
        await connection.execute(insert(reply_messages), {**ours, "subject": subject})


async def remove(connection: AsyncConnection, subject: str, *, now: float) -> None:
    """Note that a reply was taken away, and forget the question it was to."""
    ours = replies.c.subject == storable(subject)
    row = (await connection.execute(select(replies.c.incoming).where(ours))).first()
    if row is None:
        return
    blank = write_incoming(replace(read_incoming(row.incoming), text="", attachments=()))
    values = {"state": "removed", "incoming": blank, "changed": now}
    await connection.execute(update(replies).where(ours).values(**values))
    await connection.execute(delete(reply_messages).where(reply_messages.c.subject == storable(subject)))


def _equal(values: dict[str, str]) -> list[ColumnElement[bool]]:
    return [reply_messages.c[name] == value for name, value in values.items()]


def _row(incoming: Incoming, *, answer: str, shown: Shown, posted: Posted, now: float) -> dict[str, Any]:
    place = incoming.place
    return {
        "subject": storable(incoming.subject),
        "answer": answer,
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": posted.thread or place.thread,
        "person": storable(incoming.person),
        "shown": shown,
        "state": "posted",
        "incoming": write_incoming(incoming, keep_reply_to=False),
        "posted": write_posted(posted),
        "called": False,
        "resolved": False,
        "created": now,
        "changed": now,
    }


def _replied(row: dict[str, Any]) -> Replied:
    names = ("subject", "answer", "thread", "shown", "state", "called", "resolved", "created", "changed")
    return Replied(
        incoming=read_incoming(row["incoming"]),
        posted=read_posted(row["posted"]),
        **{name: row[name] for name in names},
    )
