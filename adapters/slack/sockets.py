"""Socket Mode: connections over which Slack hands events over, each replaced before it is missed.

The SDK's client hears nothing of a socket whose pings are answered and that delivers no events. Here a
connection that brings nothing for a while is replaced by a new one, which is open before the old one goes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.shown import SHOWN
from adapters.slack.client import TOKEN_ERRORS, Api, CallRefused
from adapters.slack.pace import Pace
from bot.errors import SurfaceError

QUIET_SECONDS = 60.0
HELLO_SECONDS = 15.0
PING_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_GRACE_SECONDS = 10.0  # that an old connection stays, for what is under way on it
_LAST_WORD_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_SHORT_LIFE = 5.0
_QUIET = "nothing came"
_LARGEST_FRAME = 4 * 1024 * 1024

log = logging.getLogger(__name__)

Handle = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


class TokenRefused(Exception):
    """Slack does not take the app token. `code` is its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotAccepted(Exception):
    """An event could not be kept: it is not acknowledged, so that Slack delivers it again."""


@dataclass(eq=False)
class _Socket:
    """One open connection and what is still being handled of it."""

    web: aiohttp.ClientWebSocketResponse
    handling: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        """Close, once the envelopes that came in are acknowledged."""
        if self.handling:
            await asyncio.wait(self.handling, timeout=_GRACE_SECONDS)
        with suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.web.close()


class Sockets:
    """Keeps `connections` open until it is stopped.

    `handle` takes an envelope and returns the payload of its acknowledgement; it is not acknowledged when
    that raises `NotAccepted`.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        handle: Handle,
        *,
        connections: int = 2,
        quiet_seconds: float = QUIET_SECONDS,
        ping_seconds: float = PING_SECONDS,
        connected: asyncio.Event | None = None,
    ) -> None:
        self._api = Api(client, team="app", bot_user="", bot_id="", pace=Pace())
        self._session = session
        self._handle = handle
        self._connections = connections
        self._quiet_seconds = quiet_seconds
        self._ping_seconds = ping_seconds
        self._retiring: set[asyncio.Task[None]] = set()
        self.connected = connected or asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; raise `TokenRefused` when Slack does not take the token."""
        try:
            async with asyncio.TaskGroup() as group:
                keepers = [group.create_task(self._keep(number, stop)) for number in range(self._connections)]
                group.create_task(_cancel_when(stop, keepers))
        except* TokenRefused as refused:
            raise refused.exceptions[0] from None
        finally:
            await asyncio.gather(*self._retiring, return_exceptions=True)

    async def _keep(self, number: int, stop: asyncio.Event) -> None:
        """Keep one connection: open it, listen, and open the next before this one goes."""
        loop = asyncio.get_running_loop()
        socket: _Socket | None = None
        failures = 0
        # The connections are not replaced at the same time.
        quiet = self._quiet_seconds * (1 + number / (2 * self._connections))
        try:
            while not stop.is_set():
                began = loop.time()
                try:
                    fresh = await self._connect()
                except (SurfaceError, aiohttp.ClientError, TimeoutError, ValueError) as exc:
                    failures += 1
                    shown = SHOWN if failures == 1 and number == 0 else None
                    log.warning("Slack connection %d failed, tried again: %s", number + 1, exc, extra=shown)
                    await asyncio.sleep(_pause(failures))
                    continue
                if socket is not None:
                    self._retire(socket)
                socket = fresh
                if number == 0 and (failures or not self.connected.is_set()):
                    log.info("Slack is connected.", extra=SHOWN)
                self.connected.set()
                reason = await self._listen(socket, quiet)
                log.info("slack socket is replaced number=%d reason=%s", number, reason)
                # A connection that Slack drops at once again and again is not asked for without a pause.
                failures = failures + 1 if loop.time() - began < _SHORT_LIFE else 0
                await asyncio.sleep(_pause(failures - 1) if failures > 1 else 0)
        finally:
            if socket is not None:
                self._retire(socket, last_word=0.0)

    async def _connect(self) -> _Socket:
        try:
            opened = await self._api.call("apps.connections.open", patience=_LONGEST_PAUSE)
        except CallRefused as exc:
            if exc.code in TOKEN_ERRORS:
                raise TokenRefused(exc.code) from exc
            raise
        web = await self._session.ws_connect(
            str(opened.get("url", "")),
            heartbeat=self._ping_seconds,
            max_msg_size=_LARGEST_FRAME,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
        )
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await web.receive_json()
        except (TypeError, TimeoutError, aiohttp.ClientError):
            await web.close()
            raise TimeoutError("Slack opened a socket and did not say hello") from None
        if hello.get("type") != "hello":
            await web.close()
            raise TimeoutError(f"Slack began a socket with {hello.get('type')!r}")
        return _Socket(web)

    async def _listen(self, socket: _Socket, quiet: float) -> str:
        """Handle what comes; return why the connection must be replaced."""
        while True:
            try:
                async with asyncio.timeout(quiet):
                    frame = await socket.web.receive()
            except TimeoutError:
                return _QUIET
            if frame.type is not aiohttp.WSMsgType.TEXT:
                return f"closed ({frame.type.name.lower()})"
            try:
                envelope = json.loads(frame.data)
            except ValueError:
                log.warning("slack socket: a frame is no JSON")
                continue
            if envelope.get("type") == "disconnect":
                return f"disconnect ({envelope.get('reason')})"
            if envelope.get("envelope_id"):
                task = asyncio.create_task(self._take(socket, envelope))
                socket.handling.add(task)
                task.add_done_callback(socket.handling.discard)

    async def _take(self, socket: _Socket, envelope: Mapping[str, Any]) -> None:
        acknowledgement: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        try:
            payload = await self._handle(envelope)
        except NotAccepted as exc:
            log.warning("slack event not acknowledged reason=%s", exc)
            return
        except Exception:  # the edge of a task: Slack delivers it again
            log.exception("slack event not handled type=%s", envelope.get("type"))
            return
        if payload and envelope.get("accepts_response_payload"):
            acknowledgement["payload"] = payload
        try:
            await socket.web.send_json(acknowledgement)
        except (aiohttp.ClientError, ConnectionError) as exc:
            # Slack delivers it again over another connection, and it is known then.
            log.info("slack event not acknowledged reason=%s", type(exc).__name__)

    def _retire(self, socket: _Socket, *, last_word: float = _LAST_WORD_SECONDS) -> None:
        task = asyncio.create_task(self._farewell(socket, last_word))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _farewell(self, socket: _Socket, last_word: float) -> None:
        """Hear what an old connection still brings, then close it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                while last_word and not socket.web.closed:
                    last_word = 0.0 if await self._listen(socket, last_word) == _QUIET else last_word
        await socket.close()


async def _cancel_when(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    await stop.wait()
    for task in tasks:
        task.cancel()


def _pause(failures: int) -> float:
    longest = min(_LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
