"""The chat side of the composition root: the desk, what stands around it, and the apps that feed it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from adapters.settings import Settings, read_discord_token, read_slack_secrets
from bot.channels import command_of
from bot.chat import Place
from bot.errors import SurfaceError
from bot.notices import Before, sync_notice
from bot.texts import Texts, texts

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from adapters.runtime import Runtime
    from bot.aftercare import Aftercare
    from bot.channels import ChannelRules
    from bot.chat import Surface
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.desk import Desk
    from bot.home import Home
    from bot.persona_commands import PersonaCommands
    from kb.reports import SyncReport
    from kb.schedules import Schedule

log = logging.getLogger(__name__)


class News(Protocol):
    """Tells what of a sync is news; see `sync_notice`."""

    def __call__(
        self, report: SyncReport, schedule: Schedule, before: Before, words: Texts, /, *, command: str
    ) -> str | None:
        """Return the line for a channel, None where there is no news."""
        ...


class ChatApp(Protocol):
    """One platform's app."""

    @property
    def surface(self) -> Surface:
        """What speaks to the platform; raise `SurfaceBusy` before there is a connection."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Take in what happens until `stop`; raise `PlatformRefused` when the bot is not let in."""
        ...


class Chat:
    """The chat platforms of one serving process."""

    def __init__(
        self,
        desk: Desk,
        apps: Mapping[str, ChatApp],
        rules: ChannelRules,
        *,
        drain_seconds: float,
        news: News,
        before: dict[str, Before],
        commands: ChatCommands,
    ) -> None:
        self._desk = desk
        self._apps = apps
        self._rules = rules
        self._commands = commands
        self._drain_seconds = drain_seconds
        self._news = news
        self._before = before
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until `stop`: what is being answered is finished, what still comes in waits in the inbox.

        When a platform refuses the bot, all platforms stop, and its `PlatformRefused` is raised.
        """
        ended = asyncio.Event()
        desk = asyncio.create_task(self._desk.run(stop, drain_seconds=self._drain_seconds))
        apps = [asyncio.create_task(app.run(ended), name=name) for name, app in self._apps.items()]
        await asyncio.wait((desk, *apps), return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait((desk,))
        await asyncio.gather(*self._telling, return_exceptions=True)
        ended.set()
        await asyncio.wait(apps)
        await self._commands.close()  # what they sync with is closed next
        for task in (*apps, desk):
            task.result()

    def told(self, report: SyncReport, schedule: Schedule) -> None:
        """Hear how a sync ended; the channels that the settings name are told what is news."""
        before = self._before.get(report.source, Before())
        self._before[report.source] = Before(failures=schedule.failures, held=report.status == "held")
        for name, platform in self._rules.platforms.items():
            if not platform.notices:
                continue
            channel = Place(platform=name, workspace="", channel=platform.notices)
            words = texts(self._rules.of(channel).language)
            if line := self._news(report, schedule, before, words, command=command_of(platform)):
                task = asyncio.create_task(self._notify(self._apps[name], platform.notices, line))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    async def _notify(self, app: ChatApp, channel: str, line: str) -> None:
        try:
            await app.surface.notify("", channel, line)
        except SurfaceError as exc:
            log.warning("channel %s was not told of a sync: %s", channel, exc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all platforms share."""

    desk: Desk
    aftercare: Aftercare
    commands: ChatCommands
    curated: Curated
    home: Home
    rules: ChannelRules
    engine: AsyncEngine


async def open_chat(runtime: Runtime) -> Chat | None:
    """Put together the platforms that are switched on; None when there is none."""
    settings = runtime.settings
    if not settings.platforms:
        return None
    parts = await _open_parts(runtime)
    openers = {"slack": _slack, "discord": _discord}
    return Chat(
        parts.desk,
        {name: openers[name](settings, parts) for name in settings.platforms},
        parts.rules,
        drain_seconds=settings.schedule.drain_seconds,
        news=partial(sync_notice, attention_after=settings.schedule.attention_after),
        before=await _standing(runtime),
        commands=parts.commands,
    )


async def _open_parts(runtime: Runtime) -> Parts:
    from bot.aftercare import Aftercare
    from bot.channels import ChannelRules
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.desk import Desk
    from bot.home import Home
    from bot.inbox import Inbox
    from bot.replies import Replies

    platforms, names = runtime.settings.platforms, runtime.model_names()
    engine, assistant = await runtime.engine(), await runtime.assistant()
    ledger, sources = await runtime.ledger(), await runtime.commands()
    replies = await Replies.open(engine)
    rules = ChannelRules(runtime.settings.channels, platforms)
    curated = Curated(sources, runtime.data, platforms)

    def surface(platform: str) -> Surface:
        return desk.surface(platform)  # which is made below

    personas = await _persona_commands(runtime, surface, rules)
    commands = ChatCommands(sources, curated, platforms, names, rules=rules, personas=personas)
    desk = Desk(
        assistant=assistant,
        inbox=await Inbox.open(engine),
        replies=replies,
        ledger=ledger,
        rules=rules,
        commands=commands,
        curated=curated,
        concurrent=max(platform.concurrent for platform in platforms.values()),
    )
    aftercare = Aftercare(
        assistant=assistant, ledger=ledger, replies=replies, rules=rules, nodes=await runtime.store()
    )
    return Parts(
        desk=desk,
        aftercare=aftercare,
        commands=commands,
        curated=curated,
        home=Home(sources, ledger, engine, platforms, names),
        rules=rules,
        engine=engine,
    )


async def _persona_commands(
    runtime: Runtime, surface: Callable[[str], Surface], rules: ChannelRules
) -> PersonaCommands | None:
    """Return what is typed behind /persona, None while personas are switched off."""
    if not runtime.settings.persona.enabled:
        return None
    from bot.persona_commands import PersonaCommands
    from bot.vote_commands import ChannelVotes, VoteCommands
    from bot.voting import BlindVotes

    platforms, personas = runtime.settings.platforms, await runtime.personas()
    ballots, assistant = BlindVotes(await runtime.engine()), await runtime.assistant()
    votes = VoteCommands(ballots, assistant, personas, platforms, rules=rules)
    vote = ChannelVotes(votes, surface).run
    return PersonaCommands(personas, await runtime.persona_guard(), platforms, vote=vote)


async def _standing(runtime: Runtime) -> dict[str, Before]:
    """Return how each source stands before the first sync, so that only what changes is told."""
    schedules = await (await runtime.schedules()).all()
    manifest = await runtime.manifest()
    return {
        name: Before.of(schedule, next(iter(await manifest.last_runs(name)), None))
        for name, schedule in schedules.items()
    }


def _slack(settings: Settings, parts: Parts) -> ChatApp:
    from adapters.slack.app import SlackApp

    return SlackApp(
        settings.slack,
        read_slack_secrets(settings.slack),
        desk=parts.desk,
        aftercare=parts.aftercare,
        commands=parts.commands,
        curated=parts.curated,
        home=parts.home,
        rules=parts.rules,
        engine=parts.engine,
    )


def _discord(settings: Settings, parts: Parts) -> ChatApp:
    from adapters.discord.app import DiscordApp

    app = DiscordApp(
        settings.discord,
        read_discord_token(settings.discord),
        desk=parts.desk,
        aftercare=parts.aftercare,
        commands=parts.commands,
        curated=parts.curated,
        home=parts.home,
        rules=parts.rules,
        engine=parts.engine,
        personas=settings.persona.enabled,
        fresh=parts.home.freshest,
    )
    parts.desk.join(app.surface)
    return app
