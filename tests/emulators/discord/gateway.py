"""The gateway: websocket connections, the sessions behind them, and what can go wrong with either."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSCloseCode, WSMsgType, web

from tests.emulators.discord import permissions
from tests.emulators.discord.compression import Packer, packer
from tests.emulators.discord.errors import Payload
from tests.emulators.discord.places import Guild
from tests.emulators.discord.world import (
    GUILD_MEMBERS,
    GUILD_PRESENCES,
    GUILDS,
    MESSAGE_CONTENT,
    Event,
    World,
)

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, REQUEST_MEMBERS = 0, 1, 2, 3, 4, 6, 7, 8
INVALID_SESSION, HELLO, HEARTBEAT_ACK, SOUNDBOARD = 9, 10, 11, 31
_KNOWN_INTENTS = (1 << 26) - 1
_SENDS, _SENDS_SECONDS = 120, 60.0

Hearing = Literal["all", "deaf", "dead"]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One identified bot, whatever connections it comes back on. `events` are kept for a resume."""

    id: str
    intents: int
    shard: tuple[int, int]
    presence: Payload | None = None
    presences: list[Payload] = field(default_factory=list)
    sequence: int = 0
    events: deque[tuple[int, Payload]] = field(default_factory=lambda: deque(maxlen=5000))
    connection: Connection | None = None
    left_at: float = 0.0
    ready: bool = False
    resumes: int = 0

    def push(self, name: str, data: Payload) -> None:
        """Queue an event: numbered, kept for a resume, sent where a connection is up and not deaf."""
        self.sequence += 1
        event: Payload = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.events.append((self.sequence, event))
        if self.connection is not None and self.connection.hearing == "all":
            self.connection.send(event)

    def wants(self, event: Event) -> bool:
        """Whether an event is for this session: by its intents, and by the shard of its guild."""
        shard, shards = self.shard
        place = (int(event.guild_id) >> 22) % shards if event.guild_id else 0
        return place == shard and (not event.intent or bool(self.intents & event.intent))


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One websocket. `hearing` "deaf" acknowledges heartbeats but sends no events, "dead" sends nothing."""

    socket: web.WebSocketResponse
    request: web.Request
    pack: Packer
    outgoing: asyncio.Queue[Payload | None] = field(default_factory=asyncio.Queue)
    session: Session | None = None
    hearing: Hearing = "all"
    beats: int = 0
    heard_at: float = 0.0
    sent_at: deque[float] = field(default_factory=deque)
    address: str = ""
    ended: bool = False

    def send(self, payload: Payload) -> None:
        self.outgoing.put_nowait(payload)

    async def write(self) -> None:
        """Send what is queued, in order, until the socket is gone."""
        while (payload := await self.outgoing.get()) is not None:
            if self.hearing == "dead":
                continue
            packed = self.pack(json.dumps(payload, separators=(",", ":")))
            try:
                if isinstance(packed, bytes):
                    await self.socket.send_bytes(packed)
                else:
                    await self.socket.send_str(packed)
            except ConnectionError:
                return

    def cut(self) -> None:
        """Drop the TCP connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Gateway:
    """Serves the websocket. `heartbeat_seconds` is what it asks for; a client that misses two is dropped."""

    def __init__(self, world: World, *, heartbeat_seconds: float) -> None:
        self.world = world
        self.heartbeat_seconds = heartbeat_seconds
        self.resume_seconds = 300.0
        self.shards = 1
        self.max_concurrency = 1
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.refuse = False
        self._open = 0
        self.identifies = 0
        self.url = ""
        world.listener = self._publish

    # What a test does to it

    def ready(self) -> list[Session]:
        """Return the sessions that are connected and ready."""
        return [one for one in self.sessions.values() if one.ready and one.connection is not None]

    def ask_reconnect(self) -> None:
        """Tell every client to connect again and resume (op 7)."""
        for one in list(self.connections):
            one.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool) -> None:
        """Tell every client that its session is invalid (op 9), and forget the sessions unless resumable."""
        for one in list(self.connections):
            one.send({"op": INVALID_SESSION, "d": resumable})
        if not resumable:
            self.forget()

    def ask_heartbeat(self) -> None:
        """Ask every client for a heartbeat at once (op 1)."""
        for one in list(self.connections):
            one.send({"op": HEARTBEAT, "d": None})

    def forget(self) -> None:
        """Forget every session: a later resume is refused with op 9 false."""
        for session in self.sessions.values():
            session.ready = False
        self.sessions.clear()

    def hear(self, hearing: Hearing) -> None:
        """Make the connections of now deaf, dead or well again."""
        for one in self.connections:
            one.hearing = hearing

    def cut(self) -> None:
        """Drop every TCP connection without a close frame."""
        for one in list(self.connections):
            one.cut()

    async def close(self, code: int, reason: str = "") -> None:
        """Close every connection with a close code."""
        for one in list(self.connections):
            await self._end(one, code, reason)

    async def stop(self) -> None:
        """Take no more connections, drop those there are, and wait for their ends."""
        self.refuse = True
        self.cut()
        await self.world.pulse.until(lambda: not self._open, 10)

    # The wire

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until it ends."""
        if self.refuse:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, autoping=True)
        await socket.prepare(request)
        pack = packer(request.query.get("compress", ""))
        if request.query.get("v") not in {"9", "10"}:
            await socket.close(code=4012, message=b"Invalid API version.")
            return socket
        if request.query.get("encoding", "json") != "json" or pack is None:
            await socket.close(code=4002, message=b"Error while decoding payload.")
            return socket
        connection = Connection(socket=socket, request=request, pack=pack, address=str(request.rel_url))
        self.connections.append(connection)
        self._open += 1
        try:
            await self._hold(connection)
        finally:
            self._open -= 1
            self._left(connection)
        return socket

    async def _hold(self, connection: Connection) -> None:
        connection.heard_at = asyncio.get_running_loop().time()
        connection.send({"op": HELLO, "d": {"heartbeat_interval": round(self.heartbeat_seconds * 1000)}})
        writer = asyncio.create_task(connection.write())
        watch = asyncio.create_task(self._watch(connection))
        self.world.pulse.beat()
        try:
            async for message in connection.socket:
                if message.type is not WSMsgType.TEXT:
                    await self._end(connection, 4002, "Error while decoding payload.")
                    break
                if not await self._received(connection, message.data):
                    break
        finally:
            for task in (writer, watch):
                task.cancel()
            await asyncio.gather(writer, watch, return_exceptions=True)

    async def _watch(self, connection: Connection) -> None:
        """Close a connection whose client misses its heartbeats."""
        loop = asyncio.get_running_loop()
        patience = self.heartbeat_seconds * 2
        while True:
            left = connection.heard_at + patience - loop.time()
            if left <= 0:
                await self._end(connection, 4009, "Session timed out.")
                return
            await asyncio.sleep(left)

    def _left(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            session.left_at = self.world.clock.now()
            by_client = not connection.ended
            if by_client and connection.socket.close_code in {WSCloseCode.OK, WSCloseCode.GOING_AWAY}:
                # A client that closes with 1000 or 1001 ends its session.
                self.sessions.pop(session.id, None)
        self.world.pulse.beat()

    async def _end(self, connection: Connection, code: int, reason: str) -> None:
        connection.ended = True
        if connection in self.connections:
            self.connections.remove(connection)
        if code in {4004, 4007, 4009} and connection.session is not None:
            self.sessions.pop(connection.session.id, None)
        await connection.socket.close(code=code, message=reason.encode())

    async def _received(self, connection: Connection, text: str) -> bool:
        """See to one payload of the client; return whether the connection goes on."""
        loop = asyncio.get_running_loop()
        connection.sent_at.append(loop.time())
        while connection.sent_at[0] < loop.time() - _SENDS_SECONDS:
            connection.sent_at.popleft()
        problem: tuple[int, str] | None
        try:
            payload = json.loads(text)
            operation, data = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError):
            problem = (4002, "Error while decoding payload.")
        else:
            problem = await self._operation(connection, operation, data)
        if len(connection.sent_at) > _SENDS:
            problem = (4008, "Rate limited.")
        if problem is None:
            return True
        await self._end(connection, *problem)
        return False

    async def _operation(self, connection: Connection, operation: int, data: Any) -> tuple[int, str] | None:  # noqa: ANN401 - JSON
        if connection.hearing == "dead":
            return None
        match operation:
            case 1:
                connection.heard_at = asyncio.get_running_loop().time()
                connection.beats += 1
                connection.send({"op": HEARTBEAT_ACK})
                self.world.pulse.beat()
            case 2:
                return (
                    (4005, "Already authenticated.")
                    if connection.session
                    else self._identify(connection, data)
                )
            case 6:
                return (
                    (4005, "Already authenticated.") if connection.session else self._resume(connection, data)
                )
            case 3 | 4 | 8 | 31:
                if connection.session is None:
                    return (4003, "Not authenticated.")
                self._asked(connection.session, operation, data)
            case _:
                return (4001, "Unknown opcode.")
        return None

    def _identify(self, connection: Connection, data: Payload) -> tuple[int, str] | None:
        self.identifies += 1
        if str(data.get("token", "")).removeprefix("Bot ") != self.world.token:
            return (4004, "Authentication failed.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~_KNOWN_INTENTS:
            return (4013, "Invalid intent(s).")
        closed = 0 if self.world.message_content else MESSAGE_CONTENT
        closed |= GUILD_PRESENCES | (0 if self.world.see_members else GUILD_MEMBERS)
        if intents & closed:
            return (4014, "Disallowed intent(s).")
        shard = data.get("shard") or [0, 1]
        if not 0 <= shard[0] < shard[1]:
            return (4010, "Invalid shard.")
        if self.world.shards > 1 and shard[1] < self.world.shards:
            return (4011, "Sharding required.")
        session = Session(
            id=f"session-{self.world.clock.snowflake()}", intents=intents, shard=(shard[0], shard[1])
        )
        session.presence = data.get("presence")
        session.connection, connection.session = connection, session
        self.sessions[session.id] = session
        self._greet(session)
        return None

    def _greet(self, session: Session) -> None:
        """Send READY, then each guild of the session's shard."""
        world = self.world
        mine = [guild for guild in world.guilds.values() if world.me.id in guild.members]
        mine = [one for one in mine if session.wants(Event(name="", data={}, guild_id=one.id))]
        session.push(
            "READY",
            {
                "v": 10,
                "user": world.me.payload() | {"mfa_enabled": True, "verified": True, "email": None},
                "guilds": [{"id": guild.id, "unavailable": True} for guild in mine],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": list(session.shard),
                "application": {"id": world.application, "flags": world.application_flags},
                "private_channels": [],
                "relationships": [],
                "user_settings": {},
                "session_type": "normal",
                "_trace": ['["emulator"]'],
            },
        )
        if session.intents & GUILDS:
            for guild in mine:
                session.push("GUILD_CREATE", self.guild_created(guild, session))
        session.ready = True
        world.pulse.beat()

    def guild_created(self, guild: Guild, session: Session) -> Payload:
        world = self.world
        threads = [one for one in guild.channels.values() if one.is_thread and not one.archived]
        seen = [one for one in threads if world.may(one, permissions.VIEW_CHANNEL)]
        everyone = bool(session.intents & GUILD_MEMBERS) and len(guild.members) <= 250
        return guild.created(guild.members[world.me.id], seen, everyone=everyone)

    def joined(self, guild: Guild) -> None:
        """Tell the sessions of a guild that the bot has come into."""
        for session in self.sessions.values():
            event = Event(name="GUILD_CREATE", data={}, guild_id=guild.id, intent=GUILDS)
            if session.wants(event):
                session.push(event.name, self.guild_created(guild, session))

    def _resume(self, connection: Connection, data: Payload) -> tuple[int, str] | None:
        if str(data.get("token", "")).removeprefix("Bot ") != self.world.token:
            return (4004, "Authentication failed.")
        session = self.sessions.get(str(data.get("session_id")))
        seen = data.get("seq")
        if session is None or not isinstance(seen, int) or not self._holds(session, seen):
            connection.send({"op": INVALID_SESSION, "d": False})
            return None
        if seen > session.sequence:
            return (4007, "Invalid seq.")
        if session.connection is not None:
            session.connection.cut()
        session.connection, connection.session = connection, session
        for number, event in session.events:
            if number > seen:
                connection.send(event)
        session.resumes += 1
        session.push("RESUMED", {"_trace": ['["emulator"]']})
        self.world.pulse.beat()
        return None

    def _holds(self, session: Session, seen: int) -> bool:
        """Whether a session still has every event after `seen`, and is not too old."""
        if session.connection is None and self.world.clock.now() - session.left_at > self.resume_seconds:
            return False
        return not session.events or session.events[0][0] <= seen + 1

    def _asked(self, session: Session, operation: int, data: Payload) -> None:
        if operation == PRESENCE:
            session.presence = data
            session.presences.append(data)
            self.world.pulse.beat()
        elif operation == REQUEST_MEMBERS:
            self._chunk(session, data)

    def _chunk(self, session: Session, data: Payload) -> None:
        guild = self.world.guilds.get(str(data.get("guild_id")))
        if guild is None:
            return
        ids = data.get("user_ids")
        ids = [ids] if isinstance(ids, str) else [str(one) for one in ids or ()]
        found = list(guild.members.values())
        if ids:
            found = [one for one in found if one.id in ids]
        elif data.get("query"):
            found = [one for one in found if one.user.name.lower().startswith(data["query"].lower())]
            found = found[: data.get("limit") or 100]
        elif not session.intents & GUILD_MEMBERS:
            return
        chunk: Payload = {
            "guild_id": guild.id,
            "members": [one.payload() for one in found],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [one for one in ids if one not in guild.members],
        }
        session.push("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": data["nonce"]} if data.get("nonce") else {}))

    def _publish(self, event: Event) -> None:
        for session in self.sessions.values():
            if session.wants(event):
                plain = event.bare is None or session.intents & MESSAGE_CONTENT
                session.push(event.name, event.data if plain or event.bare is None else event.bare)
