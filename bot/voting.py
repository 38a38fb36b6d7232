"""The blind vote: two answers to one question, one in a voice, and people who do not know which is which.

Which of them comes first is drawn for each ballot. A person has one vote a ballot and may change it until
the ballot is closed; only then is it told which one was in the voice.
"""

from __future__ import annotations

import math
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Select, func, insert, select, update

from bot.chat_json import storable
from bot.citations import canonical_markers, keep_markers
from bot.errors import CommandError
from bot.group_commit import shared_commits
from bot.persona_texts import COMMAND, ENGLISH
from bot.resampling import Interval, proportion
from bot.tables import persona_ballots, persona_votes
from kb.database import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.messages import Answer

Side = Literal["first", "second"]
Pick = Literal["first", "second", "neither"]

FEWEST_VOTES = 10  # that take a side, before anything is said about them
SURE = 0.05
_EVERY = ("first", "second", "neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """Two answers that are voted on. `voiced` says which one is in the voice: tell it when it is closed."""

    id: str
    persona: str
    question: str
    first: str
    second: str
    voiced: Side
    place: str
    created: float
    closed: float = 0.0  # seconds since the epoch, 0 while it is voted on


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The votes on one ballot, by which answer was in the voice."""

    voiced: int = 0
    plain: int = 0
    neither: int = 0

    @property
    def total(self) -> int:
        """How many people voted."""
        return self.voiced + self.plain + self.neither


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All votes on a persona's closed ballots."""

    persona: str
    ballots: int
    voters: int
    voiced: int
    plain: int
    neither: int

    @property
    def share(self) -> Interval | None:
        """The share of the voice among votes that took a side."""
        return proportion(self.voiced, self.voiced + self.plain)

    @property
    def chance(self) -> float:
        """How likely so clear a result is when nobody prefers either: the two-sided sign test."""
        return sign_test(self.voiced, self.plain)

    @property
    def verdict(self) -> str:
        """What the votes say, in one sentence."""
        share, sided = self.share, self.voiced + self.plain
        if share is None or sided < FEWEST_VOTES:
            return f"too few votes to tell: {sided} took a side, {FEWEST_VOTES} are needed."
        figures = (
            f"{self.voiced} of {sided} votes were for the voice ({share.value:.0%}, "
            f"{share.low:.0%} to {share.high:.0%})"
        )
        if self.chance >= SURE:
            return f"no clear preference: {figures}."
        return f"people prefer {'the voice' if self.voiced > self.plain else 'plain answers'}: {figures}."


class BlindVotes:
    """Keeps ballots and votes in the SQL database. `coin` draws 0 or 1."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        clock: Callable[[], float] = time.time,
        coin: Callable[[], int] = lambda: secrets.randbelow(2),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._coin = coin
        self._writes = shared_commits(engine)

    async def open(self, question: str, *, plain: Answer, voiced: Answer, place: str) -> Ballot:
        """Begin a ballot between two answers; raise CommandError when there is nothing to choose between."""
        name, said = _comparable(plain, voiced)
        answers = [bare_answer(plain.text), said]
        side: Side = "second"
        if self._coin():
            answers.reverse()
            side = "first"
        ballot = Ballot(
            id=uuid.uuid4().hex,
            persona=name,
            question=question,
            first=answers[0],
            second=answers[1],
            voiced=side,
            place=place,
            created=self._clock(),
        )
        row = {name: _stored(getattr(ballot, name)) for name in Ballot.__dataclass_fields__}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(persona_ballots), row)

        await self._writes.run(work)
        return ballot

    async def ballot(self, ballot: str) -> Ballot | None:
        """Return a ballot by its id."""
        return await self._one(select(persona_ballots).where(persona_ballots.c.id == ballot))

    async def latest(self, place: str) -> Ballot | None:
        """Return the newest ballot of a place that is still voted on."""
        table = persona_ballots.c
        standing = select(persona_ballots).where(table.place == storable(place), table.closed == 0)
        return await self._one(standing.order_by(table.created.desc(), table.id).limit(1))

    async def cast(self, ballot: str, person: str, pick: Pick) -> Pick | None:
        """Keep a vote; return what the person had voted before. Raise CommandError when it is closed."""
        if pick not in _EVERY:
            raise CommandError(ENGLISH.bad_pick.format(pick=repr(pick)))
        mine = (persona_votes.c.ballot == ballot) & (persona_votes.c.person == storable(person))
        row = {"choice": pick, "at": self._clock()}

        async def work(connection: AsyncConnection) -> Pick | None:
            # The ballot's row is locked, so that no vote comes in behind the count that closes it.
            held = select(persona_ballots.c.closed).where(persona_ballots.c.id == ballot).with_for_update()
            if (closed := (await connection.execute(held)).scalar_one_or_none()) is None or closed:
                raise CommandError(ENGLISH.vote_over.format(command=COMMAND))
            found = await connection.execute(select(persona_votes.c.choice).where(mine))
            before: Pick | None = found.scalar_one_or_none()
            if before is None:
                values = {"ballot": ballot, "person": storable(person), **row}
                await connection.execute(insert(persona_votes), values)
            else:
                await connection.execute(update(persona_votes).where(mine).values(**row))
            return before

        return await self._writes.run(work)

    async def close(self, ballot: str) -> Counted:
        """End a ballot and return its votes; one that has ended stays as it is."""
        row = persona_ballots.c

        async def work(connection: AsyncConnection) -> None:
            closing = update(persona_ballots).where(row.id == ballot, row.closed == 0)
            await connection.execute(closing.values(closed=self._clock()))

        await self._writes.run(work)
        return await self.counted(ballot)

    async def counted(self, ballot: str) -> Counted:
        """Return the votes on a ballot."""
        known = await self.ballot(ballot)
        if known is None:
            raise CommandError(ENGLISH.vote_unknown.format(ballot=repr(ballot[:8]), command=COMMAND))
        table = persona_votes.c
        query = select(table.choice, func.count()).where(table.ballot == ballot).group_by(table.choice)
        async with reading(self._engine) as connection:
            counts: dict[str, int] = {row[0]: row[1] for row in await connection.execute(query)}
        other = "second" if known.voiced == "first" else "first"
        return Counted(
            voiced=counts.get(known.voiced, 0), plain=counts.get(other, 0), neither=counts.get("neither", 0)
        )

    async def tallies(self, persona: str | None = None) -> list[Tally]:
        """Return what was voted on closed ballots, for one persona or for each."""
        ballots, votes = persona_ballots.c, persona_votes.c
        joined = persona_ballots.join(persona_votes, votes.ballot == ballots.id)
        query = (
            select(ballots.persona, ballots.id, ballots.voiced, votes.person, votes.choice)
            .select_from(joined)
            .where(ballots.closed > 0)
            .order_by(ballots.persona)
        )
        if persona is not None:
            query = query.where(func.lower(ballots.persona) == storable(persona).lower())
        async with reading(self._engine) as connection:
            rows = [tuple(row) for row in await connection.execute(query)]
        return [
            _tally(name, [row[1:] for row in rows if row[0] == name])
            for name in dict.fromkeys(row[0] for row in rows)
        ]

    async def _one(self, query: Select[tuple[object, ...]]) -> Ballot | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().first()
        return Ballot(**row) if row is not None else None


def bare_answer(text: str) -> str:
    """Return an answer's text without its citation markers: their order could give a voice away."""
    return keep_markers(canonical_markers(text), ()).strip()


def _comparable(plain: Answer, voiced: Answer) -> tuple[str, str]:
    """Return the persona and its words, or raise CommandError."""
    voice = voiced.voice
    if not plain.answered or not voiced.answered:
        raise CommandError(ENGLISH.nothing_found)
    if voice is None:
        raise CommandError(ENGLISH.may_not_speak.format(command=COMMAND))
    if voice.verdict != "kept":
        raise CommandError(ENGLISH.not_said.format(reason=voice.reason))
    said = bare_answer(voiced.text)
    if said == bare_answer(plain.text):
        raise CommandError(ENGLISH.both_same)
    return voice.name, said


def _stored(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


def _tally(persona: str, rows: list[tuple[str, ...]]) -> Tally:
    voiced = sum(choice == side for _, side, _, choice in rows)
    neither = sum(choice == "neither" for *_, choice in rows)
    return Tally(
        persona=persona,
        ballots=len({ballot for ballot, *_ in rows}),
        voters=len({person for _, _, person, _ in rows}),
        voiced=voiced,
        plain=len(rows) - voiced - neither,
        neither=neither,
    )


def sign_test(one: int, other: int) -> float:
    """Return the chance of a split at least this uneven when both sides are equally likely."""
    number = one + other
    if not number:
        return 1.0
    # In logarithms: the powers of two outgrow a float at a thousand votes.
    tail = sum(
        math.exp(
            math.lgamma(number + 1) - math.lgamma(k + 1) - math.lgamma(number - k + 1) - number * math.log(2)
        )
        for k in range(min(one, other) + 1)
    )
    return min(1.0, 2 * tail)
