"""The whole way on Discord with the real desk: heard, kept, answered, followed up, changed, taken away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from bot.channels import ChannelRules
from bot.desk import Desk
from bot.inbox import Inbox
from bot.ledger import Ledger
from bot.replies import Replies
from kb.database import close_database
from tests.adapters.discord.conftest import Town
from tests.adapters.discord.scripted import bot, database, settings
from tests.bot.desks import ScriptedAssistant

BURST = 60


@asynccontextmanager
async def serving(town: Town, folder: Path, **more: Any) -> AsyncIterator[ScriptedAssistant]:  # noqa: ANN401
    """Run a bot with a desk of its own, as `serve` does."""
    engine = await database(folder)
    ledger, inbox, replies = await Ledger.open(engine), await Inbox.open(engine), await Replies.open(engine)
    rules = ChannelRules((), {"discord": settings(town.discord, per_person=1000, **more)})
    assistant = ScriptedAssistant(ledger)
    desk = Desk(
        assistant=cast("Any", assistant),
        inbox=inbox,
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=cast("Any", None),
        curated=cast("Any", None),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(desk.run(stop, drain_seconds=5))
    try:
        async with bot(town.discord, folder, desk=cast("Any", _Joined(desk)), **more) as scripted:
            desk.join(scripted.app.surface)
            yield assistant
            stop.set()
            await running
    finally:
        stop.set()
        await running
        await close_database(engine)


class _Joined:
    """The real desk where the scripted one is expected."""

    def __init__(self, desk: Desk) -> None:
        self.receive = desk.receive
        self.surface: object = None
        self.tasks: set[asyncio.Task[None]] = set()


async def test_a_conversation_from_question_to_deletion(town: Town, tmp_path: Path) -> None:
    """A mention is answered, a follow-up needs none and knows the first; edits revise, deletion removes."""
    discord = town.discord
    async with serving(town, tmp_path) as assistant:
        asked = await discord.say(town.general, town.ann, f"{discord.bot.mention} how many wheels?")
        (reply,) = await discord.wait_for(lambda: discord.replies(asked))
        (thread,) = discord.threads(town.general)
        follow_up = await discord.say(thread, town.ann, "And how many doors?")
        await discord.wait_for(lambda: [one for one in discord.replies(follow_up) if one is not reply])
        await discord.edit(asked, f"{discord.bot.mention} how many windows?")
        await discord.wait_for(lambda: "how many windows" in reply.text)
        await discord.delete(asked)
        await discord.wait_for(lambda: reply.deleted)
    assert [turn.question for turn in assistant.asked[1].conversation.turns] == ["how many wheels?"]
    assert not discord.pings


async def test_a_command_is_followed_up_in_its_thread(town: Town, tmp_path: Path) -> None:
    """The thread at the answer to `/ask` is its conversation."""
    discord = town.discord
    async with serving(town, tmp_path) as assistant:
        await discord.wait_for(lambda: discord.made("PUT /applications/*/commands"))
        asked = await discord.command("ask", {"question": "how many?"}, user=town.ann, channel=town.general)
        await discord.answer(asked)
        (thread,) = await discord.wait_for(lambda: discord.threads(town.general))
        follow_up = await discord.say(thread, town.ann, "And how many doors?")
        await discord.wait_for(lambda: discord.replies(follow_up))
    assert [turn.question for turn in assistant.asked[1].conversation.turns] == ["how many?"]


async def test_questions_of_an_absence_are_answered_once(town: Town, tmp_path: Path) -> None:
    """A question that is answered is left alone after a restart; one asked meanwhile is answered."""
    discord = town.discord
    async with serving(town, tmp_path):
        first = await discord.say(town.general, town.ann, f"{discord.bot.mention} one?")
        await discord.wait_for(lambda: discord.replies(first))
    second = await discord.say(town.general, town.ann, f"{discord.bot.mention} two?")
    async with serving(town, tmp_path):
        await discord.wait_for(lambda: discord.replies(second))
    assert len(discord.replies(first)) == len(discord.replies(second)) == 1


async def test_a_burst_is_answered_once_each(town: Town, tmp_path: Path) -> None:
    """Many questions at once each get a first sign and one answer."""
    discord = town.discord
    async with serving(town, tmp_path, threads=False):
        asked = [
            await discord.say(town.general, town.ann, f"{discord.bot.mention} question {number}?")
            for number in range(BURST)
        ]
        await discord.wait_for(lambda: all(discord.replies(one) for one in asked), 60)
    assert [len(discord.replies(one)) for one in asked] == [1] * BURST
