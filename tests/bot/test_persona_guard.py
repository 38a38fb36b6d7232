from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.answer_json import answer_json
from bot.chat import Person, Place
from bot.chat_json import read_answer, write_answer
from bot.ledger import Ledger
from bot.messages import Answer, Asker, Question, Voice
from bot.persona_commands import PersonaCommands
from bot.persona_guard import PersonaGuard
from bot.persona_settings import PersonaSettings
from bot.personas import Personas, choose_model
from kb.database import close_database, open_database

SETTINGS = PersonaSettings(
    enabled=True, name="pirate", description="a pirate", model="ft:p", window=10, per_minute=50
)
PERSONAS = Personas(settings=SETTINGS)
PIRATE = choose_model("pirate", PERSONAS)
PLACE = Place(platform="slack", workspace="T1", channel="C1")
ASKED = Question(text="?", asker=Asker(id="slack:T1:U1"), place=PLACE.key, place_persona="pirate")
MEMBER = Person(platform="slack", workspace="T1", id="U1")
ADMIN = Person(platform="slack", workspace="T1", id="U9", admin=True)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    await Ledger.open(opened)
    yield opened
    await close_database(opened)


def guard(engine: AsyncEngine, clock: Clock, **changes: object) -> PersonaGuard:
    return PersonaGuard(engine, SETTINGS.model_copy(update=changes), clock=clock)


def spoken(key: str, verdict: str = "kept") -> Answer:
    voice = Voice(name="pirate", verdict=verdict, lost=("30 days",))  # type: ignore[arg-type]  # a table of words
    return Answer(id=key, question="?", answered=True, text="Arr [1].", confidence=1.0, voice=voice)


PUBLIC = replace(ASKED, place_persona=None)
ALONE = replace(PUBLIC, private=True)
RULED = replace(PUBLIC, place_persona="pirate")
TERMINAL = replace(PUBLIC, place="")
UNSAID = None  # nothing was chosen; empty: off

# What is asked where, what the channel and the person chose, and who speaks.
MATRIX: tuple[tuple[Question, str | None, str | None, str | None], ...] = (
    (PUBLIC, UNSAID, UNSAID, None),
    (PUBLIC, UNSAID, "elf", None),
    (PUBLIC, UNSAID, "", None),
    (PUBLIC, "bard", UNSAID, "bard"),
    (PUBLIC, "bard", "elf", "bard"),
    (PUBLIC, "bard", "Bard", "bard"),
    (PUBLIC, "bard", "", None),
    (PUBLIC, "", UNSAID, None),
    (PUBLIC, "", "elf", None),
    (RULED, UNSAID, UNSAID, "pirate"),
    (RULED, UNSAID, "elf", "pirate"),
    (RULED, UNSAID, "", None),
    (RULED, "bard", UNSAID, "bard"),
    (RULED, "bard", "pirate", "pirate"),
    (RULED, "", "pirate", None),
    (ALONE, UNSAID, UNSAID, None),
    (ALONE, UNSAID, "elf", "elf"),
    (ALONE, UNSAID, "", None),
    (ALONE, "bard", UNSAID, "bard"),
    (ALONE, "bard", "elf", "elf"),
    (ALONE, "bard", "", None),
    (ALONE, "", "elf", None),
    (replace(RULED, private=True), UNSAID, UNSAID, "pirate"),
    (replace(RULED, private=True), UNSAID, "elf", "elf"),
    (TERMINAL, UNSAID, UNSAID, None),
    (TERMINAL, UNSAID, "elf", "elf"),
    (TERMINAL, UNSAID, "", None),
    (replace(PUBLIC, persona="elf"), UNSAID, UNSAID, None),
    (replace(PUBLIC, persona="elf"), UNSAID, "elf", None),
    (replace(PUBLIC, persona="elf"), "bard", UNSAID, None),
    (replace(PUBLIC, persona="BARD"), "bard", "", "bard"),
    (replace(PUBLIC, persona="bard"), "", UNSAID, None),
    (replace(RULED, persona="pirate"), UNSAID, UNSAID, "pirate"),
    (replace(RULED, persona="elf"), UNSAID, UNSAID, None),
    (replace(RULED, persona="pirate"), "bard", UNSAID, "pirate"),
    (replace(ALONE, persona="elf"), UNSAID, UNSAID, "elf"),
    (replace(ALONE, persona="elf"), "bard", "", "elf"),
    (replace(ALONE, persona="elf"), "", UNSAID, None),
    (replace(TERMINAL, persona="elf"), UNSAID, "", "elf"),
)


@pytest.mark.parametrize(("question", "channel", "person", "speaks"), MATRIX)
async def test_who_speaks_where(
    question: Question,
    channel: str | None,
    person: str | None,
    speaks: str | None,
    engine: AsyncEngine,
    clock: Clock,
) -> None:
    """Where others read, only a voice that is on there speaks; one's own choice counts where one is alone."""
    one = guard(engine, clock)
    if channel is not None:
        await one.choose("channel", PLACE.key, channel, by="x")
    if person is not None:
        await one.choose("person", question.asker.id, person, by="x")
    assert await one.name_for(question) == speaks
    await one.choose("all", "*", "", by="x")
    assert await one.name_for(question) is None


async def test_share_of_the_answers(engine: AsyncEngine, clock: Clock) -> None:
    """A canary share draws about that share of answers; whoever names the voice gets it."""
    one = guard(engine, clock, share=0.1)
    drawn = sum([await one.admits(PIRATE, ASKED, f"answer {number}") for number in range(300)])
    assert 10 <= drawn <= 60
    assert await one.admits(PIRATE, replace(ASKED, persona="pirate"), "answer 0")


async def test_only_in_its_channels(engine: AsyncEngine, clock: Clock) -> None:
    """A voice with channels speaks in no other."""
    settings = SETTINGS.model_copy(update={"channels": ("C2",)})
    choice = choose_model("pirate", Personas(settings=settings))
    assert not await guard(engine, clock).admits(choice, ASKED, "a")
    assert await guard(engine, clock).admits(choice, replace(ASKED, place="slack:T1:C2"), "a")


async def test_limit_a_minute(engine: AsyncEngine, clock: Clock) -> None:
    """Beyond the limit of a minute answers are plain; those under way count."""
    one = guard(engine, clock, per_minute=2)
    await one.record(spoken("a1"))
    assert await one.admits(PIRATE, ASKED, "b")
    with one.speaking("pirate"):
        assert not await one.admits(PIRATE, ASKED, "b")
    clock.now += 61
    assert await one.admits(PIRATE, ASKED, "b")


async def test_rejections_switch_it_off(engine: AsyncEngine, clock: Clock) -> None:
    """Too many rejected rewrites switch a voice off for the pause; afterwards it begins anew."""
    one = guard(engine, clock)
    for number in range(10):
        clock.now += 1
        await one.record(spoken(f"a{number}", "rejected" if number % 2 else "kept"))
    pause = await one.pause_of("pirate")
    assert pause is not None
    assert pause.reason == "5 of its last 10 answers could not be used"
    assert not await one.admits(PIRATE, ASKED, "b")
    clock.now = pause.until + 1
    assert await one.admits(PIRATE, ASKED, "b")
    assert await one.review("pirate") is None


async def test_dislike_switches_it_off(engine: AsyncEngine, clock: Clock) -> None:
    """Too many bad opinions of its answers switch a voice off."""
    one, ledger = guard(engine, clock), await Ledger.open(engine)
    for number in range(6):
        await one.record(spoken(f"a{number}"))
        await ledger.rate(f"a{number}", "U1", good=number < 2)
    pause = await one.review("pirate")
    assert pause is not None
    assert pause.reason == "3 of 5 opinions on its last answers are bad"


async def test_commands(engine: AsyncEngine, clock: Clock) -> None:
    """Members choose for themselves, admins for the channel and everywhere; one command stops all voices."""
    one = guard(engine, clock)
    commands = PersonaCommands(PERSONAS, one, {}, clock=clock)
    plain = replace(ASKED, place_persona=None)
    assert (await commands.run("on pirate", MEMBER, PLACE)).text.startswith(
        "Your answers are now in the voice of a pirate: in direct messages"
    )
    assert await one.name_for(plain) is None
    assert await one.name_for(replace(plain, private=True)) == "pirate"
    assert (await commands.run("on pirate here", MEMBER, PLACE)).failed
    assert not (await commands.run("on pirate here", ADMIN, PLACE)).failed
    assert await one.name_for(plain) == "pirate"
    assert not (await commands.run("off everywhere", ADMIN, PLACE)).failed
    assert await one.name_for(plain) is None
    assert "Everywhere: off" in (await commands.run("list", MEMBER, PLACE)).text
    await commands.run("on pirate everywhere", ADMIN, PLACE)
    assert await one.name_for(plain) == "pirate"
    assert (await commands.run("of", MEMBER, PLACE)).text.startswith(
        "There is no command 'of'. There are: `/persona list`,"
    )
    assert "Did you mean `/persona off`?" in (await commands.run("of", MEMBER, PLACE)).text
    assert (await commands.run("on elf", MEMBER, PLACE)).text.startswith("There is no persona 'elf'.")


def test_verdict_is_kept_and_told() -> None:
    """The voice survives the ledger's JSON and is told in the answer's; a plain answer has no such key."""
    answer = spoken("a1", "rejected")
    assert read_answer(write_answer(answer)) == answer
    assert answer_json(answer)["persona"]["lost"] == ["30 days"]
    assert "persona" not in answer_json(replace(answer, voice=None))


def test_flag_off_imports_nothing() -> None:
    """Neither the command line nor the assistant imports persona code while the flag is off."""
    code = (
        "import sys, adapters.cli, adapters.asking, adapters.runtime, bot.assistant, bot.chat_commands\n"
        "names = [n for n in sys.modules if n.startswith(('bot.persona', 'bot.fact', 'sklearn'))]\n"
        "print(sorted(set(names) - {'bot.persona_settings'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
