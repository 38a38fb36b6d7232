"""Drafts from the question to the answer: who sees what, and what is left in the channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.aftercare import Aftercare
from bot.chat_settings import ChannelSettings
from bot.languages import de, en
from tests.adapters.backstage import SECONDS, Backstage
from tests.adapters.discord.whole import Team, team
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Member

EN = en.TEXTS


class Kept:
    """Holds the passage that the scripted assistant cites."""

    async def nodes_of(self, document_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(id="n1", audience=("*",))]


def hold(aftercare: Aftercare) -> None:
    """Let what a draft cites still stand."""
    aftercare._nodes = Kept()  # type: ignore[assignment]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


@pytest.fixture
def bea(town: Team) -> Member:
    """Somebody who reviews."""
    return town.discord.add_member(town.guild, "Bea")


@pytest.fixture
def drafts(town: Team, bea: Member) -> tuple[ChannelSettings, ...]:
    return (ChannelSettings(platform="discord", id=town.general.id, mode="draft", reviewers=(bea.user.id,)),)


async def waiting(town: Team, asked: Message) -> Message:
    """Return the line that tells the asker that somebody looks at the answer."""
    (line,) = await town.discord.wait_for(lambda: town.replies(asked), SECONDS)
    assert line.text == EN.draft_sent
    return line


async def draft_of(town: Team) -> Message:
    """Return the draft as the reviewers see it."""

    def there() -> list[Message]:
        threads = [one for one in town.discord.threads(town.general) if one.type == 12]
        return [one for thread in threads for one in town.discord.answers(thread) if one.is_v2]

    (draft,) = await town.discord.wait_for(there, SECONDS)
    return draft


async def line_and_draft(town: Team, bot: Backstage, asked: Message) -> tuple[Message, Message]:
    hold(bot.aftercare)
    found = await waiting(town, asked), await draft_of(town)
    await bot.settled()
    return found


@pytest.mark.parametrize("threads", [True, False], ids=["thread", "channel"])
async def test_an_approved_answer_takes_the_place_of_the_line(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...], threads: bool
) -> None:
    """When a reviewer approves, the answer is the only thing that is left of the bot at the question."""
    async with town.bot(channels=drafts, threads=threads) as bot:
        asked = await town.say("How many?")
        line, draft = await line_and_draft(town, bot, asked)
        pressed = await town.discord.answer(await town.discord.click(draft, "lk:approve", user=bea))
        assert pressed.text == EN.approved
        assert line.deleted
        assert draft.deleted
        (answer,) = town.replies(asked)
        assert "Six" in answer.text
        assert (answer.channel is town.general) != threads


async def test_a_discarded_draft_leaves_no_line(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...]
) -> None:
    """When a reviewer discards the draft, nothing in the channel says that an answer comes."""
    async with town.bot(channels=drafts) as bot:
        asked = await town.say("How many?")
        line, draft = await line_and_draft(town, bot, asked)
        pressed = await town.discord.answer(await town.discord.click(draft, "lk:discard", user=bea))
        assert pressed.text == EN.discarded
        assert line.deleted
        assert draft.deleted
        assert town.replies(asked) == []


async def test_a_deleted_question_leaves_nothing(town: Team, drafts: tuple[ChannelSettings, ...]) -> None:
    """When the question is deleted, the line goes with the draft."""
    async with town.bot(channels=drafts) as bot:
        asked = await town.say("How many?")
        line, draft = await line_and_draft(town, bot, asked)
        await town.discord.delete(asked)
        await town.discord.wait_for(lambda: line.deleted and draft.deleted, SECONDS)


async def test_the_line_outlives_a_restart(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...]
) -> None:
    """A line that an ended process said goes when the draft is approved."""
    async with town.bot(channels=drafts) as bot:
        asked = await town.say("How many?")
        line, draft = await line_and_draft(town, bot, asked)
    async with town.bot(channels=drafts) as bot:
        hold(bot.aftercare)
        await town.discord.answer(await town.discord.click(draft, "lk:approve", user=bea), SECONDS)
        assert line.deleted
        (answer,) = town.replies(asked)
        assert "Six" in answer.text


async def test_others_neither_approve_nor_discard(town: Team, drafts: tuple[ChannelSettings, ...]) -> None:
    """Who does not review reads one line; draft and line stay."""
    async with town.bot(channels=drafts) as bot:
        asked = await town.say("How many?")
        line, draft = await line_and_draft(town, bot, asked)
        for control in ("approve", "discard"):
            pressed = await town.discord.click(draft, f"lk:{control}", user=town.ann)
            assert (await town.discord.answer(pressed)).text == EN.not_reviewer
        assert not line.deleted
        assert not draft.deleted


async def test_a_draft_to_a_command_speaks_to_each_in_their_language(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...]
) -> None:
    """The asker's line is in the asker's language, the draft in the server's; both end with the answer."""
    kurt = town.discord.add_member(town.guild, "Kurt", locale="de")
    async with town.bot(channels=drafts) as bot:
        hold(bot.aftercare)
        options = {"question": "How many?"}
        begun = await town.discord.command("ask", options, user=kurt, channel=town.general)
        await town.discord.wait_for(lambda: begun.text == de.TEXTS.draft_sent, SECONDS)
        draft = await draft_of(town)
        await bot.settled()
        assert EN.draft in draft.text
        assert draft.component("lk:approve")["label"] == EN.approve
        await town.discord.answer(await town.discord.click(draft, "lk:approve", user=bea), SECONDS)
        assert draft.deleted
        (answer,) = [one for one in town.discord.answers(town.general) if not one.ephemeral]
        assert "Six" in answer.text
