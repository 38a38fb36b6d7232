"""Where a reply stands on Discord: a channel or thread, direct messages, or the answer to an interaction.

A stage puts the parts of a reply where they belong and knows their ids, so that they can be replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from adapters.discord.api import (
    ACKNOWLEDGED_WITHIN,
    COMPONENTS_V2,
    DiscordApi,
    Payload,
    PayloadRefused,
    TokenExpired,
    nonce,
)
from bot.chat import Posted
from bot.errors import SurfaceError, SurfaceGone

log = logging.getLogger(__name__)


class Stage(Protocol):
    """Holds the messages of one reply, in order."""

    async def put(self, part: int, payload: Payload) -> None:
        """Show a part: in place of what it showed, or as a new message behind the others."""
        ...

    async def cut(self, parts: int) -> None:
        """Take away all but the first parts."""
        ...

    async def settle(self) -> Posted:
        """Return where the reply stands, when all of it is shown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The message at which a thread is opened for the reply, and the thread's name."""

    message: str
    name: str


class ChannelStage:
    """Messages in a channel or thread.

    With `opening`, a thread is made at that message first; where none may be made, the reply stands in the
    channel. `reference` is the message it replies to. `seed` tells this reply from all others. `messages` are
    those that stand there already; `named` is a thread that hangs at them.
    """

    def __init__(
        self,
        api: DiscordApi,
        *,
        seed: str,
        channel: str,
        thread: str = "",
        opening: Opening | None = None,
        reference: str = "",
        messages: tuple[str, ...] = (),
        named: str = "",
    ) -> None:
        self._api = api
        self._seed = seed
        self._channel = channel
        self._thread = thread
        self._named = named
        self._opening = opening
        self._reference = reference
        self._messages = list(messages)

    async def put(self, part: int, payload: Payload) -> None:
        """Edit the part's message, or post it."""
        if part < len(self._messages):
            await self._api.edit(self._target, self._messages[part], whole(payload))
            return
        await self._open()
        if part == 0 and self._reference:
            payload = {**payload, "message_reference": _reply(self._target, self._reference)}
        message = await self._api.post(self._target, payload, nonce=nonce(self._seed, part))
        self._messages.append(str(message["id"]))

    async def cut(self, parts: int) -> None:
        """Delete the messages behind the first ones."""
        while len(self._messages) > parts:
            await self._api.delete(self._target, self._messages.pop())

    async def settle(self) -> Posted:
        """Return the channel, the thread in it and the messages."""
        thread = self._thread or self._named
        return Posted(channel=self._channel, thread=thread, messages=tuple(self._messages))

    @property
    def _target(self) -> str:
        return self._thread or self._channel

    async def _open(self) -> None:
        """Open the thread once; where that is not allowed, reply in the channel instead."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        try:
            self._thread = await self._api.thread(self._channel, opening.message, opening.name)
        except SurfaceGone as exc:
            log.info("discord thread not opened, replying in the channel: %s", exc)
            self._reference = opening.message


class DirectStage:
    """Direct messages with a person; the channel of them is opened when something is said."""

    def __init__(self, api: DiscordApi, *, seed: str, person: str) -> None:
        self._api = api
        self._seed = seed
        self._person = person
        self._stage: ChannelStage | None = None

    async def put(self, part: int, payload: Payload) -> None:
        """Open the direct messages if need be and show the part there."""
        if self._stage is None:
            channel = await self._api.direct(self._person)
            self._stage = ChannelStage(self._api, seed=self._seed, channel=channel)
        await self._stage.put(part, payload)

    async def cut(self, parts: int) -> None:
        """Delete the messages behind the first ones."""
        if self._stage is not None:
            await self._stage.cut(parts)

    async def settle(self) -> Posted:
        """Return the direct messages."""
        return await self._stage.settle() if self._stage else Posted(channel="", messages=())


class FirstOf:
    """A stage, and another one for when nothing can be shown on the first, because it is gone."""

    def __init__(self, first: Stage, other: Callable[[], Awaitable[Stage]]) -> None:
        self._stage = first
        self._other: Callable[[], Awaitable[Stage]] | None = other

    async def put(self, part: int, payload: Payload) -> None:
        """Show the part on the first stage if it can be had."""
        try:
            await self._stage.put(part, payload)
        except PayloadRefused:
            raise
        except SurfaceGone as exc:
            if self._other is None or part:
                raise
            log.info("discord reply moved to another place: %s", exc)
            other, self._other = self._other, None
            self._stage = await other()
            await self._stage.put(part, payload)

    async def cut(self, parts: int) -> None:
        """Take away all but the first parts."""
        await self._stage.cut(parts)

    async def settle(self) -> Posted:
        """Return where the reply stands."""
        return await self._stage.settle()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What answers an interaction, for 15 minutes. `ephemeral` answers are seen by the asker alone."""

    application: str
    token: str
    ephemeral: bool


class AnswerStage:
    """The answer to an interaction, which is awaited as "thinking".

    `deferred` is set when Discord knows that an answer will come: nothing can be shown earlier. Once the
    token is over, a public answer is edited as any message of the bot, and a part that was not shown yet
    raises `TokenExpired`. With `thread_name`, a thread for follow-ups is opened at the answer.

    Further parts of a public answer are replies to its first: Discord drops the double of a message in a
    channel, by the nonce that `seed` gives, and not that of an interaction's further message. Where the bot
    may not write, they are the latter.
    """

    def __init__(
        self,
        api: DiscordApi,
        token: Token,
        *,
        seed: str,
        channel: str,
        deferred: asyncio.Event | None = None,
        thread_name: str = "",
    ) -> None:
        self._api = api
        self._token = token
        self._seed = seed
        self._channel = channel
        self._deferred = deferred
        self._thread_name = thread_name
        self._over = False
        self._messages: list[str] = []
        self._beside: set[str] = set()  # those which are messages of the channel

    async def put(self, part: int, payload: Payload) -> None:
        """Edit the answer, or add a message to it."""
        await self._wait()
        if part and part >= len(self._messages):
            self._messages.append(await self._add(part, payload))
        else:
            await self._edit(part, whole(payload))

    async def cut(self, parts: int) -> None:
        """Delete the messages behind the first ones."""
        if not parts and not self._messages:
            await self._api.delete_answer(self._token.application, self._token.token)
        while len(self._messages) > parts:
            await self._delete(self._messages.pop())

    async def settle(self) -> Posted:
        """Open the thread for follow-ups if there is to be one; return the messages."""
        thread = ""
        if self._thread_name and self._messages:
            try:
                thread = await self._api.thread(self._channel, self._messages[0], self._thread_name)
            except SurfaceError as exc:
                log.info("discord thread not opened, follow-ups are replies: %s", exc)
        return Posted(channel=self._channel, thread=thread, messages=tuple(self._messages))

    async def _add(self, part: int, payload: Payload) -> str:
        """Show one more message and return its id."""
        if not self._token.ephemeral:
            reference = _reply(self._channel, self._messages[0])
            try:
                message = await self._api.post(
                    self._channel,
                    {**payload, "message_reference": reference},
                    nonce=nonce(self._seed, part),
                )
            except PayloadRefused:
                raise
            except SurfaceGone as exc:
                log.info("discord answer goes on as messages of its interaction: %s", exc)
            else:
                self._beside.add(str(message["id"]))
                return str(message["id"])
        message = await self._api.add_answer(
            self._token.application, self._token.token, payload, ephemeral=self._token.ephemeral
        )
        return str(message["id"])

    async def _wait(self) -> None:
        if self._deferred is not None:
            try:
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN):
                    await self._deferred.wait()
            except TimeoutError:
                log.warning("discord interaction was not acknowledged in time")
            self._deferred = None

    async def _edit(self, part: int, payload: Payload) -> None:
        known = self._messages[part] if part < len(self._messages) else ""
        if not self._over and known not in self._beside:
            try:
                message = await self._api.edit_answer(
                    self._token.application, self._token.token, payload, message=known or "@original"
                )
            except TokenExpired:
                if not known or self._token.ephemeral:
                    raise
                self._over = True
            else:
                if not known:
                    self._messages.append(str(message["id"]))
                return
        await self._api.edit(self._channel, known, payload)

    async def _delete(self, message: str) -> None:
        if self._over or message in self._beside:
            await self._api.delete(self._channel, message)
        else:
            await self._api.delete_answer(self._token.application, self._token.token, message=message)


def _reply(channel: str, message: str) -> Payload:
    return {"message_id": message, "channel_id": channel, "fail_if_not_exists": False}


def whole(payload: Payload) -> Payload:
    """Return an edit that leaves nothing of what the message showed before."""
    if payload.get("flags", 0) & COMPONENTS_V2:
        return {"content": None, "embeds": [], **payload}
    return payload
