"""Answers that not everybody sees: for the asker alone, and drafts for those who review them."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from adapters.slack import posting
from adapters.slack.client import CallRefused, retry_after
from adapters.slack.pace import Limited, Pace
from adapters.slack.render import answer_messages
from bot.chat import Posted
from bot.errors import SurfaceBusy, SurfaceGone
from bot.texts import texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.slack.client import Api
    from adapters.slack.render import Message
    from bot.chat import Incoming, Outcome

_RESPONSE_HOST = "hooks.slack.com"
_RESPONSES = 5  # so often a response_url takes something
_PATIENCE = 10.0
_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
# The person cannot be told in that channel: they get a direct message.
_ELSEWHERE = frozenset(
    {"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived", "messages_tab_disabled"}
)

log = logging.getLogger(__name__)


class Whisper:
    """Says things that one person alone sees."""

    def __init__(self, session: aiohttp.ClientSession, *, api_url: str) -> None:
        self._session = session
        self._origin = urlsplit(api_url)[:2]
        self._pace = Pace()

    async def respond(self, url: str, message: Message, *, replace: bool = False) -> bool:
        """Answer an interaction at its response_url; False when that takes nothing any more.

        Raise `SurfaceBusy` when Slack cannot take it now.
        """
        if not self._trusted(url):
            return False
        body = {
            "response_type": "ephemeral",
            "replace_original": replace,
            "text": message.text,
            "blocks": list(message.blocks),
        }
        key = f"response_url:{hash(url) & 0xFFFFFFFF:08x}"  # who knows the address may write there
        return await self._pace.run(key, lambda: self._respond(url, body), patience=_PATIENCE, free=0)

    async def _respond(self, url: str, body: Mapping[str, object]) -> bool:
        try:
            async with self._session.post(url, json=body, allow_redirects=False) as reply:
                status, headers = reply.status, reply.headers
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise SurfaceBusy(f"Slack gave no reply to a response ({type(exc).__name__}).") from exc
        if status == _TOO_MANY:
            raise Limited(retry_after(headers))
        if status >= _SERVER_ERROR:
            raise SurfaceBusy(f"Slack takes no response now (HTTP {status}).")
        return status == _OK

    def _trusted(self, url: str) -> bool:
        """Tell whether an address is Slack's: what a person may see goes there."""
        parts = urlsplit(url)
        return parts[:2] == self._origin or (parts.scheme == "https" and parts.hostname == _RESPONSE_HOST)

    async def say(
        self,
        api: Api,
        channel: str,
        thread: str,
        user: str,
        messages: Sequence[Message],
        *,
        subject: str = "",
    ) -> Posted:
        """Post for one person's eyes in a channel, or as a direct message where that is impossible."""
        if not channel:
            return await self.direct(api, user, messages, subject=subject)
        for number, message in enumerate(messages):
            try:
                await api.call(
                    "chat.postEphemeral",
                    channel=channel,
                    user=user,
                    thread_ts=thread or None,
                    text=message.text,
                    blocks=list(message.blocks) or None,
                )
            except CallRefused as exc:
                if exc.code not in _ELSEWHERE:
                    raise
                return await self.direct(api, user, messages[number:], subject=subject)
        return Posted(channel=channel, messages=(), thread=thread)

    async def direct(self, api: Api, user: str, messages: Sequence[Message], *, subject: str = "") -> Posted:
        """Post as direct messages; what an earlier try has posted under the same subject stays as it is."""
        channel = await direct_channel(api, user)
        known = await posting.find(api, channel, "", subject=subject) if subject else {}
        subject = subject or f"aside:{uuid.uuid4().hex}"
        stands = [
            known.get(part) or await posting.post(api, channel, "", message, subject=subject, part=part)
            for part, message in enumerate(messages)
        ]
        return posting.posted(api, channel, stands)


class PrivateReply:
    """A reply that its asker alone sees in a channel; it comes whole.

    Slack tells nobody what one person alone was shown, and what answers a command replaces nothing: after a
    crash between showing and noting it, the reply is shown once more.
    """

    def __init__(self, incoming: Incoming, *, api: Api, whisper: Whisper) -> None:
        self._incoming = incoming
        self._api = api
        self._whisper = whisper

    async def show(self, text: str) -> None:
        """See `Reply.show`; Slack cannot change what one person alone sees."""

    async def finish(self, outcome: Outcome) -> Posted:
        """See `Reply.finish`."""
        place, left = self._incoming.place, list(answer_messages(outcome, texts(outcome.language)))
        if url := self._incoming.reply_to.get("response_url", ""):
            for message in left[:_RESPONSES]:
                if not await self._whisper.respond(url, message):
                    break
                left.remove(message)
        if not left:
            return Posted(channel=place.channel, messages=(), thread=place.thread)
        # A thread that nobody has replied in shows no such message.
        thread = "" if self._incoming.root else place.thread
        subject = f"{self._incoming.subject}:aside"
        return await self._whisper.say(
            self._api, place.channel, thread, self._incoming.person, left, subject=subject
        )

    async def withdraw(self) -> None:
        """See `Reply.withdraw`; nothing was shown."""


class DraftReply:
    """A reply that waits for one of its reviewers, who each get it as a direct message."""

    def __init__(
        self, incoming: Incoming, *, api: Api, reviewers: Sequence[str], before: Posted | None = None
    ) -> None:
        self._incoming = incoming
        self._api = api
        self._reviewers = reviewers
        self._before = before

    async def show(self, text: str) -> None:
        """See `Reply.show`; reviewers see it whole."""

    async def finish(self, outcome: Outcome) -> Posted:
        """See `Reply.finish`; it is done when at least one reviewer has the draft."""
        messages = answer_messages(outcome, texts(outcome.language))
        if self._before is not None:
            # First: what stands under the same name must not be taken for what is posted now.
            await posting.remove(self._api, self._before)
        stands: list[str] = []
        failure: SurfaceGone | None = None
        for user in self._reviewers:
            try:
                stands += await self._hand(user, messages)
            except SurfaceGone as exc:
                failure = exc
                log.warning("slack draft not handed to reviewer=%s reason=%s", user, exc)
        if not stands:
            raise failure or SurfaceGone(
                f"Channel {self._incoming.place.channel!r} has no reviewers. "
                'Name some in its [[channels]] block: reviewers = ["U…"]'
            )
        return Posted(channel=self._incoming.place.channel, messages=tuple(stands))

    async def withdraw(self) -> None:
        """See `Reply.withdraw`; nothing was shown."""

    async def _hand(self, user: str, messages: Sequence[Message]) -> list[str]:
        channel = await direct_channel(self._api, user)
        subject = draft_subject(self._incoming)
        return [
            posting.at(
                self._api,
                channel,
                await posting.post(
                    self._api, channel, "", message, subject=subject, part=part, since=self._incoming.message
                ),
            )
            for part, message in enumerate(messages)
        ]


def draft_subject(incoming: Incoming) -> str:
    """Return the name under which a draft stands with its reviewers."""
    return f"{incoming.subject}:draft"


async def direct_channel(api: Api, user: str) -> str:
    """Return the channel of direct messages with a person."""
    told = await api.call("conversations.open", users=user)
    return str((told.get("channel") or {}).get("id", ""))
