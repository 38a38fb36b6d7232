"""A Slack channel's history by the Web API.

Bots' messages, joins and the like are left out, and so is a question to our own bot that nobody else took up.
Requests: one a page of 200 messages, one a thread that changed, one a person and week for the name.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from kb.connectors.base import Resources
from kb.connectors.history import DAY, Clock, History
from kb.connectors.history_api import ChatApi, Sleep
from kb.connectors.history_channel import Head, Message, Thread
from kb.connectors.history_slack_text import addresses, is_said, message_text, people_of
from kb.errors import SourceInvalid, SourceUnavailable
from kb.sources import SlackHistorySource

log = logging.getLogger(__name__)

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,40}")
_TS = re.compile(r"\d{9,11}\.\d{6}")
_PAGE = 200
_TEAM = "team"
_PERSON = "person:"
_NAME_SECONDS = 7 * DAY

_INVITE = "Invite the bot in the channel: /invite @its-name."
_REPLACE = "Put a valid bot token (xoxb-…) in the environment variable {variable!r}."
_REMEDIES = {
    "not_in_channel": f"the bot is not in it. {_INVITE}",
    "channel_not_found": f"the bot sees no such channel. Correct the id; if it is private: {_INVITE}",
    "is_archived": "it is archived. Unarchive it, or remove the source to forget its threads.",
    "invalid_auth": f"the token is not valid. {_REPLACE}",
    "not_authed": f"the token is not valid. {_REPLACE}",
    "account_inactive": f"the token's bot was removed. {_REPLACE}",
    "token_revoked": f"the token was revoked. {_REPLACE}",
    "token_expired": f"the token has expired. {_REPLACE}",
    "not_allowed_token_type": f"Slack does not take this kind of token. {_REPLACE}",
    "team_access_not_granted": "the app is not installed in its workspace. Install it there.",
    "ratelimited": "Slack limits requests. Sync it less often.",
}
_NO_THREAD = frozenset({"thread_not_found", "message_not_found"})
_NO_PERSON = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


class SlackHistoryConnector(History):
    """Reads one Slack channel."""

    def __init__(
        self,
        settings: SlackHistorySource,
        resources: Resources,
        *,
        clock: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        channel = SlackChannel(settings, resources, clock=clock, sleep=sleep)
        super().__init__(settings, resources, channel, clock=clock)


class SlackError(SourceUnavailable):
    """The Web API answered with an error, told by `code`."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code


class SlackChannel:
    """The channel port over the Web API."""

    def __init__(
        self, settings: SlackHistorySource, resources: Resources, *, clock: Clock, sleep: Sleep
    ) -> None:
        self._settings = settings
        self._label = f"Source {settings.name!r}: the Slack channel {settings.location!r}"
        self._api = ChatApi(settings, resources, label=self._label, scheme="Bearer", sleep=sleep)
        self._clock = clock
        self._bots = frozenset(settings.bots)
        self._team: dict[str, str] = {}
        self._people = _People(self._call, clock)
        self._learned: dict[str, str] = {}

    async def open(self, remembered: Mapping[str, str]) -> None:
        """Learn the workspace's address and who the bot is, once a day."""
        if not _CHANNEL.fullmatch(self._settings.location):
            raise SourceInvalid(
                f"{self._label} is no channel id. Give the id that stands at the end of the channel's "
                f"details, such as C0123ABCD."
            )
        self._people.remember(remembered)
        team = _object(remembered.get(_TEAM, ""))
        if not self._clock() - DAY < _number(team.get("at")) <= self._clock():
            said = await self._call("auth.test")
            team = {"url": said.get("url"), "user": said.get("user_id"), "at": self._clock()}
            self._learned[_TEAM] = json.dumps(team)
        self._team = {key: value for key, value in team.items() if isinstance(value, str)}

    async def items(self, oldest: float) -> AsyncIterator[Head | Message]:
        """Yield threads and lone messages, newest first."""
        async for item in self._listed(oldest, {}):
            yield item

    async def talk(self, oldest: float, latest: float) -> AsyncIterator[Message]:
        """Yield the lone messages between two times."""
        async for item in self._listed(oldest, {"latest": f"{latest:.6f}"}):
            if isinstance(item, Message):
                yield item

    async def _listed(self, oldest: float, until: Mapping[str, str | int]) -> AsyncIterator[Head | Message]:
        query = {"oldest": f"{oldest:.6f}", "inclusive": "true", **until}
        seen: set[str] = set()
        async for page in self._pages("conversations.history", query):
            lone = [message for message in page if _is_lone(message) and is_said(message, self._bots)]
            await self._people.learn(lone)
            kept = {str(message["ts"]) for message in lone}
            for message in page:
                ts = str(message["ts"])
                if ts in seen:
                    continue
                seen.add(ts)
                if ts in kept:
                    yield self._message(message)
                elif head := _head(message, oldest):
                    yield head

    async def thread(self, identity: str) -> Thread | None:
        """Read the root and all replies."""
        said: dict[str, Mapping[str, Any]] = {}
        try:
            async for page in self._pages("conversations.replies", {"ts": identity}):
                said.update((str(message["ts"]), message) for message in page)
        except SlackError as exc:
            if exc.code in _NO_THREAD:
                return None
            raise
        root = said.get(identity)
        if root is None or not root.get("reply_count"):
            return None
        kept = [said[ts] for ts in sorted(said, key=float) if is_said(said[ts], self._bots)]
        await self._people.learn(kept)
        return Thread(head=_root(root), messages=tuple(self._message(message) for message in kept))

    def moment(self, identity: str) -> float | None:
        """Return when a message was written."""
        return float(identity) if _TS.fullmatch(identity) else None

    def link(self, identity: str, *, thread: bool) -> str | None:
        """Return the message's permanent link."""
        url = self._team.get("url", "")
        if not url.startswith("https://"):
            return None
        return f"{url.rstrip('/')}/archives/{self._settings.location}/p{identity.replace('.', '')}"

    def learned(self) -> dict[str, str]:
        """Return the workspace and people's names."""
        learned = self._learned | self._people.learned
        self._learned, self._people.learned = {}, {}
        return learned

    def _message(self, message: Mapping[str, Any]) -> Message:
        at = float(message["ts"])
        edited = message.get("edited")
        return Message(
            id=str(message["ts"]),
            at=at,
            changed=max(at, _number(edited.get("ts")) if isinstance(edited, dict) else 0.0),
            author=self._people.author(message),
            text=message_text(message, self._people.name),
            asking=addresses(message, self._team.get("user", "")),
        )

    async def _pages(
        self, method: str, query: Mapping[str, str | int]
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Yield the pages of messages; raise `SourceUnavailable` when one is missing."""
        cursor = ""
        while True:
            at = {"cursor": cursor} if cursor else {}
            said = await self._call(
                method, {"channel": self._settings.location, "limit": _PAGE, **query, **at}
            )
            messages = said.get("messages")
            if not isinstance(messages, list):
                raise SourceUnavailable(f"{self._label}: Slack answered {method} without messages.")
            yield [one for one in messages if isinstance(one, dict) and _TS.fullmatch(str(one.get("ts")))]
            metadata = said.get("response_metadata")
            following = str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
            if not following and not said.get("has_more"):
                return
            if not following or following == cursor:
                raise SourceUnavailable(f"{self._label}: Slack lost its place in {method}. Sync again.")
            cursor = following

    async def _call(self, method: str, query: Mapping[str, str | int] | None = None) -> Mapping[str, Any]:
        answer = await self._api.get(method, query)
        if isinstance(answer.body, dict) and answer.body.get("ok") is True:
            return answer.body
        said = answer.body if isinstance(answer.body, dict) else {}
        code = str(said.get("error") or f"status {answer.status}")[:80]
        raise SlackError(f"{self._label} cannot be read: {self._remedy(method, code, said)}", code)

    def _remedy(self, method: str, code: str, said: Mapping[str, Any]) -> str:
        if code == "missing_scope":
            return (
                f"the bot lacks the scope {str(said.get('needed') or 'channels:history')[:200]!r}. Add it "
                f"under OAuth & Permissions, and install the app again."
            )
        known = _REMEDIES.get(code)
        if known:
            return known.format(variable=self._settings.token_env)
        return f"Slack answered {method} with {code!r}. It is tried again with the next sync."


class _People:
    """Names of users by id; each is asked for once a week."""

    def __init__(self, call: Callable[..., Awaitable[Mapping[str, Any]]], clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._names: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._may_ask = True
        self.learned: dict[str, str] = {}

    def remember(self, entries: Mapping[str, str]) -> None:
        for key, value in entries.items():
            kept = _object(value) if key.startswith(_PERSON) else {}
            if self._clock() - _NAME_SECONDS < _number(kept.get("at")) <= self._clock():
                self._names[key.removeprefix(_PERSON)] = str(kept.get("name", ""))

    async def learn(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Look up everyone whom the messages name."""
        for user in sorted({user for message in messages for user in people_of(message)}):
            if user not in self._names and self._may_ask:
                await self._ask(user)

    def name(self, mention: str) -> str:
        """Return the name of a mentioned user: an id, or an id and a label."""
        return self._names.get(mention) or mention

    def author(self, message: Mapping[str, Any]) -> str:
        bot = message.get("bot_profile")
        given = (message.get("username"), bot.get("name") if isinstance(bot, dict) else None)
        named = [text for text in given if isinstance(text, str) and text.strip()]
        user = str(message.get("user") or "")
        return self._names.get(user) or next(iter(named), "") or user or str(message.get("bot_id") or "?")

    async def _ask(self, user: str) -> None:
        try:
            said = await self._call("users.info", {"user": user})
        except SlackError as exc:
            if exc.code == "missing_scope":
                log.info("%s Until then people go by their ids.", exc)
                self._may_ask = False
                return
            if exc.code not in _NO_PERSON:
                raise
            said = {}
        self._names[user] = _person_name(said.get("user"))
        self.learned[_PERSON + user] = json.dumps({"name": self._names[user], "at": self._clock()})


def _person_name(user: object) -> str:
    if not isinstance(user, dict):
        return ""
    given = user.get("profile")
    profile = given if isinstance(given, dict) else {}
    named = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((name.strip() for name in named if isinstance(name, str) and name.strip()), "")


def _is_lone(message: Mapping[str, Any]) -> bool:
    return not message.get("reply_count") and message.get("thread_ts") in (None, "", message["ts"])


def _head(message: Mapping[str, Any], oldest: float) -> Head | None:
    """Return the thread that a message of the channel stands for, if any.

    A reply that was also sent to the channel tells of a thread that may have begun before what is listed.
    """
    if message.get("reply_count"):
        return _root(message)
    root = str(message.get("thread_ts") or message["ts"])
    if root == message["ts"] or not _TS.fullmatch(root) or float(root) >= oldest:
        return None
    return Head(id=root, at=float(root), last=float(message["ts"]), stamp=None)


def _root(message: Mapping[str, Any]) -> Head:
    ts = str(message["ts"])
    edited = message.get("edited")
    shown = (
        message.get("text"),
        edited.get("ts") if isinstance(edited, dict) else None,
        message.get("subtype"),
        message.get("reply_count"),
        message.get("latest_reply"),
    )
    stamp = hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:16]
    return Head(id=ts, at=float(ts), last=max(float(ts), _number(message.get("latest_reply"))), stamp=stamp)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if number == number and abs(number) < 1e11 else 0.0
