"""Keeps personas within bounds: where they may speak, how often, when they are switched off.

What people chose and how the voices did is kept in the database, so that all processes and later ones know.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, func, insert, or_, select

from bot.chat_json import storable
from bot.group_commit import shared_commits
from bot.messages import Answer, Question
from bot.persona_texts import ENGLISH
from bot.personas import Choice, Trained
from bot.tables import feedback, persona_choices, persona_models, persona_outcomes, persona_pauses
from kb.database import reading
from kb.errors import StoreError
from kb.settings import interval_seconds

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.persona_settings import PersonaSettings

Scope = Literal["person", "channel", "all"]

EVERYWHERE = "*"
FEWEST_OUTCOMES = 10  # that a share of rejections is taken over, unless the window is smaller
FEWEST_RATINGS = 5
_MINUTE = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A persona that switched itself off. Times are in seconds since the epoch."""

    persona: str
    since: float
    until: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What was chosen for a question; None: nothing, empty: no voice."""

    person: str | None = None
    channel: str | None = None
    all: str | None = None


class PersonaGuard:
    """Decides for each answer whether a voice may speak, and remembers how it did."""

    def __init__(
        self, engine: AsyncEngine, settings: PersonaSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._writes = shared_commits(engine)
        self._speaking: Counter[str] = Counter()

    async def name_for(self, question: Question) -> str | None:
        """Return the persona that is to speak in an answer, None when it stays plain.

        Where others read the answer, only a voice that is on there for all to see may speak: by the choice
        of the channel, else by its rule. What the asker names or has chosen counts if it is that one, and
        in answers that they alone see; to choose no voice counts everywhere. Where personas are off, for
        the channel or everywhere, nobody speaks, nor when it cannot be read.
        """
        try:
            chosen = await self._chosen(question.asker.id, question.place)
        except StoreError as exc:
            log.warning("no voice: what was chosen cannot be read: %s", exc)
            return None
        if chosen.all == "" or chosen.channel == "":
            return None
        here = [name for name in (chosen.channel, question.place_persona) if name]
        wanted = question.persona or chosen.person
        if wanted == "":
            return None
        if not _read_by_others(question):
            return wanted or next(iter(here), None)
        allowed = next((name for name in here if wanted and name.lower() == wanted.lower()), None)
        return allowed if question.persona else allowed or next(iter(here), None)

    async def admits(self, choice: Choice, question: Question, answer: str) -> bool:
        """Tell whether a voice may speak in this answer now."""
        channels = choice.voice.channels if choice.voice else ()
        if channels and question.place and question.place.rpartition(":")[2] not in channels:
            return False
        # Whoever names the voice gets it; the share is for those who did not.
        if not question.persona and not _drawn(answer, self._settings.share):
            return False
        try:
            return await self.pause_of(choice.name) is None and await self._below_limit()
        except StoreError as exc:
            log.warning("answer %s: no voice: its state cannot be read: %s", answer, exc)
            return False

    @contextmanager
    def speaking(self, persona: str) -> Iterator[None]:
        """Count a voice as speaking, before its outcome is kept."""
        self._speaking[persona] += 1
        try:
            yield
        finally:
            self._speaking[persona] -= 1

    async def record(self, answer: Answer) -> None:
        """Keep how a voice did, and switch it off when it does too badly."""
        voice = answer.voice
        if voice is None:
            return
        row = {
            "answer": answer.id,
            "persona": storable(voice.name),
            "at": self._clock(),
            "mode": voice.mode,
            "model": storable(voice.model),
            "verdict": voice.verdict,
            "reason": storable(voice.reason),
            "lost": json.dumps(voice.lost),
            "invented": json.dumps(voice.invented),
            "tries": voice.tries,
            "milliseconds": voice.milliseconds,
            "input_tokens": voice.usage.input_tokens,
            "output_tokens": voice.usage.output_tokens,
            "cost": voice.usage.cost,
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(persona_outcomes).where(persona_outcomes.c.answer == answer.id))
            await connection.execute(insert(persona_outcomes), row)

        await self._writes.run(work)
        await self.review(voice.name)

    async def review(self, persona: str) -> Pause | None:
        """Switch a persona off when it is rejected or disliked too often; return the pause it is in."""
        if (standing := await self.pause_of(persona)) is not None:
            return standing
        reason = await self._fault(persona)
        if not reason:
            return None
        now = self._clock()
        until = now + interval_seconds(self._settings.pause)
        pause = Pause(persona=persona, since=now, until=until, reason=reason)
        await self._write_pause(pause)
        log.error("persona %r is switched off for %s: %s", persona, self._settings.pause, reason)
        return pause

    async def pause_of(self, persona: str) -> Pause | None:
        """Return the pause that a persona is in, None when it may speak."""
        query = select(persona_pauses).where(
            persona_pauses.c.persona == storable(persona), persona_pauses.c.until > self._clock()
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().first()
        return Pause(**row) if row else None

    async def resume(self, persona: str) -> None:
        """End a persona's pause; what it did before no longer counts."""
        now = self._clock()
        await self._write_pause(Pause(persona=persona, since=now, until=now, reason=""))

    async def choose(self, scope: Scope, key: str, persona: str | None, *, by: str) -> None:
        """Set what a person, a channel or all want: empty switches off, None forgets the choice."""
        mine = (persona_choices.c.scope == scope) & (persona_choices.c.id == storable(key))
        row = {"scope": scope, "id": storable(key), "by": storable(by), "at": self._clock()}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(persona_choices).where(mine))
            if persona is not None:
                await connection.execute(insert(persona_choices), row | {"persona": storable(persona)})

        await self._writes.run(work)

    async def chosen(self, person: str, place: str) -> tuple[str | None, str | None, str | None]:
        """Return what is chosen for a person, a channel and everywhere; None where nothing is."""
        found = await self._chosen(person, place)
        return found.person, found.channel, found.all

    async def on_in(self) -> dict[str, list[tuple[Scope, str]]]:
        """Return where each persona was switched on: channels and people by their ids."""
        table = persona_choices.c
        query = select(table.persona, table.scope, table.id).where(table.persona != "").order_by(table.id)
        found: dict[str, list[tuple[Scope, str]]] = {}
        async with reading(self._engine) as connection:
            for name, scope, key in (await connection.execute(query)).all():
                found.setdefault(name, []).append((scope, key))
        return found

    async def outcomes(self) -> dict[str, Counter[str]]:
        """Return how many answers of each persona had which verdict."""
        table = persona_outcomes.c
        query = select(table.persona, table.verdict, func.count()).group_by(table.persona, table.verdict)
        found: dict[str, Counter[str]] = {}
        async with reading(self._engine) as connection:
            for name, verdict, number in (await connection.execute(query)).all():
                found.setdefault(name, Counter())[verdict] = number
        return found

    async def trained(self) -> dict[str, Trained]:
        """Return the models that training gave to personas."""
        query = select(persona_models).where(persona_models.c.model != "")
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {row["name"]: Trained(model=row["model"], base_url=row["base_url"]) for row in rows}

    async def _chosen(self, person: str, place: str) -> _Chosen:
        table = persona_choices.c
        wanted = or_(
            (table.scope == "person") & (table.id == storable(person)),
            (table.scope == "channel") & (table.id == storable(place)),
            (table.scope == "all") & (table.id == EVERYWHERE),
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(table.scope, table.persona).where(wanted))).all()
        found: dict[str, Any] = {row.scope: row.persona for row in rows}
        return _Chosen(**found)

    async def _below_limit(self) -> bool:
        """Tell whether fewer answers than the limit were in a voice this minute, those under way included."""
        table = persona_outcomes.c
        query = select(func.count()).where(table.at > self._clock() - _MINUTE)
        async with reading(self._engine) as connection:
            spoken = (await connection.execute(query)).scalar_one()
        return int(spoken) + self._speaking.total() < self._settings.per_minute

    async def _fault(self, persona: str) -> str:
        """Return why a persona should be switched off, empty when it should not."""
        table, window = persona_outcomes.c, self._settings.window
        since = await self._last_pause_end(persona)
        latest = (
            select(table.answer, table.verdict)
            .where(table.persona == storable(persona), table.at >= since)
            .order_by(table.at.desc(), table.answer)
            .limit(window)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(latest)).all()
            kept = [answer for answer, verdict in rows if verdict == "kept"]
            opinions = select(feedback.c.good).where(feedback.c.answer.in_(kept))
            ratings = list((await connection.execute(opinions)).scalars())
        unusable = sum(verdict != "kept" for _, verdict in rows)
        if len(rows) >= min(window, FEWEST_OUTCOMES) and unusable > self._settings.reject_limit * len(rows):
            return ENGLISH.unusable.format(bad=unusable, number=len(rows))
        bad = ratings.count(False)
        if len(ratings) >= FEWEST_RATINGS and bad > self._settings.dislike_limit * len(ratings):
            return ENGLISH.disliked.format(bad=bad, number=len(ratings))
        return ""

    async def _last_pause_end(self, persona: str) -> float:
        query = select(persona_pauses.c.until).where(persona_pauses.c.persona == storable(persona))
        async with reading(self._engine) as connection:
            return float((await connection.execute(query)).scalar_one_or_none() or 0.0)

    async def _write_pause(self, pause: Pause) -> None:
        mine = persona_pauses.c.persona == storable(pause.persona)
        row = {
            "persona": storable(pause.persona),
            "since": pause.since,
            "until": pause.until,
            "reason": storable(pause.reason),
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(persona_pauses).where(mine))
            await connection.execute(insert(persona_pauses), row)

        await self._writes.run(work)


def _read_by_others(question: Question) -> bool:
    """Tell whether the answer is posted where more people than the asker see it."""
    return bool(question.place) and not question.private


def _drawn(answer: str, share: float) -> bool:
    """Draw whether an answer is among the share that gets a voice; the same answer always draws the same."""
    drawn = int.from_bytes(hashlib.sha256(answer.encode()).digest()[:8], "big") / 2**64
    return drawn < share
