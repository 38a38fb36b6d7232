"""One conversation on every surface of the bot: the same answers, citations and ledger rows."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.texts import ENGLISH
from tests.contracts.chat_world import ChatWorld, Row, words
from tests.contracts.discord_chat_world import DiscordChatWorld
from tests.contracts.slack_chat_world import SlackChatWorld
from tests.contracts.terminal_chat_world import TerminalChatWorld

HANDBOOK = {
    "leave.md": "# Leave\n\nEverybody has 28 days of paid leave a year.\n",
    "illness.md": "# Illness\n\nAn illness is reported to the office before nine.\n",
    "keys.md": "# Keys\n\nA lost door key costs 40 euros.\n",
}
TRAVEL = {"train.md": "# Train tickets\n\nA train ticket is booked by the office in room 12.\n"}
SAID = "The coffee machine is cleaned every Friday by the kitchen team."

LEAVE = "How many days of paid leave does everybody have?"
SICK = "And to whom is an illness reported?"
UNKNOWN = "What is the melting point of tungsten carbide?"
TRAIN = "Who books a train ticket?"
KEY = "How much does a lost door key cost?"
COFFEE = "When is the coffee machine cleaned?"

TOLD = {
    LEAVE: ("Everybody has 28 days of paid leave a year.", "handbook", "Leave"),
    SICK: ("An illness is reported to the office before nine.", "handbook", "Illness"),
    KEY: ("A lost door key costs 40 euros.", "handbook", "Keys"),
    TRAIN: ("A train ticket is booked by the office in room 12.", "travel", "Train tickets"),
    COFFEE: (SAID, "saved", "Coffee machine"),
}


WORLDS = (SlackChatWorld, DiscordChatWorld, TerminalChatWorld)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A question of the script, and what everybody is told then: nothing when it has no answer."""

    question: str
    answered: bool = True
    opinions: tuple[bool, ...] = ()


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rows_of() -> dict[str, list[Row]]:
    """Keep what each surface's ledger held at the end of its conversation."""
    return {}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> ChatWorld:
    written(tmp_path / "handbook", HANDBOOK)
    source = '[[sources]]\nname = "handbook"\ntype = "folder"\nlocation = "handbook"\n'
    (tmp_path / "config.toml").write_text(source, encoding="utf-8")
    kind: type[ChatWorld] = request.param
    return TerminalChatWorld(tmp_path, capfd) if kind is TerminalChatWorld else kind(tmp_path)


def check(said: str, told: Told) -> None:
    """See that a reader is shown the answer and what it stands on, or that there is none."""
    text, source, title = TOLD.get(told.question, ("", "", ""))
    if told.answered:
        assert words(text) in words(said)
        # The command line names the document by its path.
        assert words(title) in words(said) or source in said
    else:
        assert words(ENGLISH.not_found) in words(said)
        assert not text or words(text) not in words(said)


async def told(world: ChatWorld, script: list[Told], question: str, *, answered: bool = True) -> None:
    """Ask for all to see."""
    script.append(Told(question=question, answered=answered))
    check(await world.ask(question), script[-1])


async def talked(world: ChatWorld, script: list[Told]) -> None:
    """Hold the part of the conversation that needs people and threads."""
    script[-1] = Told(question=script[-1].question, opinions=(True,))
    assert words(ENGLISH.thanks) in words(await world.rate())
    script.append(Told(question=SICK))
    check(await world.follow_up(SICK), script[-1])
    script.append(Told(question=KEY))
    check(await world.ask_privately(KEY), script[-1])
    script.append(Told(question=KEY))
    check(await world.share(), script[-1])


async def learned(world: ChatWorld, script: list[Told]) -> None:
    """Teach the bot what it did not know, and take it away again."""
    travel = written(world.folder / "travel", TRAVEL)
    await told(world, script, TRAIN, answered=False)
    assert "travel" in await world.add(travel, "travel")
    assert "travel" in await world.sync("travel")
    await told(world, script, TRAIN)
    assert "travel" in await world.remove("travel")
    await told(world, script, TRAIN, answered=False)
    if "save" in world.can:
        assert "Coffee machine" in await world.save(SAID, "Coffee machine")
        await told(world, script, COFFEE)


async def test_a_conversation(world: ChatWorld, rows_of: dict[str, list[Row]]) -> None:
    """What is asked is answered from the right passages, and each answer is in the ledger once."""
    script: list[Told] = []
    async with AsyncExitStack() as stack:
        await world.open(stack)
        await told(world, script, LEAVE)
        if world.can:
            await talked(world, script)
        await told(world, script, UNKNOWN, answered=False)
        await learned(world, script)
        rows = await world.rows()
    assert [(row.question, row.answered, row.opinions) for row in rows] == [
        (one.question, one.answered, one.opinions) for one in script
    ]
    for row in rows:
        check_row(row)
    rows_of[type(world).__name__] = rows


def check_row(row: Row) -> None:
    """See that an answer says what it must, and cites the passage that says so."""
    assert row.mode == "extractive"
    if row.answered:
        text, source, title = TOLD[row.question]
        (number,) = [one[0] for one in row.citations if one[1:3] == (source, title)]
        assert f"{text} [{number}]" in row.text
        assert words(text) in words(row.citations[number - 1][4])
        assert not row.nearest
    else:
        assert (row.text, row.citations) == (ENGLISH.not_found, ())
        assert row.nearest


def test_the_rows_are_the_same(rows_of: dict[str, list[Row]]) -> None:
    """Every surface has the same rows: text, citations, nearest passages, confidence; chats opinions too."""
    if len(rows_of) < len(WORLDS):
        pytest.skip("not every surface has held its conversation")
    slack, discord, terminal = (rows_of[world.__name__] for world in WORLDS)
    assert discord == slack
    shared = [replace(row, opinions=()) for row in slack if row.question in {LEAVE, UNKNOWN, TRAIN}]
    assert terminal == shared
