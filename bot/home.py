"""A person's home in the bot: what it knows, how fresh that is, and what they may ask. No platform's look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat import Person
from bot.chat_telling import location
from bot.output_gate import defang_line
from bot.rights import Platforms, allowed, settings_of
from bot.seeing import Seer
from bot.suggesting import asked_well, titles
from bot.texts import Texts, texts
from kb.documents import Audience

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.commands import Commands, SourceOverview
    from bot.ledger import Ledger

SUGGESTED = 4
RECENT = 5
_LOOKED_AT = 40
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSource:
    """A source as its readers see it. Times are in seconds since the epoch; `error` is for admins alone.

    `location` is empty where only admins may know it: a folder of the bot's own machine. `state` is one of
    ok, never, syncing, paused, held, hung, attention and gone.
    """

    name: str
    type: str
    location: str
    documents: int
    failed: int
    last_good: float | None
    next_run: float | None
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """All that a home shows.

    `freshest` is when a source was last synced. `suggested` are questions this person may ask, `recent` those
    they did ask, newest first. `settings` holds labels and values, for admins alone.
    """

    sources: tuple[HomeSource, ...] = ()
    documents: int = 0
    freshest: float | None = None
    suggested: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    admin: bool = False
    settings: tuple[tuple[str, str], ...] = ()


class Home:
    """Puts homes together. `names` are those of the models that embed and write."""

    def __init__(
        self,
        commands: Commands,
        ledger: Ledger,
        engine: AsyncEngine,
        platforms: Platforms,
        names: tuple[str, str] = ("", ""),
    ) -> None:
        self._commands = commands
        self._ledger = ledger
        self._engine = engine
        self._platforms = platforms
        self._names = names

    async def view(self, person: Person, audience: Audience, *, language: str = "") -> HomeView:
        """Return a person's home; `audience` is what they may see. May raise `StoreError`."""
        admin = allowed(person, self._platforms)
        seer, words = Seer(audience), self._words(person, language)
        overviews = await self._commands.overview()
        seen = [one for one in overviews if seer.sees(one.source)]
        shown = overviews if admin else seen
        return HomeView(
            sources=tuple(_source(one, words, admin=admin) for one in shown),
            documents=sum(one.state.documents for one in shown),
            freshest=max((one.state.last_good for one in shown if one.state.last_good), default=None),
            suggested=tuple(await self._suggested(person, seen, words)),
            recent=tuple(await self._recent(person)),
            admin=admin,
            settings=self._settings(person, words) if admin else (),
        )

    async def suggestions(self, person: Person, audience: Audience, *, language: str = "") -> list[str]:
        """Return questions that a person may ask, at most four."""
        seer = Seer(audience)
        seen = [one for one in await self._commands.overview() if seer.sees(one.source)]
        return await self._suggested(person, seen, self._words(person, language))

    async def freshest(self) -> float | None:
        """Return when a source was last synced, in seconds since the epoch."""
        overviews = await self._commands.overview()
        return max((one.state.last_good for one in overviews if one.state.last_good), default=None)

    def _words(self, person: Person, language: str) -> Texts:
        return texts(language or settings_of(person.platform, self._platforms).language)

    async def _suggested(self, person: Person, seen: Sequence[SourceOverview], words: Texts) -> list[str]:
        """Return what others asked; where that is too little, what some documents are about."""
        names = {one.name for one in seen}
        found = await asked_well(self._engine, person, names, SUGGESTED)
        if missing := SUGGESTED - len(found):
            about = await titles(self._engine, names, missing)
            found += [words.suggest_title.format(title=title) for title in about]
        return found

    async def _recent(self, person: Person) -> list[str]:
        asker = person.asker(Audience()).id
        entries = await self._ledger.recent(_LOOKED_AT, asker=asker)
        questions = (defang_line(entry.question)[:_LONGEST] for entry in entries)
        return list(dict.fromkeys(question for question in questions if question))[:RECENT]

    def _settings(self, person: Person, words: Texts) -> tuple[tuple[str, str], ...]:
        settings = settings_of(person.platform, self._platforms)
        embedding, llm = self._names
        return (
            (words.mode, words.modes[settings.answers]),
            (words.follow_ups, words.yes if settings.follow_ups else words.no),
            (words.threshold, f"{settings.auto_threshold:g}".replace(".", words.decimal)),
            (words.notices_to, settings.notices or words.nowhere),
            (words.person, settings.person or words.nobody),
            (words.models.format(embedding=embedding, llm=llm), ""),
        )


def _source(overview: SourceOverview, words: Texts, *, admin: bool) -> HomeSource:
    source, state = overview.source, overview.state
    return HomeSource(
        name=overview.name,
        type=words.types[source.type] if source else "",
        location=defang_line(location(source, admin=admin)),
        documents=state.documents,
        failed=state.failed,
        last_good=state.last_good,
        next_run=overview.next_run,
        state=_state(overview),
        error=defang_line(overview.error) if admin else "",
    )


def _state(overview: SourceOverview) -> str:
    """Return the one word that matters most of how a source stands."""
    schedule = overview.schedule
    told = {
        "gone": overview.origin == "gone",
        "hung": overview.hung,
        "syncing": overview.running,
        "held": bool(schedule and schedule.held_at),
        "paused": bool(schedule and schedule.paused),
        "attention": overview.attention,
        "never": overview.state.last_good is None,
    }
    return next((word for word, holds in told.items() if holds), "ok")
