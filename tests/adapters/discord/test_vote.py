"""A blind vote in a Discord channel, voted on by its buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat_settings import ChannelSettings
from bot.messages import Question
from bot.persona_texts import persona_texts
from tests.adapters import voting
from tests.adapters.backstage import SECONDS
from tests.adapters.discord.whole import Team, team
from tests.emulators.discord import permissions
from tests.emulators.discord.messages import Message
from tests.emulators.discord.places import Channel, Member

EN, DE = persona_texts("en"), persona_texts("de")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path) as opened:
        yield opened


@pytest.fixture
def boss(town: Team) -> Member:
    """Somebody who may begin votes."""
    chiefs = town.discord.add_role(town.guild, "chiefs", allow=permissions.MANAGE_GUILD)
    return town.discord.add_member(town.guild, "Boss", roles=(chiefs,))


@pytest.fixture
def kurt(town: Team) -> Member:
    return town.discord.add_member(town.guild, "Kurt", locale="de")


def posts(town: Team, channel: Channel | None = None) -> list[Message]:
    """Return what the bot said to all."""
    return [one for one in town.discord.answers(channel or town.general) if not one.ephemeral]


async def typed(town: Team, boss: Member, text: str, channel: Channel | None = None) -> str:
    """Type a command and return the line that comes."""
    begun = await town.discord.command("persona", {"what": text}, user=boss, channel=channel or town.general)
    return (await town.discord.answer(begun, SECONDS)).text


async def pressed(town: Team, ballot: Message, word: str, user: Member) -> str:
    """Press a button and return the line that its presser alone reads."""
    begun = await town.discord.click(ballot, f"lk:choose:persona vote {word} ", user=user)
    await town.discord.answer(begun, SECONDS)
    (line,) = begun.messages
    assert line.ephemeral
    return line.text


async def begun(town: Team, boss: Member) -> Message:
    """Begin a vote and return its ballot."""
    assert await typed(town, boss, f"vote {voting.QUESTION}") == EN.vote_begun
    (ballot,) = posts(town)
    return ballot


async def test_a_vote_by_buttons(town: Team, boss: Member, kurt: Member) -> None:
    """Each has one vote, may change it after a restart too, and is told when the vote is over."""
    async with town.bot(commands=voting.commands()):
        ballot = await begun(town, boss)
        assert [one["label"] for one in ballot.buttons()] == ["A", "B", "No difference"]
        assert voting.PLAIN in ballot.text
        assert voting.VOICED in ballot.text
        assert voting.blind(ballot.text, [one["custom_id"] for one in ballot.buttons()])
        assert await pressed(town, ballot, "a", town.ann) == EN.voted.format(pick="A")
        assert await pressed(town, ballot, "a", town.ann) == EN.voted_already.format(pick="A")
        assert await pressed(town, ballot, "same", boss) == EN.voted.format(pick="no difference")
        assert await pressed(town, ballot, "b", kurt) == DE.voted.format(pick="B")
    async with town.bot(commands=voting.commands()):
        assert await pressed(town, ballot, "b", town.ann) == EN.voted.format(pick="B")
        assert await typed(town, boss, "vote close") == EN.vote_ended
        counts = sorted(int(one) for one in posts(town)[1].text.split() if one.isdecimal())
        assert counts == [0, 1, 2]
        assert await pressed(town, ballot, "a", town.ann) == EN.vote_over.format(command="/persona")


async def test_a_vote_that_outlives_the_voices(town: Team, boss: Member, kurt: Member) -> None:
    """Once personas are switched off, buttons and commands say so in the reader's language."""
    async with town.bot(commands=voting.commands()):
        ballot = await begun(town, boss)
    async with town.bot(commands=voting.commands(on=False)):
        assert await pressed(town, ballot, "a", town.ann) == EN.votes_off
        assert await pressed(town, ballot, "same", kurt) == DE.votes_off
        assert await typed(town, boss, "vote close") == EN.votes_off
    async with town.bot(commands=voting.commands()):
        assert await pressed(town, ballot, "a", town.ann) == EN.voted.format(pick="A")


async def test_the_buttons_speak_the_channels_language(town: Team, boss: Member) -> None:
    """What all read is in the channel's language, whoever began the vote."""
    german = ChannelSettings(platform="discord", id=town.general.id, language="de")
    async with town.bot(commands=voting.commands(), channels=[german]):
        await typed(town, boss, f"vote {voting.QUESTION}")
        (ballot,) = posts(town)
        assert ballot.buttons()[2]["label"] == "Kein Unterschied"


async def test_a_long_ballot_is_posted_whole(town: Team, boss: Member) -> None:
    """Two long answers take several messages; the buttons stand under the last."""
    async with town.bot(commands=voting.commands(long=100)):
        await typed(town, boss, f"vote {voting.QUESTION}")
        whole = "\n".join(one.text for one in posts(town))
        assert whole.count(voting.PLAIN) == whole.count(voting.VOICED) == 100
        *first, last = posts(town)
        assert first
        assert [bool(one.buttons()) for one in (*first, last)] == [False] * len(first) + [True]


async def test_a_vote_begun_in_a_private_thread_is_the_channels(town: Team, boss: Member) -> None:
    """What only the few in a thread of their own may see is not put before the channel."""
    thread = await town.discord.open_thread(town.general, boss, "few", private=True)
    await town.discord.add_to_thread(thread, town.discord.bot)
    asked: list[Question] = []
    async with town.bot(commands=voting.commands(asked=asked)):
        assert await typed(town, boss, f"vote {voting.QUESTION}", thread) == EN.vote_begun
        seen = {tag for one in asked for tag in one.asker.audience.tags}
        assert f"discord:{town.general.id}" in seen
        assert f"discord:{thread.id}" not in seen
        assert posts(town)
        assert posts(town, thread) == []
