"""Drafts and private answers from the question to the answer: who sees what, once, also after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.chat_settings import ChannelMode, ChannelSettings
from bot.languages import en
from tests.adapters.backstage import never
from tests.adapters.slack.serving import SECONDS, shown
from tests.adapters.slack.whole import Team, team
from tests.emulators.slack.workspace import Message

EN = en.TEXTS
BEA, CARL = "U0BEA", "U0CARL"


class Kept:
    """Holds the passage that the scripted assistant cites."""

    async def nodes_of(self, document_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(id="n1", audience=("*",))]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        for name, key in (("Bea", BEA), ("Carl", CARL)):
            opened.slack.add_user(name, key=key)
            opened.slack.channel(opened.channel).members.append(key)
        yield opened


@pytest.fixture
def drafts(town: Team) -> tuple[ChannelSettings, ...]:
    return (ChannelSettings(platform="slack", id=town.channel, mode="draft", reviewers=(BEA, CARL)),)


def drafted(town: Team, user: str) -> list[Message]:
    """Return the drafts that a reviewer has."""
    return [one for one in town.slack.messages(town.slack.direct(user)) if "lk_approve" in str(one.blocks)]


def whispered(town: Team) -> list[str]:
    """Return what Ann alone was told in the channel."""
    return [shown(one) for one in town.slack.messages(town.channel) if one.ephemeral == town.ann]


def public(town: Team) -> list[str]:
    return [shown(one) for one in town.slack.messages(town.channel) if not one.ephemeral]


@pytest.mark.parametrize("mode", ["draft", "mention"])
async def test_a_commands_first_line_stays_true(town: Team, mode: ChannelMode) -> None:
    """Slack cannot take a command's first line back: it says what comes, and only the asker reads any."""
    channel = ChannelSettings(platform="slack", id=town.channel, mode=mode, reviewers=(BEA,))
    async with town.bot(channels=[channel]) as bot:
        await town.slack.command("/ask", "How many?", town.ann, town.channel)
        await town.slack.wait_for(lambda: len(whispered(town)) == 2, SECONDS)
        await town.settled(bot)
        line, answer = whispered(town)
        assert line == EN.answer_follows
        assert "Six" in answer
        assert public(town) == drafted(town, BEA) == []


async def test_a_draft_is_handed_once_whatever_crashes(
    town: Team, drafts: tuple[ChannelSettings, ...]
) -> None:
    """A crash between a draft's posts and their note leaves each reviewer one draft."""
    async with town.bot(channels=drafts, nodes=Kept()) as bot:
        bot.inbox.done = never  # type: ignore[method-assign]
        await town.say("How many?")
        await town.slack.wait_for(lambda: drafted(town, BEA) and drafted(town, CARL), SECONDS)
        await bot.crash()
    town.slack.clock.advance(600)
    async with town.bot(channels=drafts, nodes=Kept()) as successor:
        await town.settled(successor)
        assert len(drafted(town, BEA)) == len(drafted(town, CARL)) == 1
        await town.slack.click(drafted(town, CARL)[0], "lk_approve", user=CARL)
        await town.slack.wait_for(lambda: not drafted(town, BEA) and not drafted(town, CARL), SECONDS)


async def test_a_command_in_a_direct_message_is_answered_once(town: Team) -> None:
    """Where one person alone reads, `/ask` is answered by a message that stays, once whatever crashes."""
    mine = town.slack.direct(town.ann)

    def answers() -> list[Message]:
        return [one for one in town.slack.messages(mine) if not one.ephemeral and "Six" in shown(one)]

    async with town.bot() as bot:
        bot.inbox.done = never  # type: ignore[method-assign]
        await town.slack.command("/ask", "How many?", town.ann, mine)
        await town.slack.wait_for(answers, SECONDS)
        await bot.crash()
    town.slack.clock.advance(600)
    async with town.bot() as successor:
        await town.settled(successor)
        assert len(answers()) == 1


async def test_a_private_answer_to_who_left_is_sent_once(town: Team) -> None:
    """Who is no more in the channel gets the private answer as a direct message, once whatever crashes."""
    first = (ChannelSettings(platform="slack", id=town.channel, mode="private-first"),)
    sent = partial(town.slack.messages, town.slack.direct(town.ann))
    async with town.bot(channels=first) as bot:
        bot.inbox.done = never  # type: ignore[method-assign]
        town.slack.faults.fail("chat.postEphemeral", "user_not_in_channel")
        await town.say("How many?")
        await town.slack.wait_for(sent, SECONDS)
        await bot.crash()
    town.slack.clock.advance(600)
    town.slack.faults.fail("chat.postEphemeral", "user_not_in_channel")
    async with town.bot(channels=first) as successor:
        await town.settled(successor)
        assert len(sent()) == 1
        town.slack.faults.fail("chat.postEphemeral", "user_not_in_channel")
        town.slack.faults.status("chat.postMessage", 500)
        await town.say("How many more?")
        await town.slack.wait_for(lambda: len(sent()) == 2, SECONDS)
        await town.settled(successor)
        assert len(sent()) == 2
