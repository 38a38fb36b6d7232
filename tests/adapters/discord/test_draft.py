"""Drafts from the question to the answer: who sees what, and what is left in the channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.aftercare import Aftercare
from bot.chat_settings import ChannelSettings
from bot.languages import de, en
from bot.messages import Answer, Question
from tests.adapters.backstage import SECONDS, Assistants, Backstage, never
from tests.adapters.discord.whole import Team, team
from tests.bot.desks import ScriptedAssistant
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Channel, Member

EN = en.TEXTS


class LongWinded(ScriptedAssistant):
    """Says more than one message holds."""

    def made(self, question: Question) -> Answer:
        answer = ScriptedAssistant.made(self, question)
        return replace(answer, text="\n\n".join([answer.text] * 400))


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
        await town.discord.wait_for(lambda: begun.text == de.TEXTS.draft_sent_privately, SECONDS)
        draft = await draft_of(town)
        await bot.settled()
        assert EN.draft in draft.text
        assert draft.component("lk:approve")["label"] == EN.approve
        await town.discord.answer(await town.discord.click(draft, "lk:approve", user=bea), SECONDS)
        assert draft.deleted
        (answer,) = [one for one in town.discord.answers(town.general) if not one.ephemeral]
        assert "Six" in answer.text
        assert begun.text == de.TEXTS.draft_sent_privately  # it stays, and stays true


OPEN = "POST /channels/*/threads"
INVITE = "PUT /channels/*/thread-members/*"


def reviews(town: Team) -> list[Channel]:
    """Return the private threads in which drafts stand."""
    return [one for one in town.discord.threads(town.general) if one.type == 12]


def approvable(town: Team) -> list[Message]:
    """Return the messages at whose end a draft is approved."""
    answers = [one for thread in reviews(town) for one in town.discord.answers(thread)]
    return [one for one in answers if "lk:approve" in str(one.buttons())]


@pytest.mark.parametrize("status", [500, 503, 0], ids=["500", "503", "cut"])
async def test_a_review_thread_is_opened_once_whatever_is_answered(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...], status: int
) -> None:
    """Where the answer to its opening is lost, the thread that stands is found; its reviewers are invited."""
    async with town.bot(channels=drafts) as bot:
        town.discord.faults.lose_answer(OPEN, status=status)
        asked = await town.say("How many?")
        await line_and_draft(town, bot, asked)
        (thread,) = reviews(town)
        assert bea.user.id in thread.members
        assert len(town.discord.made(OPEN)) == 1


async def test_a_review_thread_that_was_not_opened_is_opened_later(
    town: Team, drafts: tuple[ChannelSettings, ...]
) -> None:
    """A failure of the server that opened nothing loses no draft."""
    async with town.bot(channels=drafts) as bot:
        town.discord.faults.add(OPEN, status=500)
        asked = await town.say("How many?")
        await town.discord.wait_for(lambda: town.discord.made(OPEN), SECONDS)
        await line_and_draft(town, bot, asked)
        assert len(reviews(town)) == 1


async def test_drafts_at_once_share_a_thread(town: Team, drafts: tuple[ChannelSettings, ...]) -> None:
    """Of several first drafts of a channel, one opens the thread."""
    async with town.bot(channels=drafts) as bot:
        held = town.discord.faults.add(OPEN, hang=True)
        asked = [await town.say(f"How many {number}?") for number in range(3)]
        await town.discord.wait_for(lambda: held.used, SECONDS)
        await town.heard(bot, len(asked))
        town.discord.faults.clear()
        for one in asked:
            await waiting(town, one)
        await bot.settled()
        (thread,) = reviews(town)
        assert len([one for one in town.discord.answers(thread) if one.is_v2]) == len(asked)


async def test_who_was_not_invited_in_time_is_invited_later(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...]
) -> None:
    """A crash between a thread's opening and its invitations leaves no thread that nobody reads."""
    async with town.bot(channels=drafts) as bot:
        held = town.discord.faults.add(INVITE, hang=True)
        asked = await town.say("How many?")
        await town.discord.wait_for(lambda: held.used, SECONDS)
        await bot.crash()
    town.discord.faults.clear()
    town.discord.clock.advance(600)
    async with town.bot(channels=drafts) as successor:
        await line_and_draft(town, successor, asked)
        (thread,) = reviews(town)
        assert bea.user.id in thread.members


async def test_who_left_is_not_invited_again(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...]
) -> None:
    """A successor finds the thread in use and leaves its members as they are."""
    async with town.bot(channels=drafts) as bot:
        await line_and_draft(town, bot, await town.say("How many?"))
    (thread,) = reviews(town)
    thread.members.pop(bea.user.id)
    async with town.bot(channels=drafts) as successor:
        asked = await town.say("How many more?")
        await waiting(town, asked)
        await successor.settled()
        assert reviews(town) == [thread]
        assert bea.user.id not in thread.members


@pytest.mark.parametrize("answers", [ScriptedAssistant, LongWinded], ids=["short", "long"])
async def test_a_draft_is_shown_once_whatever_crashes(
    town: Team, bea: Member, drafts: tuple[ChannelSettings, ...], answers: Assistants
) -> None:
    """A crash between a draft's posts and their note leaves one draft, however late a successor runs."""
    async with town.bot(channels=drafts, answers=answers) as bot:
        bot.inbox.done = never  # type: ignore[method-assign]
        asked = await town.say("How many?")
        await town.discord.wait_for(lambda: approvable(town), SECONDS)
        await bot.crash()
    shown = [one.text for one in town.discord.answers(reviews(town)[0])]
    town.discord.clock.advance(3_600)
    async with town.bot(channels=drafts, answers=answers) as successor:
        hold(successor.aftercare)
        line = await waiting(town, asked)
        await successor.settled()
        assert [one.text for one in town.discord.answers(reviews(town)[0])] == shown
        (draft,) = approvable(town)
        await town.discord.answer(await town.discord.click(draft, "lk:approve", user=bea), SECONDS)
        assert draft.deleted
        assert line.deleted
