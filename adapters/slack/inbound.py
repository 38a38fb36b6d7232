"""What comes in from Slack: a question is kept in the inbox before Slack hears that it arrived.

This runs in front of Bolt's authorization, which acknowledges, and so loses, an event when the look at its
token fails. What is no question goes on to Bolt's listeners.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack.events import to_incoming, workspace_of
from adapters.slack.interactions import ASK_ABOUT, command_incoming, shortcut_incoming
from bot.errors import SurfaceError
from bot.texts import texts
from kb.errors import StoreError

if TYPE_CHECKING:
    from adapters.slack.access import Access
    from adapters.slack.settings import SlackSettings
    from adapters.slack.workspaces import Workspaces
    from bot.channels import ChannelRules
    from bot.chat import Incoming
    from bot.desk import Desk

_MESSAGES = frozenset({"message", "app_mention"})

log = logging.getLogger(__name__)

Next = Callable[[], Awaitable[BoltResponse]]


class Inbound:
    """Takes in the questions of all workspaces."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        desk: Desk,
        workspaces: Workspaces,
        access: Access,
        rules: ChannelRules,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._workspaces = workspaces
        self._access = access
        self._rules = rules

    async def middleware(self, request: AsyncBoltRequest, next_: Next) -> BoltResponse:
        """Take in a question and answer Slack; hand everything else on."""
        body: Mapping[str, Any] = request.body
        if (body.get("event") or {}).get("type") in _MESSAGES:
            return await self._event(body)
        if body.get("command") == self._settings.ask_command:
            return await self._command(body)
        if body.get("type") == "message_action" and body.get("callback_id") == ASK_ABOUT:
            return await self._shortcut(body)
        return await next_()

    async def _event(self, body: Mapping[str, Any]) -> BoltResponse:
        try:
            bot_user = await self._bot_user(body)
        except SurfaceError as exc:
            log.warning("slack event not taken in reason=%s", exc)
            return _refused()
        incoming = to_incoming(body, bot_user=bot_user)
        if incoming is None:
            return _taken()
        if incoming.place.shared and not self._settings.shared_channels:
            log.debug("slack event of a shared channel left alone channel=%s", incoming.place.channel)
            return _taken()
        return await self._keep(await self._spoken(incoming))

    async def _command(self, body: Mapping[str, Any]) -> BoltResponse:
        incoming = await self._placed(command_incoming(body))
        words = texts(self._rules.of(incoming.place).language)
        if not incoming.text:
            return _taken(words.no_question)
        # Slack lets nobody change this line or take it away again: it has to stay true.
        return await self._keep(incoming, said=words.answer_follows)

    async def _shortcut(self, body: Mapping[str, Any]) -> BoltResponse:
        try:
            bot_user = await self._bot_user(body)
        except SurfaceError as exc:
            log.warning("slack shortcut not taken in reason=%s", exc)
            return _refused()
        incoming = shortcut_incoming(body, bot_user=bot_user)
        return await self._keep(await self._placed(incoming)) if incoming.text else _taken()

    async def _placed(self, incoming: Incoming) -> Incoming:
        """Return what was asked with its place settled: neither commands nor shortcuts tell it."""
        place = await self._access.guarded(incoming.place)
        return await self._spoken(replace(incoming, place=place))

    async def _spoken(self, incoming: Incoming) -> Incoming:
        """Return what one person alone reads the answer to with the language that they have set."""
        if not incoming.private and incoming.place.kind != "direct":
            return incoming
        language = await self._access.language(incoming.place.workspace, incoming.person)
        return replace(incoming, place=replace(incoming.place, language=language))

    async def _keep(self, incoming: Incoming, *, said: str = "") -> BoltResponse:
        try:
            new = await self._desk.receive(incoming)
        except StoreError as exc:
            # Not acknowledged: Slack delivers an event again, and tells the person who typed a command.
            log.warning("slack event not kept key=%s reason=%s", incoming.key, exc)
            return _refused()
        if not new:
            log.debug("slack event is known key=%s", incoming.key)
        return _taken(said)

    async def _bot_user(self, body: Mapping[str, Any]) -> str:
        """Return the user that the bot is in this workspace."""
        for installed in body.get("authorizations") or ():
            if installed.get("is_bot") and installed.get("user_id"):
                return str(installed["user_id"])
        return (await self._workspaces.api(workspace_of(body))).bot_user


def _taken(said: str = "") -> BoltResponse:
    if not said:
        return BoltResponse(status=200, body="")
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": said})


def _refused() -> BoltResponse:
    return BoltResponse(status=503, body="")
