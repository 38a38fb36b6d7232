"""The Discord bot: joins the parts, stays connected and hands on what it hears, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import discord
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.discord import commands as registered
from adapters.discord import inbound, render
from adapters.discord.access import PLATFORM, Access
from adapters.discord.api import DiscordApi
from adapters.discord.asking import Asking
from adapters.discord.buttons import Buttons
from adapters.discord.catch_up import CatchUp
from adapters.discord.client import HEARTBEAT_SECONDS, SETTLE_SECONDS, AnyClient
from adapters.discord.connection import OUTAGE_SECONDS, QUIET_SECONDS, Connection, in_background
from adapters.discord.interactions import COMPONENT, Handlers, Interaction, Interactions
from adapters.discord.knowledge import Knowledge
from adapters.discord.known import direct_channels, last_heard
from adapters.discord.modals import Modals
from adapters.discord.places import Places
from adapters.discord.pressing import dynamic_button
from adapters.discord.reply import PACE_SECONDS
from adapters.discord.settings import DiscordSettings
from adapters.discord.stopping import Stopping
from adapters.discord.surface import DiscordSurface
from bot.errors import SurfaceError
from bot.texts import texts
from kb.errors import KnowledgeBaseError
from kb.settings import interval_seconds

if TYPE_CHECKING:
    from bot.aftercare import Aftercare
    from bot.channels import ChannelRules
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.desk import Desk
    from bot.home import Home

log = logging.getLogger(__name__)

Fresh = Callable[[], Awaitable[float | None]]

INTERACTION = "INTERACTION_CREATE"
_PRESENCE_SECONDS = 60.0
_MARGIN = 60.0  # seconds before the last event from which on everything is read up


class DiscordApp:
    """The Discord bot. `fresh` tells when the knowledge was last synced, in seconds since the epoch."""

    platform = PLATFORM

    def __init__(
        self,
        settings: DiscordSettings,
        token: SecretStr,
        *,
        desk: Desk,
        aftercare: Aftercare,
        commands: ChatCommands,
        curated: Curated,
        rules: ChannelRules,
        engine: AsyncEngine,
        home: Home | None = None,
        fresh: Fresh | None = None,
        personas: bool = False,
        heartbeat: float = HEARTBEAT_SECONDS,
        outage: float = OUTAGE_SECONDS,
        quiet: float = QUIET_SECONDS,
        settle: float = SETTLE_SECONDS,
        pace: float = PACE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._personas = personas
        self._settings = settings
        self._engine = engine
        self._fresh = fresh
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_until: float | None = None
        self._registered = False
        self._presence = ""
        self.connected = asyncio.Event()
        self._connection = Connection(
            settings,
            token,
            hear=self._hear,
            ready=self._ready,
            button=dynamic_button(self._interact),
            heartbeat=heartbeat,
            outage=outage,
            quiet=quiet,
            settle=settle,
        )
        self._api = DiscordApi(self._connection.http)
        self._places = Places(lambda: self._connection.client, self._api)
        self._access = Access(lambda: self._connection.client, rules)
        self.surface = DiscordSurface(
            self._api,
            settings=settings,
            access=self._access,
            rules=rules,
            places=self._places,
            bot=self._bot,
            pace=pace,
        )
        self._inbound = inbound.Inbound(desk, self._places, bot=self._bot, clock=clock)
        self._asking = Asking(desk, self.surface, rules)
        self._modals = Modals(self._api, commands=commands, curated=curated, aftercare=aftercare)
        self._knowledge = Knowledge(
            commands=commands,
            curated=curated,
            home=home,
            modals=self._modals,
            surface=self.surface,
            api_url=settings.api_url,
            pace=pace,
        )
        handlers = self._handlers(aftercare, Stopping(desk, rules))
        self._interactions = Interactions(
            self._api, places=self._places, surface=self.surface, handlers=handlers
        )

    def _handlers(self, aftercare: Aftercare, stopping: Stopping) -> Handlers:
        """Return who sees to which kind of interaction."""
        buttons = Buttons(
            aftercare=aftercare,
            asking=self._asking,
            knowledge=self._knowledge,
            modals=self._modals,
            stopping=stopping,
            surface=self.surface,
        )
        return Handlers(
            command=self._command,
            component=buttons.pressed,
            submitted=self._modals.submitted,
            autocomplete=self._knowledge.complete,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then close; raise `PlatformRefused` when Discord does not let the bot in.

        Set `stop` only when the desk has ended, for its running turns still show their answers through this.
        What comes in meanwhile is kept in the inbox.
        """
        self._heard_until = await last_heard(self._engine)
        presence = asyncio.create_task(self._keep_presence())
        try:
            await self._connection.run(stop)
        finally:
            presence.cancel()
            self.surface.signs.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(presence, *self._tasks, return_exceptions=True)

    def _bot(self) -> str:
        client = self._connection.client
        return str(client.user.id) if client and client.user else ""

    def _hear(self, text: str) -> None:
        """Pick from the gateway's messages what concerns the bot; most are not even parsed here."""
        if "MESSAGE_" not in text and INTERACTION not in text:
            return
        message = json.loads(text)
        event, data = message.get("t"), message.get("d")
        if event == INTERACTION:
            if data.get("type") != COMPONENT:  # those come from the library, as `dynamic_button`
                self._interact(data)
        elif event in inbound.HEARD:
            in_background(self._tasks, self._inbound.take(event, data))

    def _interact(self, data: Mapping[str, Any]) -> None:
        in_background(self._tasks, self._interactions.take(data))

    async def _command(self, interaction: Interaction) -> None:
        """Carry out a slash command or a message menu."""
        data: Mapping[str, Any] = interaction.data["data"]
        if data.get("type") == registered.MESSAGE_MENU:
            asked = registered.menu(data["name"]) == registered.ASK_ABOUT
            await (self._asking.about(interaction) if asked else self._modals.save(interaction))
            return
        options = _options(data)
        if data["name"] == registered.ASK:
            await self._asking.command(interaction, options)
        elif data["name"] == registered.KNOWLEDGE:
            subcommand = data["options"][0]
            await self._knowledge.command(interaction, subcommand["name"], _options(subcommand))
        elif data["name"] == registered.PERSONA:
            await interaction.defer()
            await self._knowledge.run(interaction, f"persona {options.get('what') or 'list'}")

    async def _ready(self, client: AnyClient) -> None:
        """Begin a new session: read up what was missed, register the commands, show the presence."""
        self._watch_rights(client)
        in_background(self._tasks, self._catch_up(client))
        if not self._registered:
            in_background(self._tasks, self._register(client))
        self._presence = ""
        await self._show_presence()
        self.connected.set()

    async def _catch_up(self, client: AnyClient) -> None:
        """Take in what was said while nobody listened; what is known already is not taken twice."""
        heard, self._heard_until = self._heard_until, self._clock()
        oldest = self._clock() - interval_seconds(self._settings.catch_up)
        since = oldest if heard is None else max(oldest, heard - _MARGIN)

        async def take(guild: str, message: Mapping[str, Any]) -> None:
            await self._inbound.missed(guild, message, heard_until=since if heard is not None else None)

        directs = await direct_channels(self._engine)
        number = await CatchUp(self._api, take).run(client.guilds, directs, since=since)
        log.info("discord caught up messages=%d", number)

    async def _register(self, client: AnyClient) -> None:
        try:
            await registered.register(
                self._api,
                str(client.application_id),
                self._settings.servers,
                personas=self._personas,
            )
            self._registered = True
        except SurfaceError as exc:
            log.warning("discord commands not registered, tried again at the next connection: %s", exc)

    def _watch_rights(self, client: AnyClient) -> None:
        """Forget who may see what as soon as a role or a channel changes."""

        async def changed(*about: Any) -> None:  # noqa: ANN401 - what it was, what it is
            guild = getattr(about[-1], "guild", None)
            if isinstance(guild, discord.Guild):
                self._access.forget(guild.id)

        for name in ("role_update", "role_delete", "channel_create", "channel_update", "channel_delete"):
            setattr(client, f"on_guild_{name}", changed)

    async def _keep_presence(self) -> None:
        while True:
            await asyncio.sleep(_PRESENCE_SECONDS)
            await self._show_presence()

    async def _show_presence(self) -> None:
        """Show how fresh the knowledge is, when that reads differently from before."""
        client = self._connection.client
        if self._fresh is None or client is None or not client.is_ready():
            return
        try:
            words = texts(self._settings.language)
            line = render.presence(await self._fresh(), words, now=self._clock())
            if line != self._presence:
                await client.change_presence(activity=discord.CustomActivity(line) if line else None)
                self._presence = line
        except (KnowledgeBaseError, discord.DiscordException, OSError, RuntimeError) as exc:
            log.info("discord presence not shown: %s", exc)


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    return {option["name"]: option.get("value") for option in data.get("options", ())}
