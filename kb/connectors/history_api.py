"""Requests to a chat platform's API: within its rate limits, and with failures named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from kb.connectors.base import Resources
from kb.errors import FetchError, SourceInvalid, SourceUnavailable
from kb.fetch import Fetched
from kb.sources import DiscordHistorySource, SlackHistorySource

Sleep = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API answered: an object or an array of JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)


class ChatApi:
    """Sends GET requests with the source's token."""

    def __init__(
        self,
        settings: SlackHistorySource | DiscordHistorySource,
        resources: Resources,
        *,
        label: str,
        scheme: str,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._resources = resources
        self._label = label
        self._scheme = scheme
        self._sleep = sleep
        self._pause = 0.0

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        """Return the answer, whatever its status below 500.

        What the platform asks to wait is waited, up to a minute for one request. Raise `SourceUnavailable`
        when that is not enough, when the host fails or when it does not answer with JSON.
        """
        url = f"{self._settings.base_url.rstrip('/')}/{path}"
        if query:
            url += "?" + urlencode(query)
        patience = LONGEST_WAIT
        while True:
            pause, self._pause = self._pause, 0.0
            if pause:
                await self._sleep(pause)
            answer = await self._ask(url)
            wait = _asked_to_wait(answer)
            if wait is None:
                self._pause = min(_until_next_window(answer), LONGEST_WAIT)
                return self._read(answer)
            if wait > patience:
                raise SourceUnavailable(self._too_long(answer, wait))
            patience -= wait
            await self._sleep(wait)

    async def _ask(self, url: str) -> Fetched:
        try:
            return await self._resources.fetcher.fetch(
                url,
                headers={"accept": "application/json"},
                authorization=self._token(),
                private_hosts=self._settings.private_hosts,
            )
        except FetchError as exc:
            raise SourceUnavailable(f"{self._label} cannot be read: {exc}") from exc

    def _token(self) -> SecretStr:
        variable = self._settings.token_env
        token = self._resources.secret(variable)
        if token is None or not token.get_secret_value().strip():
            raise SourceInvalid(
                f"{self._label} cannot be read: the environment variable {variable!r} is not set. "
                f"Put the bot's token in it, or name another with token_env."
            )
        return SecretStr(f"{self._scheme} {token.get_secret_value().strip()}")

    def _read(self, answer: Fetched) -> Answer:
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError) as exc:
            raise SourceUnavailable(self._strange(answer)) from exc
        if answer.status >= 500 or not isinstance(body, dict | list):
            raise SourceUnavailable(self._strange(answer))
        return Answer(status=answer.status, headers=answer.headers, body=body)

    def _strange(self, answer: Fetched) -> str:
        return (
            f"{self._label} cannot be read: {self._settings.base_url!r} answered with status {answer.status} "
            f"and not as its API does. It is tried again with the next sync."
        )

    def _too_long(self, answer: Fetched, wait: float) -> str:
        try:
            when = datetime.now(UTC) + timedelta(seconds=wait)
            moment = f"until {when:%Y-%m-%d %H:%M} UTC"
        except OverflowError:
            moment = "for years"
        return (
            f"{self._label} cannot be read: {self._settings.base_url!r} limits requests (status "
            f"{answer.status}) {moment}. Sync again after that, or less often."
        )


def _asked_to_wait(answer: Fetched) -> float | None:
    """Return the seconds that a refusal asks to wait; None when it is no such refusal."""
    if answer.status not in {429, 503}:
        return None
    asked = _seconds(answer.headers.get("retry-after", ""))
    if asked is None and answer.status == 429:
        return 1.0
    return asked


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    # A server that says "now" each time would be asked without end.
    return max(seconds, 0.5) if seconds == seconds else None


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return float("nan")


def _until_next_window(answer: Fetched) -> float:
    """Return how long the platform's window of requests is shut after this answer."""
    if answer.headers.get("x-ratelimit-remaining") != "0":
        return 0.0
    try:
        seconds = float(answer.headers.get("x-ratelimit-reset-after", "0"))
    except ValueError:
        return 0.0
    return seconds if seconds > 0 else 0.0
