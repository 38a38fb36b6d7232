"""One answer as it appears in a Slack thread: it streams while it is written, and ends whole.

A short answer is one post. One that takes longer is streamed: begun with its first piece, continued at most
once a second, and ended with its citations and buttons. Whatever stream fails, whose starts are used up, or
that Slack has ended goes on by `chat.update`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.slack import posting
from adapters.slack.blocks import markdown
from adapters.slack.client import CallRefused, CallUncertain
from adapters.slack.render import PIECE, Message, answer_messages, stream_text
from bot.chat import Posted
from bot.errors import SurfaceError
from bot.texts import texts
from kb.errors import StoreError

if TYPE_CHECKING:
    from adapters.slack.client import Api
    from adapters.slack.open_streams import OpenStreams
    from adapters.slack.pace import Ration
    from bot.chat import Incoming, Outcome

FIRST_PIECE_SECONDS = 0.25  # an answer that is whole by then needs no stream
PIECE_SECONDS = 1.0
_SHORT_PATIENCE = 5.0
_FALLBACK = 3_000  # characters of the text that notifications show; an update takes 4,000
# The stream is over: Slack ended it after 5 minutes, or the reader stopped it.
_ENDED = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
_STREAMING = "streaming_state_conflict"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rations:
    """What a workspace may do with streams in a minute; Slack's limits, a little below."""

    starts: Ration
    appends: Ration
    updates: Ration


class StreamedReply:
    """A reply that all people of its place see."""

    def __init__(
        self,
        incoming: Incoming,
        *,
        api: Api,
        streams: OpenStreams,
        rations: Rations,
        before: Posted | None = None,
        begun: str = "",
    ) -> None:
        self._incoming = incoming
        self._api = api
        self._streams = streams
        self._rations = rations
        self._before = before
        self._ts = begun  # the message that shows the beginning
        self._open = bool(begun)  # whether Slack may still hold its stream open
        self._shown = ""
        self._text = ""
        self._lost = False  # a stream may have begun without our knowing its message
        self._more = asyncio.Event()
        self._ending = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    @property
    def _channel(self) -> str:
        return self._incoming.place.channel

    @property
    def _thread(self) -> str:
        return self._incoming.place.thread

    async def show(self, text: str) -> None:
        """See `Reply.show`."""
        self._text = stream_text(text)
        self._more.set()
        streams = self._before is None and not self._ts and self._thread
        if self._showing is None and streams:
            self._showing = asyncio.create_task(self._keep_showing())

    async def finish(self, outcome: Outcome) -> Posted:
        """See `Reply.finish`."""
        await self._settle()
        messages = answer_messages(outcome, texts(outcome.language))
        if self._lost and not self._ts:
            self._ts = await self._lost_message()
        if not self._ts:
            return await self._post(messages)
        if not await self._end(outcome, messages):
            await self._rest(messages[0])
        stands = [self._ts]
        if len(messages) > 1:
            stands += await self._add(messages)
        await self._streams.end(self._incoming.subject)
        return posting.posted(self._api, self._channel, stands, thread=self._thread)

    async def withdraw(self) -> None:
        """See `Reply.withdraw`."""
        await self._settle()
        if self._ts:
            await posting.remove(self._api, posting.posted(self._api, self._channel, [self._ts]))
            await self._streams.end(self._incoming.subject)

    async def _settle(self) -> None:
        """Let the showing come to its end: a call that is on its way must not be cut off."""
        self._ending.set()
        self._more.set()
        if self._showing is not None:
            # Not awaited itself: who is cancelled here must not cancel the call that is on its way.
            await asyncio.wait({self._showing})

    async def _keep_showing(self) -> None:
        try:
            if await self._ended_within(FIRST_PIECE_SECONDS) or not self._rations.starts.take():
                return
            await self._start()
            while not await self._ended_within(PIECE_SECONDS):
                await self._go_on()
                await self._more.wait()
        except (SurfaceError, StoreError) as exc:
            log.info("slack stream given up subject=%s reason=%s", self._incoming.subject, exc)

    async def _ended_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._ending.wait()
        except TimeoutError:
            return False

    async def _start(self) -> None:
        piece = self._text[:PIECE]
        if not piece:
            return
        try:
            told = await self._api.call(
                "chat.startStream",
                channel=self._channel,
                thread_ts=self._thread,
                markdown_text=piece,
                recipient_team_id=self._incoming.reply_to.get("recipient_team", self._api.team),
                recipient_user_id=self._incoming.person,
                patience=_SHORT_PATIENCE,
            )
        except CallUncertain:
            self._lost = True
            raise
        self._ts, self._shown, self._open = str(told.get("ts", "")), piece, True
        await self._streams.begin(self._incoming.subject, self._channel, self._ts)

    async def _go_on(self) -> None:
        """Show what was written since, in the stream or, when that is over, in its message."""
        self._more.clear()
        text = self._text[:PIECE]
        if not self._ts:
            await self._start()
        elif text == self._shown:
            return
        elif self._open and text.startswith(self._shown):
            await self._append(text)
        elif not self._open and self._rations.updates.take():
            message = Message(blocks=(markdown(text),), text=text[:_FALLBACK])
            await posting.update(
                self._api, self._channel, self._ts, message, subject=self._incoming.subject, final=False
            )
            self._shown = text

    async def _append(self, text: str) -> None:
        if not self._rations.appends.take():
            return
        piece, self._shown = text.removeprefix(self._shown), ""  # unknown while the call is on its way
        shown = text.removesuffix(piece)
        try:
            await self._api.call(
                "chat.appendStream",
                channel=self._channel,
                ts=self._ts,
                markdown_text=piece,
                patience=_SHORT_PATIENCE,
            )
        except CallRefused as exc:
            self._shown = shown
            if exc.code not in _ENDED:
                raise
            self._open = False
            self._more.set()
            return
        self._shown = text

    async def _post(self, messages: tuple[Message, ...]) -> Posted:
        """Post the whole reply, or put it in the place of the one before."""
        subject = self._incoming.subject
        if self._before is not None:
            return await posting.revise(
                self._api, self._before, messages, thread=self._before.thread, subject=subject
            )
        since = self._incoming.message
        stands = [
            await posting.post(
                self._api, self._channel, self._thread, message, subject=subject, part=part, since=since
            )
            for part, message in enumerate(messages)
        ]
        return posting.posted(self._api, self._channel, stands, thread=self._thread)

    async def _end(self, outcome: Outcome, messages: tuple[Message, ...]) -> bool:
        """End the stream; True when the message is whole with that."""
        if not self._open:
            return False
        whole = str(messages[0].blocks[0].get("text", ""))
        fits = len(messages) == 1 and bool(self._shown) and whole.startswith(self._shown)
        rest = whole.removeprefix(self._shown) if fits else ""
        try:
            await self._api.call(
                "chat.stopStream",
                channel=self._channel,
                ts=self._ts,
                markdown_text=rest or None,
                blocks=(list(messages[0].blocks[1:]) or None) if fits else None,
                metadata=posting.label(self._incoming.subject) if fits else None,
                patience=_SHORT_PATIENCE,
            )
        except CallRefused as exc:
            log.info("slack stream not ended subject=%s reason=%s", self._incoming.subject, exc.code)
            self._open = exc.code not in _ENDED | posting.GONE
            return False
        except SurfaceError:
            return False  # it may have ended or not: the update tells
        self._open = False
        return fits

    async def _rest(self, message: Message) -> None:
        """Put the whole message in the place of the stream's."""
        subject = self._incoming.subject
        try:
            await posting.update(self._api, self._channel, self._ts, message, subject=subject)
        except CallRefused as exc:
            if exc.code == _STREAMING:
                await self._stop()
                await posting.update(self._api, self._channel, self._ts, message, subject=subject)
            elif exc.code in posting.FIXED:
                await posting.remove(self._api, posting.posted(self._api, self._channel, [self._ts]))
                since = self._incoming.message
                self._ts = await posting.post(
                    self._api, self._channel, self._thread, message, subject=subject, since=since
                )
            else:
                raise

    async def _stop(self) -> None:
        """End the stream with nothing more in it."""
        try:
            await self._api.call(
                "chat.stopStream",
                channel=self._channel,
                ts=self._ts,
            )
        except (CallUncertain, CallRefused) as exc:
            log.info("slack stream not ended subject=%s reason=%s", self._incoming.subject, exc)

    async def _add(self, messages: tuple[Message, ...]) -> list[str]:
        """Post the messages after the first."""
        return [
            await posting.post(
                self._api,
                self._channel,
                self._thread,
                message,
                subject=self._incoming.subject,
                part=part,
                since=self._incoming.message,
            )
            for part, message in enumerate(messages[1:], start=1)
        ]

    async def _lost_message(self) -> str:
        """Return the message of a stream whose start had no reply: ours, unlabelled, and nobody else's."""
        known = await self._streams.known(self._channel)
        thread = await posting.history(
            self._api, self._channel, self._thread, since=self._incoming.message or self._thread
        )
        ours = [
            str(message["ts"])
            for message in thread
            if (message.get("user") == self._api.bot_user or message.get("bot_id") == self._api.bot_id)
            and not message.get("metadata")
            and str(message["ts"]) not in known
        ]
        self._open = len(ours) == 1
        return ours[0] if self._open else ""
