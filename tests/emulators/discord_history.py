"""The part of Discord's HTTP API v10 that reads a channel: a server on loopback, from its OpenAPI document.

Like the real one it shows no messages to a bot without Read Message History, no text to one without the
message content intent, and gives a thread that began with a message a first message of type 21. It imports
nothing of ours.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Payload = dict[str, Any]

TOKEN = "token-of-the-emulator"
BOT = "900000000000000001"
GUILD = "800000000000000001"
EVERYTHING = 1 << 10 | 1 << 16
_EPOCH_MS = 1_420_070_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What requests get instead of an answer."""

    status: int
    body: str | Payload = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class DiscordServer:
    """A guild with one channel and its threads. Tests change it by its methods.

    `refusals` are used up in order by requests whose path ends with their key, `every` by all requests;
    `asked` records each path, with the query.
    """

    channel: str = "700000000000000001"
    type: int = 0
    url: str = ""
    messages: dict[str, dict[str, Payload]] = field(default_factory=dict)
    threads: dict[str, Payload] = field(default_factory=dict)
    sees_text: bool = True
    flags: int | None = None
    permissions: int = EVERYTHING
    overwrites: list[Payload] = field(default_factory=list)
    last_message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, list[Refusal]] = field(default_factory=dict)
    every: Refusal | None = None
    asked: list[str] = field(default_factory=list)
    made: int = 0

    def post(self, at: float, text: str, *, user: str = "Ann", thread: str = "", **more: object) -> str:
        """Add a message to the channel or a thread and return its id."""
        place = thread or self.channel
        identity = self.snowflake(at)
        message = _message(identity, place, at) | {"content": text, "author": _person(user)} | more
        self.messages.setdefault(place, {})[identity] = message
        if thread:
            held = self.threads[thread]
            held["last_message_id"] = identity
            held["message_count"] += 1
            held["total_message_sent"] += 1
        else:
            self.last_message = identity
        return identity

    def open_thread(self, at: float, name: str, *, message: str = "", kind: int = 11) -> str:
        """Open a thread, on a message of the channel if one is given, and return its id."""
        identity = message or self.snowflake(at)
        self.threads[identity] = {
            "id": identity,
            "type": kind,
            "guild_id": GUILD,
            "parent_id": self.channel,
            "name": name,
            "owner_id": _person("Ann")["id"],
            "flags": 0,
            "last_message_id": None,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": _state(at, archived=False),
        }
        if message:
            mark = self.snowflake(at)
            self.messages.setdefault(identity, {})[mark] = _message(mark, identity, at) | {"type": 21}
        return identity

    def forum_post(self, at: float, name: str, text: str, **more: object) -> str:
        """Open a forum's post: its first message has the id of the thread."""
        thread = self.open_thread(at, name)
        message = self.post(at, text, thread=thread, **more)
        first = self.messages[thread].pop(message) | {"id": thread}
        self.messages[thread][thread] = first
        self.threads[thread] |= {"last_message_id": thread, "message_count": 0, "total_message_sent": 0}
        return thread

    def archive(self, thread: str, at: float) -> None:
        """Archive a thread, as Discord does after days of silence."""
        self.threads[thread]["thread_metadata"] = _state(at, archived=True)

    def edit(self, identity: str, text: str, *, at: float, thread: str = "") -> None:
        """Change a message's text."""
        self.messages[thread or self.channel][identity] |= {"content": text, "edited_timestamp": _iso(at)}

    def delete(self, identity: str, *, thread: str = "") -> None:
        """Delete a message. The id of the last message stays as it was, as with the real one."""
        del self.messages[thread or self.channel][identity]
        if thread:
            self.threads[thread]["message_count"] -= 1

    def delete_thread(self, thread: str) -> None:
        """Delete a thread with its messages."""
        del self.threads[thread]
        self.messages.pop(thread, None)

    def snowflake(self, at: float) -> str:
        """Return a new id of a moment."""
        self.made += 1
        return str((round(at * 1000) - _EPOCH_MS) << 22 | self.made)

    def count(self, part: str) -> int:
        """Return how many requests had a text in their path."""
        return sum(part in asked for asked in self.asked)

    # The wire

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call of the API."""
        path = request.match_info["path"]
        self.asked.append(f"{path}?{request.query_string}")
        ending = next((end for end, left in self.refusals.items() if left and path.endswith(end)), None)
        refusal = self.every or (self.refusals[ending].pop(0) if ending is not None else None)
        if refusal:
            if isinstance(refusal.body, str):
                return web.Response(status=refusal.status, text=refusal.body, headers=refusal.headers)
            return _json(refusal.status, refusal.body, refusal.headers)
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json(401, {"message": "401: Unauthorized", "code": 0}, {})
        status, body = self._answer(path.split("/"), dict(request.query))
        return _json(status, body, self.headers)

    def _answer(self, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        match path:
            case ["users", "@me"]:
                return 200, _person("lore") | {"id": BOT, "bot": True}
            case ["applications", "@me"]:
                flags = self.flags if self.flags is not None else 1 << 19 if self.sees_text else 0
                return 200, {"id": BOT, "flags": flags}
            case ["guilds", guild, *rest] if guild == GUILD:
                return self._guild(rest)
            case ["channels", channel, *rest]:
                return self._channel(channel, rest, query)
        return 404, {"message": "404: Not Found", "code": 0}

    def _guild(self, path: list[str]) -> tuple[int, Any]:
        match path:
            case ["threads", "active"]:
                active = [one for one in self.threads.values() if not one["thread_metadata"]["archived"]]
                return 200, {"threads": active, "members": [], "has_more": False}
            case ["roles"]:
                return 200, [{"id": GUILD, "name": "@everyone", "permissions": str(self.permissions)}]
            case ["members", member] if member == BOT:
                return 200, {"user": {"id": BOT}, "roles": []}
        return 404, {"message": "Unknown", "code": 10_000}

    def _channel(self, channel: str, path: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if channel != self.channel and channel not in self.threads:
            return 404, {"message": "Unknown Channel", "code": 10_003}
        if not self.permissions & 1 << 10:
            return 403, {"message": "Missing Access", "code": 50_001}
        match path:
            case []:
                return 200, self.threads.get(channel) or self._itself()
            case ["messages"]:
                return 200, self._page(channel, query)
            case ["messages", message]:
                found = self.messages.get(channel, {}).get(message)
                return (200, self._shown(found)) if found else (404, {"message": "Unknown", "code": 10_008})
            case ["threads", "archived", "public"] if channel == self.channel:
                return 200, self._archived(query)
        return 404, {"message": "404: Not Found", "code": 0}

    def _itself(self) -> Payload:
        return {
            "id": self.channel,
            "type": self.type,
            "guild_id": GUILD,
            "name": "general",
            "position": 0,
            "flags": 0,
            "last_message_id": self.last_message,
            "permission_overwrites": self.overwrites,
        }

    def _page(self, channel: str, query: dict[str, str]) -> list[Payload]:
        if not self.permissions & 1 << 16 or any(int(one["deny"]) & 1 << 16 for one in self.overwrites):
            return []
        before = int(query.get("before", 1 << 63))
        found = [one for one in self.messages.get(channel, {}).values() if int(one["id"]) < before]
        found.sort(key=lambda one: int(one["id"]), reverse=True)
        return [self._shown(one) for one in found[: int(query.get("limit", "50"))]]

    def _shown(self, message: Payload) -> Payload:
        shown = dict(message)
        if shown["type"] == 21:
            shown["referenced_message"] = self.messages.get(self.channel, {}).get(shown["channel_id"])
        elif shown["id"] in self.threads and shown["channel_id"] == self.channel:
            shown["thread"] = self.threads[shown["id"]]
        if not self.sees_text:
            shown |= {"content": "", "embeds": [], "attachments": [], "components": []}
        return shown

    def _archived(self, query: dict[str, str]) -> Payload:
        before = query.get("before", "9999")
        archived = [
            one
            for one in self.threads.values()
            if one["thread_metadata"]["archived"]
            and one["type"] != 12
            and one["thread_metadata"]["archive_timestamp"] < before
        ]
        archived.sort(key=lambda one: str(one["thread_metadata"]["archive_timestamp"]), reverse=True)
        limit = int(query.get("limit", "50"))
        return {"threads": archived[:limit], "members": [], "has_more": len(archived) > limit}


def _json(status: int, body: object, headers: dict[str, str]) -> web.Response:
    # Discord names no charset, and its clients compare the whole header.
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"} | headers
    )


def _message(identity: str, place: str, at: float) -> Payload:
    return {
        "id": identity,
        "channel_id": place,
        "type": 0,
        "content": "",
        "author": _person("Ann"),
        "timestamp": _iso(at),
        "edited_timestamp": None,
        "tts": False,
        "pinned": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "flags": 0,
    }


def _person(name: str) -> Payload:
    return {
        "id": str(600_000_000_000_000_000 + sum(map(ord, name))),
        "username": name.lower(),
        "global_name": name,
        "discriminator": "0",
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def _state(at: float, *, archived: bool) -> Payload:
    return {
        "archived": archived,
        "archive_timestamp": _iso(at),
        "auto_archive_duration": 4320,
        "locked": False,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


@asynccontextmanager
async def serve_discord(server: DiscordServer | None = None) -> AsyncIterator[DiscordServer]:
    """Run the server on a free port of loopback."""
    server = server or DiscordServer()
    application = web.Application()
    application.router.add_get("/api/v10/{path:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"
        yield server
    finally:
        await runner.cleanup()
