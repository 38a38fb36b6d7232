"""The connection to Discord: discord.py's client, pointed at the settings' addresses and kept within bounds.

No global of the library is changed. discord.py sends every HTTP request and opens every gateway connection
through its client's one `HTTPClient`, so a subclass of that turns the library's fixed addresses into the
configured ones; answers to interactions go through the adapter in `async_context`, a context variable that is
set for this connection's tasks alone. Two clients with different addresses can therefore run in one process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

from adapters.discord.settings import DiscordSettings
from bot.errors import SurfaceBusy

log = logging.getLogger(__name__)

REQUEST_SECONDS = 15.0
RATE_LIMIT_SECONDS = 30.0  # the least that discord.py takes
HEARTBEAT_SECONDS = 50.0  # a silent gateway is left after this; the platform's interval is 41 s
SETTLE_SECONDS = 2.0  # after the last server was told, a session counts as ready
REQUESTS_A_SECOND = 45
INVALID_LIMIT = 1_000  # Discord bans at 10,000 in ten minutes
INVALID_WINDOW = 600.0
ONCE = "once"  # the trace context of a request that discord.py must not repeat by itself

Hear = Callable[[str], None]

_UNHEARD = frozenset({"socket_raw_send", "socket_event_type"})


class Breaker:
    """Stops all requests when too many were invalid, long before Discord bans the address.

    Discord counts answers 401, 403 and 429 (except those of a shared limit) over ten minutes.
    """

    def __init__(
        self,
        *,
        limit: int = INVALID_LIMIT,
        window: float = INVALID_WINDOW,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._invalid: deque[float] = deque()

    def note(self, status: int, *, shared: bool = False) -> None:
        """Count one response."""
        if status in {401, 403} or (status == 429 and not shared):
            self._invalid.append(self._clock())
            if len(self._invalid) == self._limit:
                log.error("discord requests stopped: %d invalid ones in ten minutes", self._limit)

    def check(self) -> None:
        """Raise `SurfaceBusy` while no request may be sent."""
        now = self._clock()
        while self._invalid and self._invalid[0] <= now - self._window:
            self._invalid.popleft()
        if len(self._invalid) >= self._limit:
            seconds = self._invalid[0] + self._window - now
            raise SurfaceBusy(
                "Discord refused too many requests; no more are sent for a while. Check the bot's rights.",
                seconds=seconds,
            )


class Pace:
    """Keeps the requests of all routes together below Discord's global limit, which is 50 a second.

    discord.py waits only once Discord has refused one, and a refused request counts against the bot.
    """

    def __init__(self, *, most: int = REQUESTS_A_SECOND) -> None:
        self._most = most
        self._sent: deque[float] = deque()
        self._turn = asyncio.Lock()
        self._line = asyncio.Lock()

    async def wait(self, *, first: bool = False) -> None:
        """Wait until one more request may be sent. What goes `first` overtakes all others that wait."""
        if first:
            await self._wait()
            return
        async with self._line:
            await self._wait()

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            while len(self._sent) >= self._most:
                left = self._sent[0] + 1.0 - loop.time()
                if left <= 0:
                    self._sent.popleft()
                else:
                    await asyncio.sleep(left)
            self._sent.append(loop.time())


class DiscordHttp(HTTPClient):
    """discord.py's HTTP client with its base address from the settings, a time limit and a breaker.

    `refused` is called when Discord does not accept the token any more.
    """

    def __init__(
        self, settings: DiscordSettings, *, breaker: Breaker, refused: Callable[[], None] = lambda: None
    ) -> None:
        self._base = settings.api_url.rstrip("/")
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._gateway = settings.gateway_url
        self._breaker = breaker
        self._pace = Pace()
        self._refused = refused
        super().__init__(
            asyncio.get_running_loop(), max_ratelimit_timeout=RATE_LIMIT_SECONDS, http_trace=self._trace()
        )

    def locate(self, route: Route) -> Route:
        """Point a route at the configured address."""
        if route.url.startswith(Route.BASE):
            route.url = self._base + route.url[len(Route.BASE) :]
        return route

    async def request(self, route: Route, **kwargs: Any) -> Any:  # noqa: ANN401 - as discord.py has it
        """Send one request; raise discord.py's errors, and `SurfaceBusy` while the breaker is open."""
        self._breaker.check()
        if not route.path.startswith("/interactions/"):  # those are not counted
            await self._pace.wait(first=route.path.endswith("/typing"))  # the first sign
        kwargs.setdefault("timeout", aiohttp.ClientTimeout(total=REQUEST_SECONDS))
        return await super().request(self.locate(route), **kwargs)

    async def find_gateway(self) -> None:
        """Ask the API for the gateway's address, unless the settings name it."""
        if not self._gateway:
            _, self._gateway, limits = await self.get_bot_gateway()
            log.info("discord gateway found, %s sessions left today", limits.get("remaining"))

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        """Open a gateway connection; the library's fixed address becomes the one that was found."""
        default = DiscordWebSocket.DEFAULT_GATEWAY
        if self._gateway and urlsplit(url).hostname == default.host:
            url = f"{self._gateway.partition('?')[0]}?{urlsplit(url).query}"
        self._let_go([socket for socket in self._sockets if socket.closed])
        socket = await super().ws_connect(url, compress=compress)
        self._sockets.append(socket)
        return socket

    async def close(self) -> None:
        """Close all connections."""
        await super().close()
        self._let_go(list(self._sockets))

    def _let_go(self, sockets: Sequence[aiohttp.ClientWebSocketResponse]) -> None:
        """Release the connections of sockets: of one that broke, aiohttp keeps it; nothing public lets go."""
        for socket in sockets:
            socket._response.close()
            self._sockets.remove(socket)

    def _trace(self) -> aiohttp.TraceConfig:
        async def ended(
            session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
        ) -> None:
            response = params.response
            shared = response.headers.get("X-RateLimit-Scope") == "shared"
            self._breaker.note(response.status, shared=shared)
            if response.status >= 500 and context.trace_request_ctx == ONCE:
                # discord.py would repeat the request, which may have been carried out.
                raise discord.DiscordServerError(response, "not repeated")
            # A webhook's 401 is about its own token, which is an interaction's.
            if response.status == 401 and not {"webhooks", "interactions"} & set(params.url.parts):
                self._refused()

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(ended)
        return trace


class _Interactions(AsyncWebhookAdapter):
    """Answers interactions at the configured address."""

    def __init__(self, http: DiscordHttp, breaker: Breaker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._http = http
        self._breaker = breaker

    async def request(self, route: Route, session: aiohttp.ClientSession, **kwargs: Any) -> Any:  # noqa: ANN401
        self._breaker.check()
        return await super().request(self._http.locate(route), session, **kwargs)


class _Connection:
    """What both kinds of client do beyond discord.py's."""

    http: DiscordHttp
    hear: Hear

    def use(self, http: DiscordHttp, breaker: Breaker, hear: Hear) -> None:
        """Send everything through `http`. Call it before anything is sent, in the task that connects."""
        self.http = http
        self.hear = hear
        self._connection.http = http  # type: ignore[attr-defined]
        async_context.set(_Interactions(http, breaker))

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Pass an event on. Raw ones go to `hear` at once: the library would make a task of each."""
        if event == "socket_raw_receive":
            self.hear(args[0])
        elif event not in _UNHEARD:
            super().dispatch(event, *args, **kwargs)  # type: ignore[misc]

    async def setup_hook(self) -> None:
        """Find the gateway once the token is accepted."""
        await self.http.find_gateway()


class DiscordClient(_Connection, discord.Client):  # type: ignore[misc]
    """One gateway connection."""


class ShardedDiscordClient(_Connection, discord.AutoShardedClient):  # type: ignore[misc]
    """As many gateway connections as the settings say."""


AnyClient = DiscordClient | ShardedDiscordClient


def intents(settings: DiscordSettings) -> discord.Intents:
    """Return what the gateway is asked to send: messages, servers, and message text only where it is used."""
    chosen = discord.Intents.none()
    chosen.guilds = True
    chosen.guild_messages = True
    chosen.dm_messages = True
    chosen.message_content = settings.message_content
    return chosen


def open_client(
    settings: DiscordSettings,
    *,
    breaker: Breaker,
    hear: Hear,
    refused: Callable[[], None],
    heartbeat: float = HEARTBEAT_SECONDS,
    settle: float = SETTLE_SECONDS,
) -> AnyClient:
    """Return a client that is not connected yet. Call it in the task that connects it.

    `hear` is given each message of the gateway as it comes.
    """
    options: dict[str, Any] = {
        "intents": intents(settings),
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_messages": None,  # nothing of ours reads the library's message cache
        "heartbeat_timeout": heartbeat,
        "guild_ready_timeout": settle,
        "chunk_guilds_at_startup": False,
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "enable_debug_events": True,
        "status": discord.Status.online,
    }
    client: AnyClient
    if settings.shards:
        client = ShardedDiscordClient(shard_count=settings.shards, **options)
    else:
        client = DiscordClient(**options)
    client.use(DiscordHttp(settings, breaker=breaker, refused=refused), breaker, hear)
    return client
