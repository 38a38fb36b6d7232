"""A blind vote as it is run in a channel, over real assistants and the OpenAI emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chat import Person, Place, Surface
from bot.errors import SurfaceBusy
from bot.ledger import Ledger
from bot.persona import Stylist
from bot.persona_commands import PersonaCommands
from bot.persona_guard import PersonaGuard
from bot.persona_settings import PersonaSettings
from bot.personas import Personas
from bot.texts import ENGLISH
from bot.vote_commands import ChannelVotes, VoteCommands, VoteTold
from bot.voting import BlindVotes
from kb.database import close_database, open_database
from kb.documents import EVERYONE
from tests.bot.found import assistant, passage
from tests.bot.surface import ScriptedSurface
from tests.emulators.openai import OpenAIEmulator, say

PINS = passage("Printer PINs have 6 digits.", title="Printer help", uri="printer.md")
PLACE = Place(platform="slack", workspace="T1", channel="C1")
ADMIN = Person(platform="slack", workspace="T1", id="U9", admin=True)
ANA = Person(platform="slack", workspace="T1", id="U1", name="Ana")
BEN = Person(platform="slack", workspace="T1", id="U2", name="Ben")
QUESTION = "How many digits has a printer PIN?"


class Channel:
    """One channel in which things are typed."""

    def __init__(self, commands: VoteCommands, guard: PersonaGuard) -> None:
        self.commands = commands
        self.guard = guard

    async def __call__(self, text: str, person: Person = ADMIN, place: Place = PLACE) -> VoteTold:
        return await self.commands.run(text, person, place, audience=EVERYONE)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    await Ledger.open(opened)
    yield opened
    await close_database(opened)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(models=("ft:pirate",)).running() as running:
        running.reply = lambda _request: say("Arr, printer PINs have six digits [1]!")
        yield running


@pytest.fixture
async def channel(engine: AsyncEngine, server: OpenAIEmulator) -> AsyncIterator[Channel]:
    settings = PersonaSettings.model_validate(
        {
            "enabled": True,
            "name": "pirate",
            "description": "a pirate",
            "model": "ft:pirate",
            "base_url": server.base_url,
        }
    )
    personas = Personas(settings=settings)
    guard = PersonaGuard(engine, settings)
    stylist = Stylist(personas, lambda _name: SecretStr(server.key), guard)
    commands = VoteCommands(
        BlindVotes(engine, coin=lambda: 0), assistant(PINS, stylist=stylist), personas, {}
    )
    yield Channel(commands, guard)
    await stylist.close()


async def test_a_whole_vote(channel: Channel) -> None:
    """It is begun, voted on and ended; which one was in the voice is told at the end alone."""
    begun = await channel(QUESTION)
    assert begun.told.text == "The vote has begun."
    assert "**A**\nPrinter PINs have 6 digits.\n" in begun.post
    assert "**B**\nArr, printer PINs have six digits!\n" in begun.post
    assert "B was" not in begun.post
    assert (await channel("B", ANA)).told.text.startswith("Your vote is B.")
    assert (await channel("a", BEN)).post == ""
    assert (await channel("same", BEN)).told.text.startswith("Your vote is no difference.")
    assert (await channel("b", ANA)).told.text == "You had voted B already."
    ended = await channel("close")
    assert "B was in the voice of a pirate." in ended.post
    assert "For the voice: 1 · for the plain answer: 0 · no difference: 1" in ended.post
    assert "Nothing is voted on here" in (await channel("A", ANA)).told.text


async def test_button(channel: Channel) -> None:
    """A button under the ballot votes by its id."""
    begun = await channel(f"pirate: {QUESTION}")
    assert (await channel.commands.cast(begun.ballot, "first", ANA)).text.startswith("Your vote is A.")
    await channel("close")
    assert (await channel.commands.cast(begun.ballot, "second", ANA)).failed


async def test_what_the_buttons_stand_for(channel: Channel) -> None:
    """Each button's command votes on its ballot, wherever it is carried out, and on no other."""
    begun = await channel(QUESTION)
    assert [choice.label for choice in begun.choices] == ["A", "B", "No difference"]
    typed = [choice.command.removeprefix("persona vote ") for choice in begun.choices]
    elsewhere = Place(platform="slack", workspace="T1", channel="C2")
    for text, pick in zip(typed, ("A", "B", "no difference"), strict=True):
        assert (await channel(text, ANA, elsewhere)).told.text.startswith(f"Your vote is {pick}.")
    await channel("close")
    await channel(QUESTION)
    assert "This vote is over" in (await channel(typed[0], ANA)).told.text
    counted = (await channel("close")).post
    assert "For the voice: 0 · for the plain answer: 0 · no difference: 0" in counted


async def test_a_question_that_begins_with_a_pick(channel: Channel, server: OpenAIEmulator) -> None:
    """A question such as "A printer PIN?" is no vote."""
    assert (await channel("a printer PIN has how many digits?")).ballot


async def test_who_may_begin(channel: Channel) -> None:
    """Only who may change settings begins and ends a vote."""
    assert (await channel(QUESTION, ANA)).told.failed
    await channel(QUESTION)
    refused = await channel("close", ANA)
    assert refused.told.failed
    assert refused.post == ""


async def test_one_vote_at_a_time(channel: Channel) -> None:
    """While one is under way a channel gets no second; another channel does."""
    await channel(QUESTION)
    assert "A vote is under way here" in (await channel(QUESTION)).told.text
    elsewhere = Place(platform="slack", workspace="T1", channel="C2")
    assert (await channel(QUESTION, place=elsewhere)).ballot


async def test_direct_message(channel: Channel, server: OpenAIEmulator) -> None:
    """A vote needs a channel; nothing is asked of a model in a direct message."""
    direct = Place(platform="slack", workspace="T1", channel="D1", kind="direct")
    assert "needs a channel" in (await channel(QUESTION, place=direct)).told.text
    assert server.requests == []


async def test_channel_without_the_persona(channel: Channel) -> None:
    """Where the persona is switched off there is no vote on it."""
    await channel.guard.choose("channel", PLACE.key, "", by="slack:T1:U9")
    told = await channel(QUESTION)
    assert told.told.failed
    assert "may not speak here" in told.told.text
    assert told.post == ""


async def test_voice_that_changes_facts(channel: Channel, server: OpenAIEmulator) -> None:
    """A voice whose words do not stand is not put to the vote."""
    server.reply = lambda _request: say("Arr, printer PINs have nine digits [1]!")
    assert "the voice changed facts" in (await channel(QUESTION)).told.text


async def test_plain_answer_stays_plain(channel: Channel) -> None:
    """The plain side is plain, even when the one who begins has chosen the voice for themselves."""
    await channel.guard.choose("person", "slack:T1:U9", "pirate", by="slack:T1:U9")
    begun = await channel(QUESTION)
    assert "**A**\nPrinter PINs have 6 digits.\n" in begun.post


@pytest.mark.parametrize("text", ["", "help"])
async def test_help(channel: Channel, text: str) -> None:
    """Without anything it says how votes work, to everyone."""
    assert "vote QUESTION" in (await channel(text, ANA)).told.text


async def test_long_question(channel: Channel) -> None:
    """A question that is too long is refused before anything is asked."""
    assert "too long" in (await channel("why " * 200)).told.text


async def test_a_vote_is_posted_into_the_channel(channel: Channel) -> None:
    """What is typed behind `/persona vote` shows both answers to all, and the person one line."""
    surface = ScriptedSurface()
    votes = ChannelVotes(channel.commands, lambda _platform: surface)
    commands = PersonaCommands(Personas(settings=PersonaSettings()), channel.guard, {}, vote=votes.run)
    told = await commands.run(f"vote {QUESTION}", ADMIN, PLACE)
    assert told.text == "The vote has begun."
    ((where, posted),) = surface.lines
    assert where == PLACE.channel
    assert QUESTION in posted
    assert len(surface.choices) == 3
    assert (await commands.run("vote A", ANA, PLACE)).text.startswith("Your vote is A")
    assert len(surface.lines) == 1


async def test_a_ballot_that_nobody_sees_is_ended(channel: Channel) -> None:
    """Where a ballot cannot be posted, another vote may begin at once."""
    surface = ScriptedSurface()
    surface.fail("notify", SurfaceBusy("slack is busy."))
    votes = ChannelVotes(channel.commands, lambda _platform: surface)
    assert (await votes.run(QUESTION, ADMIN, PLACE, "")).failed
    assert (await votes.run(QUESTION, ADMIN, PLACE, "")).text == "The vote has begun."


async def test_a_channel_that_cannot_be_reached_is_told(channel: Channel) -> None:
    """Where the platform takes nothing, whoever began a vote hears it in one line."""

    def away(platform: str) -> Surface:
        raise SurfaceBusy(f"{platform} is not connected yet.")

    told = await ChannelVotes(channel.commands, away).run(QUESTION, ADMIN, PLACE, "")
    assert told.failed
    assert told.text.startswith(ENGLISH.failures["SurfaceBusy"])
