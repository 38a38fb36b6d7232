"""A Discord channel's history by the HTTP API: messages, public threads and a forum's posts.

Bots' messages, joins and the like are left out, and so is a question to our own bot that nobody else took up.
Private threads are left out: not everyone of the channel may see them.
Requests: one a page of 100 messages, two for the lists of threads, one a thread that changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kb.connectors.base import Resources
from kb.connectors.history import Clock, History
from kb.connectors.history_api import ChatApi, Sleep
from kb.connectors.history_channel import Head, Message, Thread
from kb.connectors.history_discord_access import MESSAGE_CONTENT_FLAGS, may_read_history
from kb.connectors.history_discord_text import (
    addresses,
    author_name,
    is_bare,
    is_said,
    message_text,
)
from kb.connectors.history_text import tidy
from kb.errors import SourceInvalid, SourceUnavailable
from kb.sources import DiscordHistorySource

Payload = Mapping[str, Any]

_SNOWFLAKE = re.compile(r"\d{15,20}")
_EPOCH = 1_420_070_400.0
_PAGE = 100
_TALKED_IN = frozenset({0, 2, 5, 13})
_THREADS = frozenset({10, 11, 12})
_PUBLIC_THREADS = frozenset({10, 11})
_FORUMS = frozenset({15, 16})
_STARTER = 21
# What of a thread changes when a message comes or goes.
_TELLING = ("name", "last_message_id", "message_count", "total_message_sent")
_KEPT = ("id", "type", "parent_id", *_TELLING)

_LET_IN = "Give the bot View Channel and Read Message History there."


class DiscordHistoryConnector(History):
    """Reads one Discord channel, forum or thread."""

    def __init__(
        self,
        settings: DiscordHistorySource,
        resources: Resources,
        *,
        clock: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        channel = DiscordChannel(settings, resources, clock=clock, sleep=sleep)
        super().__init__(settings, resources, channel, clock=clock)


class DiscordError(SourceUnavailable):
    """The API refused a request, told by `status`."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class DiscordChannel:
    """The channel port over the HTTP API."""

    def __init__(
        self, settings: DiscordHistorySource, resources: Resources, *, clock: Clock, sleep: Sleep
    ) -> None:
        self._settings = settings
        self._label = f"Source {settings.name!r}: the Discord channel {settings.location!r}"
        self._api = ChatApi(settings, resources, label=self._label, scheme="Bot", sleep=sleep)
        self._clock = clock
        self._bots = frozenset(settings.bots)
        self._channel: Payload = {}
        self._threads: dict[str, Payload] = {}
        self._me = ""
        self._sighted = False

    async def open(self, remembered: Mapping[str, str]) -> None:
        """Look up the channel and who the bot is. Nothing needs to be remembered."""
        if not _SNOWFLAKE.fullmatch(self._settings.location):
            raise SourceInvalid(
                f"{self._label} is no channel id. Switch on Discord's developer mode and copy the "
                f"channel's id, a number of 17 to 20 digits."
            )
        self._sighted = False
        self._threads = {}
        self._channel = await self._object(f"channels/{self._settings.location}")
        kind = self._channel.get("type")
        if kind not in _TALKED_IN | _THREADS | _FORUMS or not self._channel.get("guild_id"):
            raise SourceInvalid(
                f"{self._label} is no text channel, forum or thread of a server. Give the id of one."
            )
        self._me = str((await self._object("users/@me")).get("id") or "")

    async def items(self, oldest: float) -> AsyncIterator[Head | Message]:
        """Yield lone messages and, with the messages they began with, threads; then all other threads."""
        heads = {head.id: head async for head in self._heads(oldest)}
        if self._channel.get("type") in _TALKED_IN:
            shown = 0
            async for message in self._messages(self._settings.location, oldest):
                shown += 1
                if isinstance(message.get("thread"), dict):
                    if head := heads.pop(str(message["id"]), None):
                        yield replace(head, root=_root_stamp(message))
                elif is_said(message, self._bots):
                    yield self._message(message)
            if not shown and self._channel.get("last_message_id"):
                await self._check_permission()
        for head in heads.values():
            # A thread has the id of the message it began with, so what was not shown is gone.
            unrooted = self._channel.get("type") in _TALKED_IN and _moment(head.id) >= oldest
            yield replace(head, root="") if unrooted else head

    async def talk(self, oldest: float, latest: float) -> AsyncIterator[Message]:
        """Yield the lone messages between two times."""
        if self._channel.get("type") in _TALKED_IN:
            async for message in self._messages(self._settings.location, oldest, latest):
                if is_said(message, self._bots) and not message.get("thread"):
                    yield self._message(message)

    async def thread(self, identity: str) -> Thread | None:
        """Read a thread's messages, and the message of the channel that it began with."""
        thread = await self._thread_object(identity)
        if thread is None:
            return None
        try:
            found = [message async for message in self._messages(identity)]
        except DiscordError as exc:
            if exc.status == 404 and identity != self._settings.location:
                return None
            raise
        root = ""
        if not found:
            await self._check_permission()
        elif found[-1].get("type") == _STARTER:
            starter = await self._starter(found.pop(), identity)
            found += [starter] if starter else []
            root = _root_stamp(starter) if starter else ""
        kept = [self._message(message) for message in reversed(found) if is_said(message, self._bots)]
        head = replace(self._head(thread), root=root)
        return Thread(head=head, messages=tuple(kept), title=tidy(str(thread.get("name") or "")))

    def moment(self, identity: str) -> float | None:
        """Return when a message or thread was made."""
        return _moment(identity) if _SNOWFLAKE.fullmatch(identity) else None

    def link(self, identity: str, *, thread: bool) -> str | None:
        """Return the address of a thread or message in Discord's web client."""
        guild = self._channel.get("guild_id")
        if not guild:
            return None
        place = identity if thread else f"{self._settings.location}/{identity}"
        return f"https://discord.com/channels/{guild}/{place}"

    def learned(self) -> dict[str, str]:
        """Return nothing: names come with the messages."""
        return {}

    # Threads

    async def _heads(self, oldest: float) -> AsyncIterator[Head]:
        """Yield public threads: those that are active, and the archived ones that were active since."""
        if self._channel.get("type") in _THREADS:
            yield self._head(self._channel)
            return
        active = await self._object(f"guilds/{self._channel['guild_id']}/threads/active")
        for thread in self._of_channel(active):
            yield self._head(thread)
        async for page in self._archived(oldest):
            for thread in page:
                yield self._head(thread)

    def _of_channel(self, listed: Payload) -> list[Payload]:
        threads = listed.get("threads")
        if not isinstance(threads, list):
            raise SourceUnavailable(f"{self._label}: Discord answered without its threads. Sync again.")
        ours = [one for one in threads if isinstance(one, dict) and self._is_ours(one)]
        kept: list[Payload] = [{key: one.get(key) for key in _KEPT} for one in ours]
        self._threads.update((str(one["id"]), one) for one in kept)
        return kept

    def _is_ours(self, thread: Payload) -> bool:
        if not _SNOWFLAKE.fullmatch(str(thread.get("id"))):
            return False
        if thread.get("id") == self._settings.location:
            return thread.get("type") in _THREADS
        return thread.get("parent_id") == self._settings.location and thread.get("type") in _PUBLIC_THREADS

    async def _archived(self, oldest: float) -> AsyncIterator[list[Payload]]:
        """Yield pages of threads that were archived since, the last archived first."""
        before = ""
        while True:
            query: dict[str, str | int] = {"limit": _PAGE} | ({"before": before} if before else {})
            path = f"channels/{self._settings.location}/threads/archived/public"
            listed = await self._object(path, query)
            yield self._of_channel(listed)
            if not listed.get("has_more"):
                return
            ends = [_archived_at(one) for one in listed["threads"] if isinstance(one, dict)]
            if not ends or not ends[-1] or ends[-1] == before:
                raise SourceUnavailable(f"{self._label}: Discord lost its place in the threads. Sync again.")
            before = ends[-1]
            if _iso_moment(before) < oldest:
                return

    async def _thread_object(self, identity: str) -> Payload | None:
        thread = self._threads.get(identity)
        if identity == self._settings.location:
            thread = self._channel
        elif thread is None:
            thread = await self._maybe(f"channels/{identity}")
        return thread if thread and self._is_ours(thread) else None

    async def _starter(self, mark: Payload, identity: str) -> Payload | None:
        """Return the message that a thread began with; None when it was deleted."""
        if isinstance(mark.get("referenced_message"), dict):
            return mark["referenced_message"]  # type: ignore[no-any-return]
        if "referenced_message" in mark:
            return None
        parent = self._channel.get("parent_id") if identity == self._settings.location else None
        return await self._maybe(f"channels/{parent or self._settings.location}/messages/{identity}")

    def _head(self, thread: Payload) -> Head:
        identity = str(thread["id"])
        shown = [thread.get(key) for key in _TELLING]
        stamp = hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16]
        newest = str(thread.get("last_message_id") or identity)
        last = _moment(newest) if _SNOWFLAKE.fullmatch(newest) else 0.0
        last = max(last, _moment(identity))
        return Head(id=identity, at=last, last=last, stamp=stamp)

    # Messages

    def _message(self, message: Payload) -> Message:
        at = _moment(str(message["id"]))
        return Message(
            id=str(message["id"]),
            at=at,
            changed=max(at, _iso_moment(message.get("edited_timestamp"))),
            author=author_name(message),
            text=message_text(message),
            asking=addresses(message, self._me),
        )

    async def _messages(
        self, channel: str, oldest: float = 0.0, latest: float | None = None
    ) -> AsyncIterator[Payload]:
        """Yield a channel's or thread's messages between two times, newest first."""
        async for page in self._pages(channel, oldest, latest):
            await self._check_sight(page)
            for message in page:
                yield message

    async def _pages(self, channel: str, oldest: float, latest: float | None) -> AsyncIterator[list[Payload]]:
        before = str(_snowflake(latest) + (1 << 22)) if latest is not None else ""
        while True:
            query: dict[str, str | int] = {"limit": _PAGE} | ({"before": before} if before else {})
            page = await self._get(f"channels/{channel}/messages", query)
            if not isinstance(page, list):
                raise SourceUnavailable(f"{self._label}: Discord answered without messages. Sync again.")
            messages = [
                one for one in page if isinstance(one, dict) and _SNOWFLAKE.fullmatch(str(one.get("id")))
            ]
            messages.sort(key=lambda message: int(message["id"]), reverse=True)
            yield [message for message in messages if _moment(message["id"]) >= oldest]
            if len(page) < _PAGE or not messages or _moment(messages[-1]["id"]) < oldest:
                return
            if messages[-1]["id"] == before:
                raise SourceUnavailable(f"{self._label}: Discord lost its place. Sync again.")
            before = messages[-1]["id"]

    # What Discord does not show to a bot that may not see it

    async def _check_sight(self, messages: list[Payload]) -> None:
        """Raise `SourceUnavailable` when messages are empty because the bot may not read their text."""
        bare = any(is_bare(message) for message in messages if is_said(message, self._bots))
        if self._sighted or not bare:
            return
        flags = (await self._object("applications/@me")).get("flags")
        if isinstance(flags, int) and not flags & MESSAGE_CONTENT_FLAGS:
            raise SourceUnavailable(
                f"{self._label} cannot be read: Discord hides the messages' text from the bot. Switch on "
                f"Message Content Intent on its page in Discord's developer portal, under Bot."
            )
        self._sighted = True

    async def _check_permission(self) -> None:
        """Raise `SourceUnavailable` when nothing is shown because the bot may not read the history."""
        guild = str(self._channel["guild_id"])
        roles = await self._get(f"guilds/{guild}/roles")
        member = await self._object(f"guilds/{guild}/members/{self._me}")
        channel = self._channel
        if channel.get("type") in _THREADS:
            channel = await self._object(f"channels/{channel.get('parent_id')}")
        known = [role for role in roles if isinstance(role, dict)] if isinstance(roles, list) else []
        if not may_read_history(member, known, channel):
            raise SourceUnavailable(
                f"{self._label} cannot be read: Discord hides its history from the bot. {_LET_IN}"
            )

    # Requests

    async def _maybe(self, path: str) -> Payload | None:
        """Return an object, or None when there is none or it is none of what the bot sees."""
        try:
            return await self._object(path)
        except DiscordError as exc:
            if exc.status in {403, 404}:
                return None
            raise

    async def _object(self, path: str, query: Mapping[str, str | int] | None = None) -> Payload:
        body = await self._get(path, query)
        if not isinstance(body, dict):
            raise SourceUnavailable(f"{self._label}: Discord answered {path!r} otherwise than it should.")
        return body

    async def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> object:
        answer = await self._api.get(path, query)
        if answer.status == 200:
            return answer.body
        remedy = self._remedy(path, answer.status)
        raise DiscordError(f"{self._label} cannot be read: {remedy}", answer.status)

    def _remedy(self, path: str, status: int) -> str:
        if status == 401:
            return (
                f"the token is not valid. Put a valid bot token in the environment variable "
                f"{self._settings.token_env!r}."
            )
        if status == 403:
            return f"the bot may not see it. {_LET_IN}"
        if status == 404:
            return "there is no such channel, or the bot is not on its server. Correct the id, or invite it."
        return f"Discord answered {path!r} with status {status}. It is tried again with the next sync."


def _moment(snowflake: str) -> float:
    return (int(snowflake) >> 22) / 1000 + _EPOCH


def _snowflake(moment: float) -> int:
    return max(int((moment - _EPOCH) * 1000), 0) << 22


def _root_stamp(message: Payload) -> str:
    shown = [message.get("content"), message.get("edited_timestamp")]
    return hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16]


def _archived_at(thread: Payload) -> str:
    metadata = thread.get("thread_metadata")
    return str(metadata.get("archive_timestamp") or "") if isinstance(metadata, dict) else ""


def _iso_moment(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
