# ruff: noqa: ANN401 - the parts are given what the real ones are given, whatever it is
"""A Discord bot whose inner parts are scripted: what it hears is kept, what it says is told beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.discord.app import DiscordApp
from adapters.discord.settings import DiscordSettings
from bot.channels import ChannelRules
from bot.chat import Incoming, Outcome, Person, Place, Posted, Surface
from bot.chat_settings import ChannelSettings
from bot.curated import Quoted
from bot.forms import Form, Told
from bot.ledger import Ledger
from bot.messages import Answer, Citation
from kb.database import close_database, open_database
from tests.emulators.discord.server import DiscordEmulator

Turn = Callable[[Incoming, Surface], Awaitable[None]]

ANSWER = "Restart the router [1]."


def citation(number: int = 1, *, title: str = "Network guide") -> Citation:
    return Citation(
        number=number,
        document="guide.md",
        title=title,
        heading="Router",
        url="https://docs.example.com/guide",
        quote="Restart the router.",
        updated="2026-11-01T00:00:00+00:00",
        source="handbook",
        node="n1",
    )


def answer(text: str = ANSWER, *, identifier: str = "a" * 32) -> Answer:
    return Answer(
        question="How?",
        answered=True,
        text=text,
        confidence=0.9,
        citations=(citation(),),
        id=identifier,
    )


def outcome(text: str = ANSWER, **more: Any) -> Outcome:
    return Outcome(answer=answer(text), controls=("feedback", "sources"), **more)


@dataclass(slots=True)
class ScriptedDesk:
    """Keeps what it is given once; `turn` is run for each new one."""

    turn: Turn | None = None
    incoming: list[Incoming] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    surface: Surface | None = None
    posted: list[Posted] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, *, heard: int = 0, posted: int = 0, seconds: float = 20.0) -> None:
        """Wait until so many things were heard and so many replies posted."""
        async with asyncio.timeout(seconds):
            while len(self.incoming) < heard or len(self.posted) < posted:
                self.changed.clear()
                await self.changed.wait()

    async def receive(self, incoming: Incoming) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if any(known.key == incoming.key for known in self.incoming):
            return False
        self.incoming.append(incoming)
        self.changed.set()
        if self.turn is not None and self.surface is not None:
            self.tasks.add(asyncio.create_task(self.turn(incoming, self.surface)))
        return True

    def answers(self, text: str = ANSWER, **how: Any) -> ScriptedDesk:
        """Answer everything with this text."""

        async def turn(incoming: Incoming, surface: Surface) -> None:
            await surface.working(incoming)
            shown = how.get("shown") or ("private" if incoming.private else "public")
            reply = await surface.reply(incoming, shown=shown)
            for step in how.get("steps", ()):
                await reply.show(step)
            self.posted.append(await reply.finish(outcome(text, shown=shown)))
            self.changed.set()

        self.turn = turn
        return self


@dataclass(slots=True)
class ScriptedAftercare:
    """Notes what is pressed, and answers with a line that names it."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    raises: Exception | None = None

    async def feedback(self, answer: str, person: Person, *, good: bool, comment: str = "") -> str:
        return self._note("feedback", answer, person.id, good, comment)

    async def sources(
        self, answer: str, surface: Surface, place: Place, person: Person
    ) -> tuple[Citation, ...]:
        self._note("sources", answer, person.id)
        return self.citations

    async def call_person(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        return self._note("person", answer, person.id)

    async def resolved(self, answer: str, person: Person) -> str:
        return self._note("resolved", answer, person.id)

    async def share(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        return self._note("share", answer, person.id)

    async def approve(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        return self._note("approve", answer, person.id)

    async def discard(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        return self._note("discard", answer, person.id)

    def _note(self, *call: Any) -> str:
        self.calls.append(call)
        if self.raises:
            raise self.raises
        return f"Done: {call[0]}."


@dataclass(slots=True)
class ScriptedCommands:
    """Tells what it was scripted to tell, by the command's text."""

    told: dict[str, Sequence[Told]] = field(default_factory=dict)
    ran: list[tuple[str, Person, Place]] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    submits: list[Told | Exception] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    async def run(self, text: str, person: Person, place: Place, **more: Any) -> AsyncGenerator[Told, None]:
        self.ran.append((text, person, place))
        for told in self.told.get(text, [Told(text=f"Ran {text}.")]):
            yield told

    async def submit(
        self, form: str, values: Mapping[str, str], person: Person, place: Place, **more: Any
    ) -> Told:
        self.sent.append((form, dict(values)))
        result = self.submits.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def source_names(self, prefix: str, *about: Any, **more: Any) -> list[str]:
        return [name for name in self.names if name.startswith(prefix)]


@dataclass(slots=True)
class ScriptedCurated:
    """Makes the form that it was scripted to make, and keeps files."""

    form: Form | None = None
    quoted: list[Quoted] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def draft(self, title: str, messages: Sequence[Quoted], link: str, *more: Any, **other: Any) -> Form:
        self.quoted = list(messages)
        assert self.form is not None
        return self.form

    async def add_file(self, name: str, data: bytes, *more: Any, **other: Any) -> str:
        self.files.append((name, data))
        return f"Saved {name}."


@dataclass(slots=True)
class Scripted:
    """A bot under test and its scripted parts."""

    app: DiscordApp
    desk: ScriptedDesk
    aftercare: ScriptedAftercare
    commands: ScriptedCommands
    curated: ScriptedCurated
    stop: asyncio.Event
    running: asyncio.Task[None]


def settings(discord: DiscordEmulator, **more: Any) -> DiscordSettings:
    return DiscordSettings(api_url=discord.api_url, enabled=True, **{"message_content": True, **more})


async def database(folder: Path) -> AsyncEngine:
    engine = await open_database("", folder)
    await Ledger.open(engine)
    return engine


@asynccontextmanager
async def bot(
    discord: DiscordEmulator,
    folder: Path,
    *,
    desk: ScriptedDesk | None = None,
    channels: Sequence[ChannelSettings] = (),
    token: str = "",
    wait: bool = True,
    app_options: Mapping[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[Scripted]:
    """Run a bot against an emulator until the block ends."""
    given = settings(discord, **more)
    desk = desk or ScriptedDesk()
    aftercare, commands, curated = ScriptedAftercare(), ScriptedCommands(), ScriptedCurated()
    engine = await database(folder)
    app = DiscordApp(
        given,
        SecretStr(token or discord.token),
        desk=cast("Any", desk),
        aftercare=cast("Any", aftercare),
        commands=cast("Any", commands),
        curated=cast("Any", curated),
        rules=ChannelRules(channels, {"discord": given}),
        engine=engine,
        **{"pace": 0.01, "settle": 0.05, **(app_options or {})},
    )
    desk.surface = app.surface
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(stop))
    scripted = Scripted(
        app=app,
        desk=desk,
        aftercare=aftercare,
        commands=commands,
        curated=curated,
        stop=stop,
        running=running,
    )
    try:
        if wait:
            async with asyncio.timeout(15):
                await app.connected.wait()
        yield scripted
    finally:
        stop.set()
        await asyncio.gather(*desk.tasks, return_exceptions=True)
        await asyncio.gather(running, return_exceptions=True)
        await close_database(engine)
