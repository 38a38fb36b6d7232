"""The HTTP API of a repository host: pages, rate limits, and what its statuses mean for a sync."""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from kb.errors import FetchError, SourceUnavailable
from kb.fetch import Fetched, Fetcher, Method

T = TypeVar("T")

PAGE = 100
_PAGE_LIMIT = 20_000
_ANSWER_BYTES = 64 << 20
# What a run waits for rate limits in all; a longer pause is the schedule's to make.
_PATIENCE = 60.0
# A server that always says "at once" must not be asked for ever.
_SHORTEST = 1.0
# GitHub names no time with some of its refusals and asks for a minute at least.
_UNTOLD_PAUSE = 60.0
_LINK = re.compile(r"<([^>]*)>([^<,]*)")
_RELATION = re.compile(r"""(?s).*\brel\s*=\s*"?([^";]*).*""")
_GONE = frozenset({301, 302, 303, 307, 308, 404, 410, 451})


class _Problem(BaseModel):
    type: str = ""


class _Refusal(BaseModel):
    errors: list[_Problem] = []


class NotThere(Exception):
    """The API has nothing at this path, or nothing any more."""


class ServerFault(SourceUnavailable):
    """The server failed over one request (status 500); others may go well."""


class Pace:
    """Keeps the pauses that a server asks for, as long as they are short in all."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
        patience: float = _PATIENCE,
    ) -> None:
        self._sleep = sleep
        self._left = patience
        self.now = now

    async def wait(self, seconds: float) -> bool:
        """Wait, or return False at once when that is too long."""
        seconds = max(seconds, _SHORTEST)
        if seconds > self._left:
            return False
        self._left -= seconds
        await self._sleep(seconds)
        return True


class Api:
    """Requests to one API. All that goes wrong is a `SourceUnavailable`, save for `NotThere`."""

    def __init__(
        self,
        base: str,
        *,
        label: str,
        fetcher: Fetcher,
        private_hosts: bool,
        token: SecretStr | None,
        token_env: str,
        headers: Mapping[str, str],
        pace: Pace,
    ) -> None:
        self.base = base.rstrip("/")
        self.label = label
        self.has_token = token is not None
        self.token_env = token_env
        self.pace = pace
        self._fetcher = fetcher
        self._private_hosts = private_hosts
        self._authorization = SecretStr(f"Bearer {token.get_secret_value()}") if token else None
        self._headers = headers

    async def get(self, path: str, **parameters: str | int) -> Fetched:
        """Return the answer of a path below the base; raise NotThere when it has none."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return await self._send(f"{self.base}{path}{query}")

    async def pages(self, path: str, **parameters: str | int) -> AsyncIterator[Fetched]:
        """Yield a list's pages. They end where the server says so, or the listing fails."""
        wanted: Mapping[str, str | int] = {"per_page": PAGE, **parameters}
        for _ in range(_PAGE_LIMIT):
            answer = await self.get(path, **dict(wanted))
            yield answer
            following = next_query(answer)
            if following is None:
                return
            if following == {key: str(value) for key, value in wanted.items()}:
                raise SourceUnavailable(f"{self.label}: a page names itself as the next. Sync again later.")
            wanted = following
        raise SourceUnavailable(f"{self.label} has more than {_PAGE_LIMIT:,} pages of a list.")

    async def post(self, url: str, body: Mapping[str, object]) -> Fetched:
        """Send JSON to an address of the same host."""
        return await self._send(url, "POST", json.dumps(body).encode())

    def parse(self, shape: TypeAdapter[T], answer: Fetched) -> T:
        """Return an answer's JSON in its documented shape."""
        try:
            return shape.validate_json(answer.body)
        except ValidationError as exc:
            what = answer.headers.get("content-type", "").partition(";")[0][:50]
            raise SourceUnavailable(
                f"{self.label}: the API's answer ({what or 'of no type'}) is not as documented. "
                f"Check base_url, and whether a proxy or a login page stands before it."
            ) from exc

    async def _send(self, url: str, method: Method = "GET", body: bytes | None = None) -> Fetched:
        while True:
            answer = await self._ask(url, method, body)
            pause = asked_pause(answer, self.pace.now())
            if pause is None:
                self._check(answer)
                return answer
            if not await self.pace.wait(pause):
                raise SourceUnavailable(self._limited(pause))

    async def _ask(self, url: str, method: Method, body: bytes | None) -> Fetched:
        try:
            return await self._fetcher.fetch(
                url,
                method=method,
                headers={**self._headers, **({"content-type": "application/json"} if body else {})},
                body=body,
                authorization=self._authorization,
                private_hosts=self._private_hosts,
                max_bytes=_ANSWER_BYTES,
            )
        except FetchError as exc:
            raise SourceUnavailable(f"{self.label} cannot be reached: {exc}") from exc

    def _check(self, answer: Fetched) -> None:
        status = answer.status
        if status in _GONE:
            raise NotThere
        if status == 401:
            raise SourceUnavailable(f"{self.label}: {self._login('is not accepted')}")
        if status == 403:
            raise SourceUnavailable(f"{self.label}: {self._login('may not read it')}")
        if status == 500:
            raise ServerFault(f"{self.label}: the API fails (status 500). Sync again later.")
        if status != 200:
            raise SourceUnavailable(f"{self.label}: the API answers with status {status}. Sync again later.")

    def _login(self, what: str) -> str:
        if self.has_token:
            return f"the token in {self.token_env} {what}. Renew it, or give it the right to read."
        return f"it needs a login. Put a token into {self.token_env}."

    def _limited(self, pause: float) -> str:
        when = datetime.fromtimestamp(self.pace.now() + pause, UTC)
        more = "" if self.has_token else f" A token in {self.token_env} raises the limit."
        return (
            f"{self.label}: the API's rate limit is used up until {when:%Y-%m-%d %H:%M:%S} UTC. "
            f"Sync again then.{more}"
        )


def next_query(answer: Fetched) -> dict[str, str] | None:
    """Return the parameters of the page that an answer names as the next, None for the last.

    Only the parameters are taken: a link may not lead the token elsewhere.
    """
    link = _link(answer, "next")
    return None if link is None else dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def last_page(answer: Fetched) -> int | None:
    """Return the number of the last page where the answer tells it."""
    link = _link(answer, "last")
    number = dict(parse_qsl(urlsplit(link).query)).get("page", "") if link else ""
    return int(number) if number.isascii() and number.isdigit() else None


def _link(answer: Fetched, relation: str) -> str | None:
    for address, parameters in _LINK.findall(answer.headers.get("link", "")):
        if relation in _RELATION.sub(r"\1", parameters).split():
            return str(address)
    return None


def asked_pause(answer: Fetched, now: float) -> float | None:
    """Return the seconds for which the server wants no request, None when it did not refuse for that."""
    headers = answer.headers
    told = headers.get("retry-after", "")
    spent = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")) == "0"
    refused = (
        answer.status == 429
        or (answer.status == 403 and bool(told or spent or b"rate limit" in answer.body[:2000].lower()))
        or (answer.status == 503 and bool(told))
        or (answer.status == 200 and _refused_query(answer.body))
    )
    if not refused:
        return None
    if told:
        return _seconds(told, now)
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    if spent and reset.isascii() and reset.isdigit():
        return max(1.0, min(float(reset), 1e11) - now + 1)
    return _UNTOLD_PAUSE


def _refused_query(body: bytes) -> bool:
    """Say whether a GraphQL answer, whose status is always 200, is a refusal for the rate limit."""
    if not body.startswith(b"{") or b'"RATE_LIMITED"' not in body[:2000]:
        return False
    try:
        return any(problem.type == "RATE_LIMITED" for problem in _Refusal.model_validate_json(body).errors)
    except ValidationError:
        return False


def _seconds(told: str, now: float) -> float:
    """Return the seconds of a Retry-After: a number or a date."""
    try:
        given = float(told)
    except ValueError:
        pass
    else:
        return _UNTOLD_PAUSE if math.isnan(given) else max(0.0, min(given, 1e9))
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - now)
    except (ValueError, OverflowError):
        return _UNTOLD_PAUSE
