"""A blind vote in a Slack channel, voted on by its buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat_settings import ChannelSettings
from bot.persona_texts import persona_texts
from tests.adapters import voting
from tests.adapters.slack.serving import SECONDS, shown
from tests.adapters.slack.whole import Bot, Team, team
from tests.emulators.slack.workspace import Message

EN, DE = persona_texts("en"), persona_texts("de")
A, B, NEITHER = "lk_choose:0", "lk_choose:1", "lk_choose:2"
BOSS, KURT = "U0BOSS", "U0KURT"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        opened.slack.add_user("Boss", key=BOSS, is_admin=True)
        opened.slack.add_user("Kurt", key=KURT, locale="de-DE")
        opened.slack.channel(opened.channel).members.extend((BOSS, KURT))
        yield opened


def posts(town: Team) -> list[Message]:
    """Return what the bot said to all."""
    return [one for one in town.slack.messages(town.channel) if not one.ephemeral]


def told(town: Team, user: str) -> list[str]:
    """Return what one person alone was told in the channel."""
    return [shown(one) for one in town.slack.messages(town.channel) if one.ephemeral == user]


async def typed(town: Team, text: str) -> str:
    """Type a command as the admin and return the line that comes."""
    before = len(told(town, BOSS))
    await town.slack.command("/persona", text, BOSS, town.channel)
    return (await town.slack.wait_for(lambda: told(town, BOSS)[before:], SECONDS))[0]


async def pressed(town: Team, ballot: Message, button: str, user: str) -> str:
    """Press a button and return the line that its presser alone reads."""
    before = len(told(town, user))
    await town.slack.click(ballot, button, user=user)
    (line,) = await town.slack.wait_for(lambda: told(town, user)[before:], SECONDS)
    return line


async def begun(town: Team) -> Message:
    """Begin a vote and return its ballot."""
    assert await typed(town, f"vote {voting.QUESTION}") == EN.vote_begun
    (ballot,) = posts(town)
    return ballot


def buttons(ballot: Message) -> list[dict[str, str]]:
    return [one for block in ballot.blocks for one in block.get("elements", ()) if "value" in one]


async def test_a_vote_by_buttons(town: Team) -> None:
    """Each has one vote, may change it after a restart too, and is told when the vote is over."""
    async with town.bot(commands=voting.commands()):
        ballot = await begun(town)
        assert [one["text"]["text"] for one in buttons(ballot)] == ["A", "B", "No difference"]  # type: ignore[index]
        assert voting.PLAIN in shown(ballot)
        assert voting.VOICED in shown(ballot)
        assert voting.blind(shown(ballot), [one["action_id"] + one["value"] for one in buttons(ballot)])
        assert await pressed(town, ballot, A, town.ann) == EN.voted.format(pick="A")
        assert await pressed(town, ballot, A, town.ann) == EN.voted_already.format(pick="A")
        assert await pressed(town, ballot, NEITHER, BOSS) == EN.voted.format(pick="no difference")
        assert await pressed(town, ballot, B, KURT) == DE.voted.format(pick="B")
    async with town.bot(commands=voting.commands()):
        assert await pressed(town, ballot, B, town.ann) == EN.voted.format(pick="B")
        assert await typed(town, "vote close") == EN.vote_ended
        counts = sorted(int(one) for one in shown(posts(town)[1]).split() if one.isdecimal())
        assert counts == [0, 1, 2]
        assert await pressed(town, ballot, A, town.ann) == EN.vote_over.format(command="/persona")


async def test_a_vote_that_outlives_the_voices(town: Team) -> None:
    """Once personas are switched off, buttons and commands say so in the reader's language."""
    async with town.bot(commands=voting.commands()):
        ballot = await begun(town)
    async with town.bot(commands=voting.commands(on=False)):
        assert await pressed(town, ballot, A, town.ann) == EN.votes_off
        assert await pressed(town, ballot, NEITHER, KURT) == DE.votes_off
        assert await typed(town, "vote close") == EN.votes_off
        assert await typed(town, "list") == EN.personas_off
    async with town.bot(commands=voting.commands()):
        assert await pressed(town, ballot, A, town.ann) == EN.voted.format(pick="A")


async def test_the_buttons_speak_the_channels_language(town: Team) -> None:
    """What all read is in the channel's language, whoever began the vote."""
    german = ChannelSettings(platform="slack", id=town.channel, language="de")
    async with town.bot(commands=voting.commands(), channels=[german]):
        assert [one["text"]["text"] for one in buttons(await begun(town))][2] == "Kein Unterschied"  # type: ignore[index]


async def test_a_long_ballot_is_posted_whole(town: Team) -> None:
    """Two long answers take several messages; the buttons stand under the last."""
    async with town.bot(commands=voting.commands(long=400)):
        await typed(town, f"vote {voting.QUESTION}")
        whole = "\n".join(shown(one) for one in posts(town))
        assert whole.count(voting.PLAIN) == whole.count(voting.VOICED) == 400
        *first, last = posts(town)
        assert first
        assert [bool(buttons(one)) for one in (*first, last)] == [False] * len(first) + [True]


async def test_a_ballot_that_cannot_be_posted_stands_in_nobodys_way(town: Team) -> None:
    """Where the channel takes no ballot, whoever began the vote hears it, and another one may begin."""
    async with town.bot(commands=voting.commands()):
        town.slack.faults.fail("chat.postMessage", "restricted_action")
        assert await typed(town, f"vote {voting.QUESTION}") != EN.vote_begun
        assert posts(town) == []
        assert buttons(await begun(town))


async def test_a_notice_is_not_taken_for_an_earlier_one(town: Team) -> None:
    """Where Slack's reply to a notice is lost and it does not stand, it is posted again."""
    async with town.bot() as bot:
        await notified(bot, town, "first")
        town.slack.faults.status("chat.postMessage", 500)
        await notified(bot, town, "second")
        town.slack.faults.status("chat.postMessage", 500, accepted=True)
        await notified(bot, town, "third")
        assert [shown(one) for one in posts(town)] == ["first", "second", "third"]


async def notified(bot: Bot, town: Team, line: str) -> None:
    await bot.app.surface.notify(town.slack.home.id, town.channel, line)
