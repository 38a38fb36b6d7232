"""The calls that show something on Discord, each safe to repeat, with Discord's errors told as the bot's own.

A payload is what Discord's API takes for a message. Whatever it holds, no mention in it is live unless the
caller names who may be mentioned.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import aiohttp
import discord
from discord.http import Route

from adapters.discord.client import ONCE, DiscordHttp
from bot.errors import SurfaceBusy, SurfaceError, SurfaceGone

log = logging.getLogger(__name__)

Payload = Mapping[str, Any]
Message = Mapping[str, Any]

EPOCH_MS = 1_420_070_400_000
TRIES = 3
WAIT_SECONDS = 0.5  # doubled at each try
PRIVATE_THREAD = 12
ARCHIVE_MINUTES = 1440
EPHEMERAL = 1 << 6
LOADING = 1 << 7
ACKNOWLEDGED_WITHIN = 3.0  # seconds that Discord waits for an answer to an interaction
COMPONENTS_V2 = 1 << 15

THREAD_EXISTS = 160_004
UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN = 10_015, 10_062, 50_027
ACKNOWLEDGED = 40_060
# Kinds of first responses.
REPLY, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
PAGE = 100

# A lost reply: the request may have been carried out all the same.
_LOST = (aiohttp.ClientError, OSError, TimeoutError)
_UNSENT = (aiohttp.ClientConnectorError,)

# Templates, not addresses: discord.py keeps one rate limit for each of them and each channel.
_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_ANSWER = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


class TokenExpired(SurfaceGone):
    """An interaction's token is not valid any more: 15 minutes are over."""


class PayloadRefused(SurfaceGone):
    """Discord does not accept the message as it is built."""


def nonce(subject: str, part: int = 0) -> str:
    """Return what makes Discord drop a second post of the same part of a reply: at most 25 characters."""
    return hashlib.sha256(f"{subject}\0{part}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def snowflake(seconds: float) -> int:
    """Return the smallest id of that time, in seconds since the epoch."""
    return max(int(seconds * 1000) - EPOCH_MS, 0) << 22


def moment(identifier: str | int) -> float:
    """Return when an id was made, in seconds since the epoch."""
    return ((int(identifier) >> 22) + EPOCH_MS) / 1000


class DiscordApi:
    """Posts, edits and looks things up. `http` returns the connection, None while there is none.

    Every method raises `SurfaceBusy` when it may go well later, `SurfaceGone` when the place or the right to
    it is gone, `PayloadRefused` when Discord does not accept what is sent.
    """

    def __init__(
        self,
        http: Callable[[], DiscordHttp | None],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._pause = pause

    async def post(
        self, channel: str, payload: Payload, *, nonce: str, mentions: Payload | None = None
    ) -> Message:
        """Post a message once, however often it is tried with the same nonce."""
        body = _safe(payload, mentions) | {"nonce": nonce, "enforce_nonce": True}
        return await self._sent("post a message", "POST", _MESSAGES, _at(channel), json=body)

    async def edit(self, channel: str, message: str, payload: Payload) -> Message:
        """Replace a message's content."""
        body = _safe(payload)
        return await self._sent("edit a message", "PATCH", _MESSAGE, _at(channel, message), json=body)

    async def delete(self, channel: str, message: str) -> None:
        """Delete a message; nothing happens when it is gone already."""
        try:
            await self._sent("delete a message", "DELETE", _MESSAGE, _at(channel, message))
        except SurfaceGone:
            log.info("discord message %s was gone already, or may not be deleted", message)

    async def messages(self, channel: str, *, after: int) -> AsyncGenerator[Message, None]:
        """Yield a channel's messages behind an id, oldest first."""
        while True:
            page = await self._page(channel, after)
            for message in page:
                yield message
            if len(page) < PAGE:
                return
            after = int(page[-1]["id"])

    async def _page(self, channel: str, after: int) -> Sequence[Message]:
        params = {"after": str(after), "limit": str(PAGE)}
        found = await self._sent("read messages", "GET", _MESSAGES, _at(channel), params=params)
        page = cast("Sequence[Message]", found)
        return sorted(page, key=lambda message: int(message["id"]))

    async def typing(self, channel: str) -> None:
        """Show that the bot is at work there, for ten seconds."""
        await self._sent("show typing", "POST", "/channels/{channel_id}/typing", _at(channel), tries=1)

    async def thread(self, channel: str, message: str, name: str) -> str:
        """Open a thread at a message and return its id, also when there is one already."""
        body = {"name": name, "auto_archive_duration": ARCHIVE_MINUTES}
        path = f"{_MESSAGE}/threads"
        try:
            made = await self._sent("open a thread", "POST", path, _at(channel, message), json=body)
        except PayloadRefused as exc:
            if getattr(exc.__cause__, "code", 0) == THREAD_EXISTS:
                return message  # a thread has the id of the message that it hangs at
            raise
        return str(made["id"])

    async def private_thread(self, channel: str, name: str) -> str:
        """Open a thread that only who is invited and the moderators see; return its id.

        It is not repeated when it may have been opened, for nothing tells two threads apart.
        """
        body = {
            "name": name,
            "type": PRIVATE_THREAD,
            "invitable": False,
            "auto_archive_duration": ARCHIVE_MINUTES,
        }
        path = "/channels/{channel_id}/threads"
        made = await self._sent(
            "open a private thread", "POST", path, _at(channel), json=body, repeat=_UNSENT, once=True
        )
        return str(made["id"])

    async def invite(self, thread: str, person: str) -> None:
        """Let a person see a private thread; nothing happens when they do."""
        path, ids = "/channels/{channel_id}/thread-members/{user_id}", {"channel_id": thread}
        await self._sent("invite to a thread", "PUT", path, ids | {"user_id": person})

    async def direct(self, person: str) -> str:
        """Return the channel of direct messages with a person."""
        made = await self._sent(
            "open direct messages", "POST", "/users/@me/channels", {}, json={"recipient_id": person}
        )
        return str(made["id"])

    async def channel(self, channel: str) -> Message:
        """Return a channel or thread."""
        return await self._sent("read a channel", "GET", "/channels/{channel_id}", _at(channel))

    async def threads(self, guild: str) -> Sequence[Message]:
        """Return the threads of a server that are in use."""
        path = "/guilds/{guild_id}/threads/active"
        found = await self._sent("list threads", "GET", path, {"guild_id": guild})
        return tuple(found["threads"])

    async def original(self, application: str, token: str) -> Message:
        """Return the message that answers an interaction."""
        return await self._sent("read an answer", "GET", _ANSWER, _hook(application, token))

    async def edit_answer(
        self, application: str, token: str, payload: Payload, *, message: str = "@original"
    ) -> Message:
        """Replace a message that answers an interaction; raise `TokenExpired` after 15 minutes."""
        ids = _hook(application, token, message)
        return await self._sent("edit an answer", "PATCH", _ANSWER, ids, json=_safe(payload))

    async def delete_answer(self, application: str, token: str, *, message: str = "@original") -> None:
        """Delete a message that answers an interaction; nothing happens when it is gone already."""
        try:
            await self._sent("delete an answer", "DELETE", _ANSWER, _hook(application, token, message))
        except SurfaceGone:
            log.info("discord answer was gone already, or its interaction is over")

    async def add_answer(self, application: str, token: str, payload: Payload, *, ephemeral: bool) -> Message:
        """Post one more message that answers an interaction; not repeated when its reply is lost."""
        body = _safe(payload)
        if ephemeral:
            body["flags"] = body.get("flags", 0) | EPHEMERAL
        return await self._sent(
            "add to an answer",
            "POST",
            "/webhooks/{webhook_id}/{webhook_token}",
            _hook(application, token),
            json=body,
            params={"wait": "true"},
            repeat=_UNSENT,
        )

    async def respond(self, interaction: str, token: str, kind: int, data: Payload | None = None) -> None:
        """Give the first response to an interaction, within three seconds of it; once is enough."""
        body: dict[str, Any] = {"type": kind}
        if data is not None:
            body["data"] = _safe(data) if kind in {REPLY, UPDATE} else dict(data)
        try:
            await self._sent(
                "respond to an interaction",
                "POST",
                "/interactions/{webhook_id}/{webhook_token}/callback",
                _hook(interaction, token),
                json=body,
            )
        except PayloadRefused as exc:
            if getattr(exc.__cause__, "code", 0) != ACKNOWLEDGED:
                raise

    async def commands(self, application: str, guild: str = "") -> Sequence[Message]:
        """Return the commands that are registered, everywhere or in one server."""
        path, ids = _commands(application, guild)
        params = {"with_localizations": "true"}
        found = await self._sent("list commands", "GET", path, ids, params=params)
        return cast("Sequence[Message]", found)

    async def register(self, application: str, commands: Sequence[Payload], guild: str = "") -> None:
        """Register these commands in place of all others, everywhere or in one server."""
        path, ids = _commands(application, guild)
        await self._sent("register commands", "PUT", path, ids, json=list(commands))

    async def _sent(
        self,
        what: str,
        method: str,
        path: str,
        ids: Mapping[str, str],
        *,
        repeat: tuple[type[Exception], ...] = _LOST,
        once: bool = False,
        tries: int = TRIES,
        json: Any = None,  # noqa: ANN401 - any JSON
        params: Mapping[str, str] | None = None,
    ) -> Message:
        """Send, again when the connection breaks or the server is out of order, and return the reply.

        With `once` discord.py does not repeat it either, whatever the server says.
        """
        options: dict[str, Any] = {"params": params} if params else {}
        options |= {"trace_request_ctx": ONCE} if once else {}
        http = self._http()
        if http is None:
            raise SurfaceBusy(f"Discord is not connected, so it cannot be asked to {what}.")
        for number in range(1, tries + 1):
            body = {"json": json} if json is not None else {}
            try:
                reply: Message = await http.request(Route(method, path, **ids), **options, **body)
            except (discord.DiscordException, *_LOST, RuntimeError) as exc:
                if number == tries or not _worth_repeating(exc, repeat):
                    raise _ours(exc, what) from exc
                log.info("discord did not reply to %r: %s", what, type(exc).__name__)
            else:
                return reply
            await self._pause(WAIT_SECONDS * 2 ** (number - 1))
        raise AssertionError("the last try returns or raises")


def _worth_repeating(exc: Exception, repeat: tuple[type[Exception], ...]) -> bool:
    """Whether another try may go better. discord.py itself repeats the other errors of the server."""
    if isinstance(exc, discord.HTTPException):
        return exc.status == 503 and repeat is _LOST
    return isinstance(exc, repeat)


def _ours(exc: Exception, what: str) -> SurfaceError:
    """Return discord.py's error as one of ours."""
    if isinstance(exc, discord.RateLimited):
        return SurfaceBusy(
            f"Discord asks to wait {exc.retry_after:.0f} s before {what!r}.", seconds=exc.retry_after
        )
    if not isinstance(exc, discord.HTTPException):  # RuntimeError: the session is closed, the program ends
        return SurfaceBusy(f"Discord could not be reached to {what}: {type(exc).__name__}. Try again later.")
    said = f"Discord answered {exc.status} (code {exc.code}) when asked to {what}."
    if exc.status == 429:
        return SurfaceBusy(f"{said} Too many requests come from this address.", seconds=60.0)
    if exc.status >= 500:
        return SurfaceBusy(f"{said} Try again later.")
    if exc.code in {UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_TOKEN}:
        return TokenExpired(f"{said} The interaction is over.")
    if exc.status in {401, 403, 404}:
        return SurfaceGone(f"{said} Check that the place exists and that the bot may write there.")
    log.error("discord refused to %s: status=%s code=%s %s", what, exc.status, exc.code, exc.text)
    return PayloadRefused(f"{said} The message was not accepted.")


def _at(channel: str, message: str = "") -> dict[str, str]:
    return {"channel_id": channel, "message_id": message}


def _hook(application: str, token: str, message: str = "@original") -> dict[str, str]:
    return {"webhook_id": application, "webhook_token": token, "message_id": message}


def _commands(application: str, guild: str) -> tuple[str, dict[str, str]]:
    ids = {"application_id": application}
    if not guild:
        return "/applications/{application_id}/commands", ids
    return "/applications/{application_id}/guilds/{guild_id}/commands", ids | {"guild_id": guild}


def _safe(payload: Payload, mentions: Payload | None = None) -> dict[str, Any]:
    """Return the payload with its mentions dead, unless the caller allows some by id."""
    allowed = {"parse": [], **(mentions or {})}
    if "message_reference" in payload:
        allowed["replied_user"] = False
    return {**payload, "allowed_mentions": allowed}
