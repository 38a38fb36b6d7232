from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Posted
from bot.replies import SHARED, Replies
from kb.database import close_database, open_database
from tests.bot.surface import CHANNEL, message

LONG = Posted(channel="C1", messages=("m1", "m2"), thread="1")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await close_database(opened)


@pytest.fixture
async def replies(engine: AsyncEngine) -> Replies:
    return await Replies.open(engine)


async def test_a_reply_is_found_by_all_its_names(replies: Replies) -> None:
    """A reply is found by its question, its answer and each message it was split into."""
    await replies.keep(message(1, "a\0\ud800"), answer="a1", shown="public", posted=LONG)
    found = [
        await replies.by_subject(message(1).subject),
        await replies.by_answer("a1"),
        await replies.by_message("slack", "C1", "m1"),
        await replies.by_message("slack", "C1", "m2"),
    ]
    assert all(one is not None and one.posted == LONG for one in found)
    assert [one.incoming.text for one in found if one is not None] == ["a\0\ud800"] * 4
    assert await replies.by_message("slack", "C2", "m1") is None
    assert await replies.by_answer("") is None


async def test_a_revised_reply(replies: Replies) -> None:
    """A revised reply keeps when it was first posted, and its old messages lead nowhere."""
    await replies.keep(message(1), answer="a1", shown="public", posted=LONG)
    first = await replies.by_subject(message(1).subject)
    await replies.keep(message(1), answer="a2", shown="public", posted=replace(LONG, messages=("m3",)))
    second = await replies.by_subject(message(1).subject)
    assert first is not None
    assert second is not None
    assert (second.answer, second.created) == ("a2", first.created)
    assert await replies.by_message("slack", "C1", "m1") is None
    assert await replies.by_answer("a1") is None


async def test_what_the_bot_owns(replies: Replies) -> None:
    """The bot owns a thread in which it has answered for all to see, and nothing else."""
    thread = replace(CHANNEL, thread="1")
    await replies.keep(message(1), answer="a1", shown="private", posted=LONG)
    assert not await replies.owns(thread)
    await replies.keep(
        message(2, thread="1"), answer="a2", shown="public", posted=replace(LONG, messages=("n",))
    )
    assert await replies.owns(thread)
    assert not await replies.owns(CHANNEL)
    assert not await replies.owns(replace(thread, channel="C2"))
    assert not await replies.owns(replace(thread, workspace="T2"))


async def test_public_before_private(replies: Replies) -> None:
    """Of a private reply and its shared twin the public one comes first."""
    await replies.keep(message(1), answer="a1", shown="private", posted=LONG)
    twin = replace(message(1), subject=message(1).subject + SHARED)
    await replies.keep(twin, answer="a2", shown="public", posted=replace(LONG, messages=("m9",)))
    assert [reply.answer for reply in await replies.to(message(1).subject)] == ["a2", "a1"]
