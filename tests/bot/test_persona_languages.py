"""The commands about voices, the vote and the line under an answer, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels import ChannelRules
from bot.chat import Person, Place
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.ledger import Ledger
from bot.messages import Answer, Asker, Question, Voice
from bot.persona import Stylist, with_draft
from bot.persona_commands import PersonaCommands
from bot.persona_guard import PersonaGuard
from bot.persona_settings import NamedVoice, PersonaSettings
from bot.persona_texts import ENGLISH, LANGUAGES, persona_texts
from bot.personas import Personas
from bot.vote_commands import VoteCommands
from bot.voting import BlindVotes
from kb.database import open_database
from kb.documents import EVERYONE
from tests.bot.found import assistant, passage
from tests.bot.test_texts import parts
from tests.emulators.openai import OpenAIEmulator, say

PINS = passage("Printer PINs have 6 digits.", title="Printer help", uri="printer.md")
QUESTION = "How many digits has a printer PIN?"
PLACE = Place(platform="slack", workspace="T1", channel="C1")
ADMIN = Person(platform="slack", workspace="T1", id="U9", admin=True)
OTHERS = sorted(set(LANGUAGES) - {"en"})
TYPED = (
    *("", "list", "help", "of", "on", "on elf", "on pirate", "on pirate here", "on pirate everywhere"),
    *("off", "off here", "off everywhere", "auto", "auto here", "auto everywhere", "off now", "on untrained"),
)
VOTED = ("", "A", QUESTION, QUESTION, "A", "b", "b", "same", "close", "close", "x" * 501, "untrained: what?")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    await Ledger.open(opened)
    yield opened
    await opened.dispose()


@pytest.fixture
async def server() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(models=("ft:pirate",)).running() as running:
        running.reply = lambda _request: say("Arr, printer PINs have six digits [1]!")
        yield running


def personas(base_url: str = "") -> Personas:
    settings = PersonaSettings(
        enabled=True, name="pirate", description="Jo", model="ft:pirate", base_url=base_url
    )
    return Personas(settings=settings, others=(NamedVoice(name="untrained"),))


def english_words() -> Iterator[str]:
    """Yield stretches of English lines that no other language has."""
    for field in ENGLISH.__dataclass_fields__:
        for text in parts(getattr(ENGLISH, field)):
            stretches = re.split(r"\{\w+[^}]*\}|`[^`]*`", text)
            yield from (one.strip() for one in stretches if len(one.split()) >= 3)


def is_english(text: str) -> bool:
    return any(words in text for words in english_words())


@pytest.mark.parametrize("language", OTHERS)
async def test_commands(language: str, engine: AsyncEngine) -> None:
    """Whatever is typed behind the command is answered in the language, mistakes included."""
    guard = PersonaGuard(engine, personas().settings)
    commands = PersonaCommands(personas(), guard, {})
    for typed in TYPED:
        told = await commands.run(typed, ADMIN, PLACE, language=language)
        in_english = await commands.run(typed, ADMIN, PLACE)
        assert not is_english(told.text), told.text
        assert told.text != in_english.text
        assert told.failed == in_english.failed
        assert "{" not in told.text


@pytest.mark.parametrize("language", OTHERS)
async def test_a_pause_is_told(language: str, engine: AsyncEngine) -> None:
    """That a voice switched itself off, why, and when it speaks again, is told in the language."""
    guard = PersonaGuard(engine, personas().settings.model_copy(update={"window": 5}))
    for number in range(5):
        voice = Voice(name="pirate", verdict="rejected")
        answer = Answer(id=f"a{number}", question="?", answered=True, text="x", confidence=1.0, voice=voice)
        await guard.record(answer)
    told = await PersonaCommands(personas(), guard, {}).run("list", ADMIN, PLACE, language=language)
    lines = persona_texts(language)
    assert lines.unusable.format(bad=5, number=5) in told.text
    assert not is_english(told.text)


@pytest.mark.parametrize("language", OTHERS)
async def test_vote(language: str, engine: AsyncEngine, server: OpenAIEmulator) -> None:
    """A vote speaks the channel's language to all, and to who typed something theirs."""
    known = personas(server.base_url)
    guard = PersonaGuard(engine, known.settings)
    stylist = Stylist(known, lambda _name: SecretStr(server.key), guard)
    rules = ChannelRules([ChannelSettings(platform="slack", id="C1", language=language)], {})
    voting = VoteCommands(
        BlindVotes(engine, coin=lambda: 0), assistant(PINS, stylist=stylist), known, {}, rules=rules
    )
    posts = []
    for typed in VOTED:
        said = await voting.run(typed, ADMIN, PLACE, audience=EVERYONE, language=language)
        assert not is_english(said.told.text), said.told.text
        assert not is_english(said.post), said.post
        posts.append(said.post)
    begun, ended = (post for post in posts if post)
    lines = persona_texts(language)
    assert lines.which_answer.format(who="Jo") in begun
    assert lines.counted.format(voiced=0, plain=0, neither=1) in ended
    in_english = await voting.run(QUESTION, ADMIN, PLACE, audience=EVERYONE)
    assert in_english.told.text == ENGLISH.vote_begun
    assert lines.which_answer.format(who="Jo") in in_english.post
    await stylist.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_under_an_answer(language: str, engine: AsyncEngine, server: OpenAIEmulator) -> None:
    """Whose voice it is, or why it is not heard, is told in the reader's language."""
    known = personas(server.base_url)
    stylist = Stylist(known, lambda _name: SecretStr(server.key), PersonaGuard(engine, known.settings))
    asked = Question(
        text=QUESTION, asker=Asker(id="U1"), persona="pirate", language=language, place=PLACE.key
    )
    lines = persona_texts(language)
    answering = assistant(PINS, stylist=stylist)
    heard = await answering.answer(replace(asked, private=True))
    assert (heard.notice, heard.mode) == (lines.in_the_voice.format(who="Jo"), "persona")
    elsewhere = await answering.answer(asked)
    assert (elsewhere.notice, elsewhere.mode) == (lines.not_on_here.format(who="Jo"), "extractive")
    unknown = await answering.answer(replace(asked, persona="elf", private=True))
    assert unknown.notice == lines.unknown.format(name="'elf'", known="'pirate', 'untrained'")
    server.reply = lambda _request: say("Arr, seven digits [1]!")
    changed = await answering.answer(replace(asked, private=True))
    assert lines.facts_changed[1:] in changed.notice
    await stylist.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_failed(language: str) -> None:
    """That the voice's model failed is told in the language; in English also how."""
    plain = Answer(id="a1", question="?", answered=True, text="x", confidence=1.0)
    voice = Voice(name="pirate", verdict="failed", reason="the voice's model is down")
    lines = persona_texts(language)
    reason = voice.reason if language == "en" else lines.model_failed
    assert reason[1:] in with_draft(plain, voice, language).notice


async def test_the_command_is_called_as_the_platform_does(engine: AsyncEngine) -> None:
    """Where the settings give the command another name, the lines use that."""

    class Renamed(PlatformSettings):
        persona_command: str = "/voice"

    commands = PersonaCommands(personas(), PersonaGuard(engine, personas().settings), {"slack": Renamed()})
    assert "`/voice list`" in (await commands.run("help", ADMIN, PLACE)).text
