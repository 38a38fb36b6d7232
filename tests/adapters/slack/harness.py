"""The Slack app against the emulator, with a desk and commands that do as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from adapters.slack.app import SlackApp
from adapters.slack.settings import SlackSecrets, SlackSettings
from adapters.slack.surface import SlackSurface
from bot.channels import ChannelRules
from bot.chat import Incoming, Outcome, Person, Place, Reply
from bot.chat_settings import ChannelSettings
from bot.forms import Field, FieldError, Form, Told
from bot.home import HomeView
from bot.messages import Answer, Citation
from kb.database import close_database, connect
from kb.documents import Audience
from kb.errors import StoreError
from tests.emulators.slack.server import SlackEmulator

CITATION = Citation(
    number=1,
    document="leave.md",
    title="Leave policy",
    heading="Days",
    url="https://handbook.test/leave",
    quote="Everyone has 30 days.",
    updated="2026-01-01T00:00:00+00:00",
    source="handbook",
    node="n1",
)


def answered(text: str = "You have 30 days. [1]", **more: object) -> Outcome:
    answer = Answer(
        question="How many days?", answered=True, text=text, confidence=0.9, citations=(CITATION,), id="a1"
    )
    return Outcome(answer=answer, **cast("Any", {"controls": ("feedback", "sources", "person")} | more))


@dataclass
class ScriptedDesk:
    """Keeps what came in, and sees to it with `work` in a task of its own."""

    received: list[Incoming] = field(default_factory=list)
    repeated: int = 0
    full: bool = False
    stopped: list[tuple[Place, str]] = field(default_factory=list)
    work: Callable[[SlackSurface, Incoming], Awaitable[Any]] | None = None
    surface: SlackSurface | None = None
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    running: bool = False
    ring: Callable[[], None] = lambda: None

    def join(self, surface: SlackSurface) -> None:
        self.surface = surface

    async def receive(self, incoming: Incoming) -> bool:
        if self.full:
            raise StoreError("The disk is full.")
        if any(known.key == incoming.key for known in self.received):
            self.repeated += 1
            self.ring()
            return False
        self.received.append(incoming)
        self.ring()
        if self.work is not None and self.surface is not None:
            self.tasks.append(asyncio.create_task(cast("Any", self.work(self.surface, incoming))))
        return True

    async def stop(self, place: Place, person: str) -> bool:
        self.stopped.append((place, person))
        self.ring()
        return self.running


async def answer_at_once(surface: SlackSurface, incoming: Incoming) -> None:
    """See to a question as the desk does, with an answer that is there at once."""
    await surface.working(incoming)
    shown = "private" if incoming.private else "public"
    reply: Reply = await surface.reply(incoming, shown=shown)  # type: ignore[arg-type]
    await reply.show("You have 30 days. [1]")
    await reply.finish(answered(shown=shown))


@dataclass
class ScriptedAftercare:
    """Keeps what was pressed and says so."""

    pressed: list[tuple[str, str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    fails: Exception | None = None
    ring: Callable[[], None] = lambda: None

    def _note(self, control: str, answer: str, person: Person) -> str:
        if self.fails is not None:
            raise self.fails
        self.pressed.append((control, answer, person.id))
        self.ring()
        return f"{control} is done"

    async def feedback(self, answer: str, person: Person, *, good: bool, comment: str = "") -> str:
        self.comments += [comment] if comment else []
        return self._note("good" if good else "bad", answer, person)

    async def sources(
        self, answer: str, surface: object, place: Place, person: Person
    ) -> tuple[Citation, ...]:
        self._note("sources", answer, person)
        return (CITATION,)

    async def call_person(self, answer: str, person: Person, surface: object, place: Place) -> str:
        return self._note("person", answer, person)

    async def resolved(self, answer: str, person: Person) -> str:
        return self._note("resolved", answer, person)

    async def share(self, answer: str, person: Person, surface: object, place: Place) -> str:
        return self._note("share", answer, person)

    async def approve(self, answer: str, person: Person, surface: object, place: Place) -> str:
        return self._note("approve", answer, person)

    async def discard(self, answer: str, person: Person, surface: object, place: Place) -> str:
        return self._note("discard", answer, person)


FORM = Form(title="Add a source", fields=(Field(name="location", label="Location"),), action="add")


@dataclass
class ScriptedCommands:
    """Tells what a test gave it; `slowly` holds the last word back until it is set."""

    told: Sequence[Told] = (Told(text="Here are your sources."),)
    ran: list[tuple[str, Person, Place]] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    slowly: asyncio.Event | None = None
    ring: Callable[[], None] = lambda: None
    submits: Told | Exception = field(default_factory=lambda: Told(text="Added."))

    async def run(
        self, text: str, person: Person, place: Place, *, language: str = "", audience: object = None
    ) -> AsyncGenerator[Told, None]:
        self.ran.append((text, person, place))
        self.ring()
        for number, told in enumerate(self.told, start=1):
            if number == len(self.told) and self.slowly is not None:
                await self.slowly.wait()
            yield told

    async def submit(
        self, form: str, values: Mapping[str, str], person: Person, place: Place, *, language: str = ""
    ) -> Told:
        self.sent.append((form, dict(values)))
        self.ring()
        if isinstance(self.submits, Exception):
            raise self.submits
        return self.submits


class ScriptedCurated:
    def draft(
        self, title: str, messages: Sequence[Any], link: str, author: str, place: Place, *, language: str = ""
    ) -> Form:
        fields = (
            Field(name="text", label="Text", value=messages[0].text, multiline=True),
            Field(name="link", label="Link", value=link),
            Field(name="author", label="Author", value=author),
        )
        return Form(title="Save", fields=fields, action="save")


class ScriptedHome:
    async def view(self, person: Person, audience: Audience, *, language: str = "") -> HomeView:
        return HomeView(suggested=("How many days of leave?",), admin=person.admin)


@dataclass
class Rig:
    """A running app and everything around it."""

    slack: SlackEmulator
    app: SlackApp
    desk: ScriptedDesk
    aftercare: ScriptedAftercare
    commands: ScriptedCommands
    task: asyncio.Task[None]
    stop: asyncio.Event
    ann: str
    channel: str

    @property
    def surface(self) -> SlackSurface:
        return self.app.surface

    def method(self, name: str) -> list[Any]:
        return self.slack.calls_of(name)


def secrets_of(slack: SlackEmulator) -> SlackSecrets:
    return SlackSecrets(
        bot_token=SecretStr(slack.bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=SecretStr(slack.signing_secret),
        client_secret=SecretStr(slack.client_secret),
    )


@asynccontextmanager
async def running(
    tmp_path: Path,
    *,
    channels: Sequence[ChannelSettings] = (),
    connections: int = 2,
    quiet_seconds: float | None = None,
    work: Callable[[SlackSurface, Incoming], Awaitable[Any]] | None = None,
    spoil: Mapping[str, SecretStr | None] | None = None,
    **settings: object,
) -> AsyncIterator[Rig]:
    """Run the app by Socket Mode, or over HTTP with `mode="http"`."""
    async with SlackEmulator().running() as slack:
        ann = slack.add_user("Ann")
        channel = slack.add_channel("general", members=[ann])
        chosen = SlackSettings(
            enabled=True, api_url=slack.api_url, port=0, connections=connections, **cast("Any", settings)
        )
        desk, aftercare, commands = ScriptedDesk(work=work), ScriptedAftercare(), ScriptedCommands()
        desk.ring = aftercare.ring = commands.ring = slack.bell.ring
        engine = connect("", tmp_path)
        app = SlackApp(
            chosen,
            replace(secrets_of(slack), **(spoil or {})),
            desk=cast("Any", desk),
            aftercare=cast("Any", aftercare),
            commands=cast("Any", commands),
            curated=cast("Any", ScriptedCurated()),
            home=cast("Any", ScriptedHome()),
            rules=ChannelRules(channels, {"slack": chosen}),
            engine=engine,
            quiet_seconds=quiet_seconds,
        )
        stop = asyncio.Event()
        task = asyncio.create_task(app.run(stop))
        ready = asyncio.create_task(app.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        ready.cancel()
        if task.done():
            await close_database(engine)
            task.result()
        if app.address is not None:
            slack.request_url = f"http://{app.address[0]}:{app.address[1]}/slack/events"
        else:
            await slack.connected(connections)
        rig = Rig(slack, app, desk, aftercare, commands, task, stop, ann, channel)
        try:
            yield rig
        finally:
            await asyncio.gather(*desk.tasks, return_exceptions=True)
            stop.set()
            await asyncio.gather(task, return_exceptions=True)
            await close_database(engine)


__all__ = ["FORM", "FieldError", "Rig", "answer_at_once", "answered", "running"]
