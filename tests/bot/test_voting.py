from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import CommandError
from bot.ledger import Ledger
from bot.messages import Answer, Voice
from bot.voting import BlindVotes, Counted, Tally, sign_test
from kb.database import close_database, open_database

PLAIN = Answer(question="?", answered=True, text="Printer PINs have 6 digits [1].", confidence=1.0)
VOICED = Answer(
    question="?", answered=True, text="Arr, six digits [1]!", confidence=1.0, voice=Voice(name="pirate")
)
PLACE = "slack:T1:C1"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    await Ledger.open(opened)
    yield opened
    await close_database(opened)


@pytest.fixture
def votes(engine: AsyncEngine) -> BlindVotes:
    return BlindVotes(engine, clock=Clock(), coin=lambda: 0)


async def test_sides_are_drawn(engine: AsyncEngine) -> None:
    """A coin decides which answer comes first, and markers are gone: nothing tells the voice."""
    for drawn, side, first in (
        (0, "second", "Printer PINs have 6 digits."),
        (1, "first", "Arr, six digits!"),
    ):
        ballot = await BlindVotes(engine, coin=lambda drawn=drawn: drawn).open(
            "PIN?", plain=PLAIN, voiced=VOICED, place=PLACE
        )
        assert (ballot.voiced, ballot.first) == (side, first)


async def test_coin_is_fair(engine: AsyncEngine) -> None:
    """By itself either side comes first, about as often."""
    opened = [
        await BlindVotes(engine).open("PIN?", plain=PLAIN, voiced=VOICED, place=PLACE) for _ in range(60)
    ]
    assert 12 <= sum(ballot.voiced == "first" for ballot in opened) <= 48


async def test_vote_and_change(votes: BlindVotes) -> None:
    """A person has one vote a ballot; a later one takes its place."""
    ballot = await votes.open("PIN?", plain=PLAIN, voiced=VOICED, place=PLACE)
    assert await votes.cast(ballot.id, "U1", "first") is None
    assert await votes.cast(ballot.id, "U1", "second") == "first"
    await votes.cast(ballot.id, "U2", "neither")
    assert await votes.counted(ballot.id) == Counted(voiced=1, plain=0, neither=1)


async def test_votes_at_once(votes: BlindVotes) -> None:
    """Votes that come at the same moment are all counted, one a person."""
    ballot = await votes.open("PIN?", plain=PLAIN, voiced=VOICED, place=PLACE)
    await asyncio.gather(
        *(votes.cast(ballot.id, f"U{number % 20}", "second") for number in range(40)),
    )
    assert (await votes.counted(ballot.id)).total == 20


async def test_closed_ballot(votes: BlindVotes) -> None:
    """After it is closed nobody can vote, what was voted stays, and closing again changes nothing."""
    ballot = await votes.open("PIN?", plain=PLAIN, voiced=VOICED, place=PLACE)
    await votes.cast(ballot.id, "U1", "second")
    assert await votes.close(ballot.id) == Counted(voiced=1)
    closed = await votes.ballot(ballot.id)
    with pytest.raises(CommandError, match="This vote is over"):
        await votes.cast(ballot.id, "U2", "first")
    assert await votes.close(ballot.id) == Counted(voiced=1)
    assert await votes.ballot(ballot.id) == closed


async def test_unknown_ballot(votes: BlindVotes) -> None:
    """A vote on a ballot that is not there is refused."""
    with pytest.raises(CommandError):
        await votes.cast("f" * 32, "U1", "first")
    with pytest.raises(CommandError, match="There is no vote"):
        await votes.counted("f" * 32)


async def test_unknown_pick(votes: BlindVotes) -> None:
    """What is no vote is refused, whoever sends it."""
    ballot = await votes.open("PIN?", plain=PLAIN, voiced=VOICED, place=PLACE)
    with pytest.raises(CommandError, match="is no vote"):
        await votes.cast(ballot.id, "U1", "third")  # type: ignore[arg-type]  # as a broken button would


async def test_latest_of_a_place(votes: BlindVotes) -> None:
    """A place's newest open ballot is found, others' are not."""
    await votes.open("Old?", plain=PLAIN, voiced=VOICED, place=PLACE)
    newer = await votes.open("New?", plain=PLAIN, voiced=VOICED, place=PLACE)
    await votes.open("Elsewhere?", plain=PLAIN, voiced=VOICED, place="slack:T1:C2")
    assert await votes.latest(PLACE) == newer
    await votes.close(newer.id)
    found = await votes.latest(PLACE)
    assert found is not None
    assert found.question == "Old?"
    assert await votes.latest("discord:1:2") is None


def _voiced(**changes: object) -> Answer:
    values = {"question": "?", "answered": True, "text": "Arr!", "confidence": 1.0, **changes}
    return Answer(**values)  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("voiced", "reason"),
    [
        (_voiced(answered=False), "could not find this"),
        (_voiced(), "may not speak here"),
        (
            _voiced(voice=Voice(name="p", verdict="rejected", reason="the voice changed facts")),
            "changed facts",
        ),
        (_voiced(text="Printer PINs have 6 digits.", voice=Voice(name="p")), "are the same"),
    ],
)
async def test_nothing_to_vote_on(votes: BlindVotes, voiced: Answer, reason: str) -> None:
    """Without two different answers there is no ballot, and the reason is told."""
    with pytest.raises(CommandError, match=reason):
        await votes.open("PIN?", plain=PLAIN, voiced=voiced, place=PLACE)
    assert await votes.latest(PLACE) is None


async def test_tallies(votes: BlindVotes) -> None:
    """Closed ballots are summed up by persona; open ones do not count yet."""
    for question in ("One?", "Two?"):
        ballot = await votes.open(question, plain=PLAIN, voiced=VOICED, place=PLACE)
        await votes.cast(ballot.id, "U1", "second")
        await votes.cast(ballot.id, "U2", "first")
        await votes.cast(ballot.id, "U3", "neither")
        await votes.close(ballot.id)
    standing = await votes.open("Three?", plain=PLAIN, voiced=VOICED, place=PLACE)
    await votes.cast(standing.id, "U1", "second")
    expected = Tally(persona="pirate", ballots=2, voters=3, voiced=2, plain=2, neither=2)
    assert await votes.tallies() == [expected]
    assert await votes.tallies("PIRATE") == [expected]
    assert await votes.tallies("elf") == []


@pytest.mark.parametrize(
    ("voiced", "plain", "said"),
    [
        (3, 1, "too few votes"),
        (12, 10, "no clear preference"),
        (30, 5, "people prefer the voice: 30 of 35 votes were for the voice (86%, 71% to 94%)"),
        (5, 30, "people prefer plain answers"),
    ],
)
def test_verdict(voiced: int, plain: int, said: str) -> None:
    """A preference is only told when chance would hardly make it."""
    tally = Tally(persona="p", ballots=9, voters=9, voiced=voiced, plain=plain, neither=2)
    assert tally.verdict.startswith(said)


def test_sign_test() -> None:
    """It is the two-sided binomial test, for thousands of votes too."""
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 5) == 1.0
    assert sign_test(9, 1) == pytest.approx(22 / 1024)
    assert sign_test(3_000, 2_000) < 1e-40
