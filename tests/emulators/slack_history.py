"""The part of Slack's Web API that reads a channel: a server on loopback, written from Slack's documentation.

Messages are as Slack stores them: text with `&amp; &lt; &gt;`, roots with `reply_count` and `latest_reply`, a
deleted root that had replies as a tombstone. It imports nothing of ours.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Payload = dict[str, Any]

TOKEN = "xoxb-of-the-emulator"
BOT_USER = "U0BOT0SELF"
BOT_ID = "B0BOT0SELF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What requests of one method get instead of an answer."""

    status: int = 200
    body: str | Payload = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class SlackServer:
    """A workspace with one channel. Tests change it by its methods.

    `refusals` are used up by requests of their method in order, `every` by all requests; `asked` records the
    method and arguments of each request.
    """

    channel: str = "C0GENERAL"
    page: int = 200
    url: str = ""
    messages: dict[str, Payload] = field(default_factory=dict)
    users: dict[str, Payload] = field(default_factory=dict)
    member: bool = True
    scopes: set[str] = field(default_factory=lambda: {"channels:history", "users:read"})
    refusals: dict[str, list[Refusal]] = field(default_factory=dict)
    every: Refusal | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def person(self, user: str, name: str) -> str:
        """Add a user and return the id."""
        self.users[user] = {"id": user, "name": name.lower(), "profile": {"display_name": name}}
        return user

    def post(self, at: float, text: str, *, user: str = "U1", thread: str = "", **more: object) -> str:
        """Add a message, a reply if `thread` is a root's ts, and return its ts."""
        ts = f"{at:.6f}"
        message: Payload = {"type": "message", "ts": ts, "text": escaped(text), "user": user, **more}
        if thread:
            message["thread_ts"] = thread
        self.messages[ts] = message
        return ts

    def edit(self, ts: str, text: str, *, at: float | None = None) -> None:
        """Change a message's text."""
        self.messages[ts]["text"] = escaped(text)
        self.messages[ts]["edited"] = {"user": "U1", "ts": f"{at or float(ts):.6f}"}

    def delete(self, ts: str) -> None:
        """Delete a message; a root with replies leaves a tombstone."""
        if self._replies(ts):
            self.messages[ts] = {
                "type": "message",
                "subtype": "tombstone",
                "hidden": True,
                "user": "USLACKBOT",
                "text": "This message was deleted.",
                "ts": ts,
                "thread_ts": ts,
            }
        else:
            del self.messages[ts]

    def count(self, method: str) -> int:
        """Return how often a method was asked for."""
        return sum(asked == method for asked, _ in self.asked)

    def shown(self, ts: str) -> Payload:
        """Return a message as the API shows it."""
        message = dict(self.messages[ts])
        replies = self._replies(ts)
        if replies:
            message |= {"thread_ts": ts, "reply_count": len(replies), "latest_reply": replies[-1]}
        return message

    def _replies(self, ts: str) -> list[str]:
        found = [one for one, message in self.messages.items() if message.get("thread_ts") == ts != one]
        return sorted(found, key=float)

    # The wire

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call of the Web API."""
        method = request.match_info["method"]
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        arguments = dict(request.query) | form
        self.asked.append((method, arguments))
        refusals = self.refusals.get(method)
        refusal = self.every or (refusals.pop(0) if refusals else None)
        if refusal:
            if isinstance(refusal.body, str):
                return web.Response(status=refusal.status, text=refusal.body, headers=refusal.headers)
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        return web.json_response(self._answer(method, arguments, request.headers.get("Authorization", "")))

    def _answer(self, method: str, arguments: dict[str, str], authorization: str) -> Payload:
        if authorization != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth" if authorization else "not_authed"}
        if method == "auth.test":
            return {"ok": True, "url": "https://acme.slack.com/", "user_id": BOT_USER, "bot_id": BOT_ID}
        if method == "users.info":
            return self._user(arguments)
        if "channels:history" not in self.scopes:
            return {
                "ok": False,
                "error": "missing_scope",
                "needed": "channels:history",
                "provided": "chat:write",
            }
        if arguments.get("channel") != self.channel:
            return {"ok": False, "error": "channel_not_found"}
        if not self.member:
            return {"ok": False, "error": "not_in_channel"}
        if method == "conversations.history":
            return self._history(arguments)
        if method == "conversations.replies":
            return self._thread(arguments)
        return {"ok": False, "error": "unknown_method"}

    def _user(self, arguments: dict[str, str]) -> Payload:
        if "users:read" not in self.scopes:
            return {"ok": False, "error": "missing_scope", "needed": "users:read"}
        user = self.users.get(arguments.get("user", ""))
        return {"ok": True, "user": user} if user else {"ok": False, "error": "user_not_found"}

    def _history(self, arguments: dict[str, str]) -> Payload:
        in_channel = [
            ts
            for ts, message in self.messages.items()
            if message.get("thread_ts", ts) == ts or message.get("subtype") == "thread_broadcast"
        ]
        newest_first = sorted((ts for ts in in_channel if _within(ts, arguments)), key=float, reverse=True)
        return self._paged(newest_first, arguments)

    def _thread(self, arguments: dict[str, str]) -> Payload:
        ts = arguments.get("ts", "")
        message = self.messages.get(ts)
        if message is None:
            return {"ok": False, "error": "thread_not_found"}
        root = message.get("thread_ts", ts)
        return self._paged([root, *self._replies(root)], arguments)

    def _paged(self, found: list[str], arguments: dict[str, str]) -> Payload:
        start = 0
        if cursor := arguments.get("cursor"):
            after = base64.b64decode(cursor).decode().removeprefix("next_ts:")
            if after not in found:
                return {"ok": False, "error": "invalid_cursor"}
            start = found.index(after)
        end = start + min(self.page, int(arguments.get("limit", "100")))
        following = base64.b64encode(f"next_ts:{found[end]}".encode()).decode() if end < len(found) else ""
        answer: Payload = {
            "ok": True,
            "messages": [self.shown(ts) for ts in found[start:end]],
            "has_more": bool(following),
        }
        return answer | ({"response_metadata": {"next_cursor": following}} if following else {})


def escaped(text: str) -> str:
    """Return a text as Slack stores it; `⟨` and `⟩` stand for the marks of mentions and links."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("⟨", "<").replace("⟩", ">")


def _within(ts: str, arguments: dict[str, str]) -> bool:
    oldest, latest = float(arguments.get("oldest", 0)), float(arguments.get("latest", "inf"))
    if arguments.get("inclusive") in {"true", "1"}:
        return oldest <= float(ts) <= latest
    return oldest < float(ts) < latest


@asynccontextmanager
async def serve_slack(server: SlackServer | None = None) -> AsyncIterator[SlackServer]:
    """Run the server on a free port of loopback."""
    server = server or SlackServer()
    application = web.Application()
    application.router.add_get("/api/{method}", server.answer)
    application.router.add_post("/api/{method}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api"
        yield server
    finally:
        await runner.cleanup()
