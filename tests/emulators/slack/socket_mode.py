"""Socket Mode: the WebSocket connections of the app, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import WSMsgType, web

from tests.emulators.slack.clock import ACK_SECONDS
from tests.emulators.slack.errors import NotDelivered

if TYPE_CHECKING:
    from tests.emulators.slack.delivery import Delivered
    from tests.emulators.slack.site import Site
    from tests.emulators.slack.workspace import Json, Payload

MOST_CONNECTIONS = 10
Reason = Literal["refresh_requested", "warning", "link_disabled", "too_many_websockets"]


@dataclass(slots=True, kw_only=True)
class Connection:
    """One WebSocket. A `zombie` answers pings and carries nothing; a `retiring` one gets no new events."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    zombie: bool = False
    retiring: bool = False
    delivered: int = 0


class Sockets:
    """The open connections, in the order in which they came."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tickets: set[str] = set()
        self._numbers = itertools.count()
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self.connections: list[Connection] = []
        self.opened = 0
        self.refused = False
        self.late: list[str] = []

    def ticket(self) -> str:
        """Return the address of one connection to come; it can be used once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        site = self._site
        return f"{site.url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={site.app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it is closed."""
        ticket = request.query.get("ticket", "")
        if self.refused or ticket not in self._tickets:
            raise web.HTTPForbidden(text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        connection = Connection(number=next(self._numbers), socket=socket, request=request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self._say_goodbye(connection, "too_many_websockets")
            return socket
        self.connections.append(connection)
        self.opened += 1
        try:
            await socket.send_json(self._hello())
            self._site.bell.ring()
            await self._listen(connection)
        except ConnectionError:
            pass
        finally:
            self.connections.remove(connection)
            self._site.bell.ring()
        return socket

    def _hello(self) -> Payload:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": "applink-emulator",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._site.app_id},
        }

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            answer = json.loads(message.data)
            waiting = self._waiting.get(answer.get("envelope_id", ""))
            if connection.zombie:
                continue
            if waiting is not None and not waiting.done():
                waiting.set_result(answer.get("payload"))
            else:
                self.late.append(answer.get("envelope_id", ""))

    async def deliver(self, delivered: Delivered, payload: Payload) -> Json:
        """Send an envelope over one connection and return what its acknowledgement carries."""
        connection = self._next()
        if connection is None:
            raise NotDelivered("no_connection")
        delivered.connection = connection.number
        waiting = self._waiting[delivered.id] = asyncio.get_running_loop().create_future()
        try:
            if not connection.zombie:
                connection.delivered += 1
                await connection.socket.send_json(_envelope(delivered, payload))
            return await self._site.clock.before(delivered.sent + ACK_SECONDS, waiting)
        except TimeoutError:
            raise NotDelivered("timeout") from None
        except ConnectionError as error:
            raise NotDelivered("connection_failed") from error
        finally:
            del self._waiting[delivered.id]

    def _next(self) -> Connection | None:
        """Return the connection whose turn it is."""
        alive = [one for one in self.connections if not one.retiring and not one.socket.closed]
        return alive[next(self._turn) % len(alive)] if alive else None

    # What goes wrong

    def zombie(self, *numbers: int) -> None:
        """Make connections deaf and dumb although they answer pings; all of them when none is named."""
        for connection in self._named(numbers):
            connection.zombie = True

    def cut(self, *numbers: int) -> None:
        """Cut the TCP connections without a word."""
        for connection in self._named(numbers):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def disconnect(self, reason: Reason = "refresh_requested", *numbers: int) -> None:
        """Say goodbye as Slack does: no more events come, and the socket closes unless it is a warning."""
        for connection in self._named(numbers):
            await self._say_goodbye(connection, reason)

    async def close(self) -> None:
        """Close whatever is open."""
        for connection in list(self.connections):
            await connection.socket.close()

    def _named(self, numbers: tuple[int, ...]) -> list[Connection]:
        return [one for one in self.connections if not numbers or one.number in numbers]

    async def _say_goodbye(self, connection: Connection, reason: Reason) -> None:
        goodbye = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-emulator"}}
        connection.retiring = reason != "warning"
        await connection.socket.send_json(goodbye)
        if connection.retiring:
            await connection.socket.close()


def _envelope(delivered: Delivered, payload: Payload) -> Payload:
    envelope: Payload = {
        "envelope_id": delivered.id,
        "payload": payload,
        "type": delivered.kind,
        "accepts_response_payload": delivered.kind != "events_api",
    }
    if delivered.kind == "events_api":
        envelope |= {"retry_attempt": delivered.attempt, "retry_reason": delivered.reason}
    return envelope
