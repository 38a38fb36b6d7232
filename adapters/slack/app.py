"""The Slack app: joins the desk with Slack, by Socket Mode or over HTTP, until it is stopped."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from adapters.errors import PlatformRefused, SettingsError
from adapters.shown import SHOWN
from adapters.slack.access import Access
from adapters.slack.actions import Actions
from adapters.slack.client import web_client
from adapters.slack.events import workspace_of
from adapters.slack.home import HomeTab, StopButton
from adapters.slack.http import HttpServer, Signatures
from adapters.slack.inbound import Inbound
from adapters.slack.interactions import SAVE
from adapters.slack.kb_command import KbCommand
from adapters.slack.modals import Modals
from adapters.slack.oauth import OAuth, build_oauth
from adapters.slack.open_streams import OpenStreams
from adapters.slack.saying import Saying
from adapters.slack.sockets import NotAccepted, Sockets, TokenRefused
from adapters.slack.surface import SlackSurface
from adapters.slack.workspaces import Workspaces, refusal
from bot.errors import SurfaceBusy, SurfaceGone

if TYPE_CHECKING:
    from pydantic import SecretStr
    from slack_bolt.async_app import AsyncAck, AsyncBoltContext
    from sqlalchemy.ext.asyncio import AsyncEngine

    from adapters.slack.settings import SlackSecrets, SlackSettings
    from bot.aftercare import Aftercare
    from bot.channels import ChannelRules
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.desk import Desk
    from bot.home import Home

_CALL_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0  # seconds between two tries to reach Slack
_LAST_SECONDS = 3.0  # for who pressed or typed something just before the end
_CONNECTIONS = 64
_OK = 200
_ANY = re.compile(r".*")
_OURS = re.compile(r"^lk_")

log = logging.getLogger(__name__)


class SlackApp:
    """Everything between Slack and the desk; what it needs of the bot is handed in."""

    platform = "slack"

    def __init__(
        self,
        settings: SlackSettings,
        secrets: SlackSecrets,
        *,
        desk: Desk,
        aftercare: Aftercare,
        commands: ChatCommands,
        curated: Curated,
        home: Home,
        rules: ChannelRules,
        engine: AsyncEngine,
        quiet_seconds: float | None = None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._desk = desk
        self._aftercare = aftercare
        self._commands = commands
        self._curated = curated
        self._home = home
        self._rules = rules
        self._engine = engine
        self._quiet_seconds = quiet_seconds
        self._stack = AsyncExitStack()
        self._refused: asyncio.Future[str] | None = None
        self._surface: SlackSurface | None = None
        self._oauth: OAuth | None = None
        self.ready = asyncio.Event()
        self.address: tuple[str, int] | None = None

    @property
    def surface(self) -> SlackSurface:
        """What the desk speaks to; raise `SurfaceBusy` before `open` has returned."""
        if self._surface is None:
            raise SurfaceBusy("Slack is not connected yet.")
        return self._surface

    async def open(self) -> None:
        """Check the token and join the desk.

        Raise `PlatformRefused` when Slack does not take it, `SettingsError` for a missing secret. Nothing
        comes in before `run`, so that the desk may begin with what is in its inbox.
        """
        self._refused = asyncio.get_running_loop().create_future()
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        self._session = await self._stack.enter_async_context(_session())
        if self._settings.client_id:
            self._oauth = await self._open_oauth()
        self._workspaces = Workspaces(
            self._settings,
            self._session,
            token=None if self._oauth else self._required("bot_token"),
            installed=self._oauth.store if self._oauth else None,
            refused=self._token_refused,
        )
        if self._oauth is None:
            await self._workspaces.open_only()
        streams = OpenStreams(self._engine)
        await streams.prepare()
        self._access = Access(self._workspaces, self._rules)
        self._surface = SlackSurface(
            self._settings,
            self._session,
            workspaces=self._workspaces,
            access=self._access,
            rules=self._rules,
            streams=streams,
        )
        self._stack.push_async_callback(self._surface.close)
        self._desk.join(self._surface)

    async def close(self) -> None:
        """Let go of everything."""
        await self._stack.aclose()

    async def run(self, stop: asyncio.Event) -> None:
        """Take in what happens in Slack until `stop`, then close; `open` comes first, if it was not called.

        It is tried again while Slack is out of reach. Raise `PlatformRefused` when Slack does not let the
        bot in, or no more.
        """
        if self._surface is None and not await self._reached(stop):
            return
        assert self._refused is not None
        bolt = self._bolt()
        serving = asyncio.create_task(self._serve(bolt, stop))
        try:
            waited: set[asyncio.Future[Any]] = {serving, self._refused}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
            elif self._refused.done():
                raise refusal(self._settings, self._refused.result())
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await self._saying.finished(_LAST_SECONDS)
            await self.close()

    async def _reached(self, stop: asyncio.Event) -> bool:
        """Open as soon as Slack can be reached; False when `stop` comes first."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                await self.open()
            except SurfaceBusy as exc:
                log.warning("Slack is out of reach, next try in %.0f s: %s", pause, exc, extra=SHOWN)
            else:
                return True
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()
            pause = min(2 * pause, _LONGEST_PAUSE)
        return False

    async def _serve(self, bolt: AsyncApp, stop: asyncio.Event) -> None:
        if self._settings.mode == "http":
            await self._serve_http(bolt, stop)
        else:
            await self._serve_sockets(bolt, stop)

    async def _serve_http(self, bolt: AsyncApp, stop: asyncio.Event) -> None:
        server = HttpServer(
            bolt.async_dispatch,
            Signatures(self._required("signing_secret")),
            host=self._settings.host,
            port=self._settings.port,
            oauth=self._oauth,
        )
        await server.run(stop, listening=self._listening)

    def _listening(self, address: tuple[str, int]) -> None:
        self.address = address
        self.ready.set()

    async def _serve_sockets(self, bolt: AsyncApp, stop: asyncio.Event) -> None:
        token = self._required("app_token").get_secret_value()

        async def handle(envelope: Mapping[str, Any]) -> Mapping[str, Any] | None:
            reply = await bolt.async_dispatch(
                AsyncBoltRequest(mode="socket_mode", body=envelope.get("payload") or {})
            )
            if reply.status != _OK:
                raise NotAccepted(f"status {reply.status}")
            return json.loads(reply.body) if reply.body.startswith("{") else None

        more = {} if self._quiet_seconds is None else {"quiet_seconds": self._quiet_seconds}
        sockets = Sockets(
            web_client(token, base_url=self._settings.api_url, session=self._session),
            self._session,
            handle,
            connections=self._settings.connections,
            connected=self.ready,
            **more,
        )
        try:
            await sockets.run(stop)
        except TokenRefused as exc:
            raise PlatformRefused(
                f"Slack refuses the token in ${self._settings.app_token_env}: {exc.code}. Make an app-level "
                "token (xapp-…) with the scope connections:write under Basic Information of your app."
            ) from exc

    def _bolt(self) -> AsyncApp:
        """Return Bolt with every listener."""
        inbound = Inbound(
            self._settings,
            desk=self._desk,
            workspaces=self._workspaces,
            access=self._access,
            rules=self._rules,
        )

        async def before(request: AsyncBoltRequest, next: Any) -> Any:  # noqa: A002, ANN401 - names of Bolt's
            return await inbound.middleware(request, next)

        async def authorize(context: AsyncBoltContext) -> Any:  # noqa: ANN401 - Bolt's type has no None
            # Bolt hands a bound method itself as an argument.
            return await self._authorize(context)

        bolt = AsyncApp(
            name="lorekeeper",
            logger=_quiet_logger(),
            client=web_client(None, base_url=self._settings.api_url, session=self._session),
            authorize=authorize,
            before_authorize=before,
            # The signature is checked over the raw bytes in front of Bolt; sockets have none.
            request_verification_enabled=False,
            ssl_check_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_conversation_kwargs_enabled=False,
            signing_secret="unused",  # noqa: S106 - keeps Bolt from reading the environment
        )
        self._listen(bolt)
        _catch_all(bolt)
        return bolt

    def _listen(self, bolt: AsyncApp) -> None:
        """Register what hears of commands, buttons, modals and the Home tab."""
        saying = self._saying = Saying(self._workspaces, self._access, self.surface)
        knowledge = KbCommand(self._commands, self._access, saying)
        home = HomeTab(home=self._home, access=self._access, workspaces=self._workspaces, saying=saying)
        actions = Actions(
            aftercare=self._aftercare,
            desk=self._desk,
            workspaces=self._workspaces,
            surface=self.surface,
            saying=saying,
            knowledge=knowledge,
            home=home,
        )
        modals = Modals(
            commands=self._commands,
            curated=self._curated,
            aftercare=self._aftercare,
            workspaces=self._workspaces,
            access=self._access,
            saying=saying,
            knowledge=knowledge,
        )
        bolt.command(self._settings.command)(knowledge.on_command)
        # Also while personas are switched off: an app that had the command keeps it, and says what is so.
        bolt.command(self._settings.persona_command)(knowledge.on_persona)
        bolt.action(_OURS)(actions.on_action)
        bolt.view(_OURS)(modals.on_view)
        bolt.shortcut(SAVE)(modals.on_save)
        bolt.event("app_home_opened")(home.on_opened)
        bolt.event("agent_session_stopped")(StopButton(self._desk, self.surface).on_stopped)
        bolt.event("tokens_revoked")(self._on_gone)
        bolt.event("app_uninstalled")(self._on_gone)

    async def _authorize(self, context: AsyncBoltContext) -> AuthorizeResult | None:
        try:
            api = await self._workspaces.api(context.team_id or "")
        except SurfaceGone:
            return None
        return AuthorizeResult(
            enterprise_id=context.enterprise_id,
            team_id=api.team,
            bot_user_id=api.bot_user,
            bot_id=api.bot_id,
            bot_token=api.client.token,
        )

    async def _on_gone(self, body: dict[str, Any]) -> None:
        """Forget a workspace that took the bot's token back."""
        event, team = body.get("event") or {}, workspace_of(body)
        if event.get("type") == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
            return
        log.warning("slack app removed from workspace=%s", team)
        if self._oauth is not None:
            await self._oauth.uninstalled(team, body.get("enterprise_id"))
        self._token_refused(team, "token_revoked")

    def _token_refused(self, team: str, code: str) -> None:
        """Hear of a token that Slack takes no more: the only one ends the program."""
        self._workspaces.forget(team)
        if self._oauth is None and self._refused is not None and not self._refused.done():
            self._refused.set_result(code)

    def _installed(self, team: str) -> None:
        """Take the token that an installation brought from now on."""
        self._workspaces.forget(team)

    async def _open_oauth(self) -> OAuth:
        oauth = build_oauth(
            self._settings,
            self._required("client_secret"),
            engine=self._engine,
            session=self._session,
            installed=self._installed,
        )
        await oauth.prepare()
        return oauth

    def _required(self, name: str) -> SecretStr:
        secret: SecretStr | None = getattr(self._secrets, name)
        if secret is None:
            variable = getattr(self._settings, f"{name}_env")
            raise SettingsError(
                f"[slack] {name}_env: the variable {variable!r} is not set. Set it to the app's."
            )
        return secret


def _session() -> aiohttp.ClientSession:
    """Return the session of all calls; it heeds the proxy variables, NO_PROXY included."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS),
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        trust_env=True,
    )


def _quiet_logger() -> logging.Logger:
    """Return Bolt's logger: below errors it writes out what people wrote."""
    logger = logging.getLogger(f"{__name__}.bolt")
    logger.setLevel(logging.ERROR)
    return logger


def _catch_all(bolt: AsyncApp) -> None:
    """Acknowledge what has no listener: Slack delivers again what nobody acknowledges."""

    async def taken(ack: AsyncAck) -> None:
        await ack()

    bolt.event(_ANY)(taken)
    bolt.action(_ANY)(taken)
    bolt.shortcut(_ANY)(taken)
    bolt.command(_ANY)(taken)
    bolt.view(_ANY)(taken)
    bolt.view_closed(_ANY)(taken)
    bolt.options(_ANY)(taken)
