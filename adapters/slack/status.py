"""The first sign that an answer is being made, and the button that stops it. Nothing here raises."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.slack.client import CallRefused
from adapters.slack.pace import Ration
from bot.errors import SurfaceError
from bot.texts import texts

if TYPE_CHECKING:
    from adapters.slack.client import Api
    from adapters.slack.workspaces import Workspaces
    from bot.chat import Incoming, Place

STOPPABLE_AFTER_SECONDS = 1.5  # what is faster needs no stop button
_SESSIONS_A_MINUTE = 20  # each is set twice, and Slack takes 50 calls
_MOST_LOADING = 10

log = logging.getLogger(__name__)


class Status:
    """Shows that a question was seen, and for a longer answer Slack's own stop button."""

    def __init__(self, workspaces: Workspaces, language: Callable[[Place], str]) -> None:
        self._workspaces = workspaces
        self._language = language
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._processing: set[str] = set()
        self._ration = Ration(_SESSIONS_A_MINUTE)
        self._without_sessions: set[str] = set()
        self._last: set[asyncio.Task[None]] = set()

    async def begin(self, incoming: Incoming) -> None:
        """Show the status with its loading words; raise nothing."""
        place = incoming.place
        if not place.thread:
            return
        words = texts(self._language(place))
        try:
            api = await self._workspaces.api(place.workspace)
            await api.call(
                "assistant.threads.setStatus",
                channel_id=place.channel,
                thread_ts=place.thread,
                status=words.working,
                loading_messages=list(words.loading[:_MOST_LOADING]) or None,
                patience=0,
            )
        except SurfaceError as exc:
            log.info("slack status not shown place=%s reason=%s", place.conversation, exc)
            return
        if place.workspace not in self._without_sessions and incoming.subject not in self._pending:
            self._pending[incoming.subject] = asyncio.create_task(self._stoppable(incoming, api))

    def end(self, incoming: Incoming, *, replied: bool) -> None:
        """Take the signs away. Slack takes the status away itself when there is a reply."""
        pending = self._pending.pop(incoming.subject, None)
        if pending is not None or not replied:
            task = asyncio.create_task(self._end(incoming, pending, replied=replied))
            self._last.add(task)
            task.add_done_callback(self._last.discard)

    async def calm(self, place: Place) -> None:
        """Take the stop button of a conversation away in which nothing is under way."""
        try:
            api = await self._workspaces.api(place.workspace)
        except SurfaceError as exc:
            log.info("slack session not set place=%s reason=%s", place.conversation, exc)
            return
        await self._session(api, place, "active")

    async def close(self) -> None:
        """End what is under way."""
        for task in self._pending.values():
            task.cancel()
        await asyncio.gather(*self._pending.values(), *self._last, return_exceptions=True)
        self._pending.clear()

    async def _stoppable(self, incoming: Incoming, api: Api) -> None:
        await asyncio.sleep(STOPPABLE_AFTER_SECONDS)
        if self._ration.take() and await self._session(api, incoming.place, "processing"):
            self._processing.add(incoming.subject)

    async def _end(self, incoming: Incoming, pending: asyncio.Task[None] | None, *, replied: bool) -> None:
        try:
            api = await self._workspaces.api(incoming.place.workspace)
            if pending is not None and not pending.done() and incoming.subject not in self._processing:
                pending.cancel()
            if pending is not None:
                await asyncio.wait({pending})
            if incoming.subject in self._processing:
                self._processing.discard(incoming.subject)
                await self._session(api, incoming.place, "active")
            if not replied and incoming.place.thread:
                await api.call(
                    "assistant.threads.setStatus",
                    channel_id=incoming.place.channel,
                    thread_ts=incoming.place.thread,
                    status="",
                    patience=0,
                )
        except SurfaceError as exc:
            log.info("slack status not cleared place=%s reason=%s", incoming.place.conversation, exc)

    async def _session(self, api: Api, place: Place, status: str) -> bool:
        """Set the state of a conversation's session; the stop button shows while it is processing."""
        try:
            await api.call(
                "agents.sessions.setStatus",
                channel_id=place.channel,
                thread_ts=place.thread,
                status=status,
                patience=5,
            )
        except CallRefused as exc:
            log.info("slack sessions are not to be had workspace=%s reason=%s", place.workspace, exc)
            self._without_sessions.add(place.workspace)
            return False
        except SurfaceError as exc:
            log.info("slack session not set place=%s reason=%s", place.conversation, exc)
            return False
        return True
