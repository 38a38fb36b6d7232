"""The Web API of one workspace: calls that keep the rate limits and whose failures are told apart.

    SurfaceBusy
    └── CallUncertain   no usable reply came: the call may have been carried out
    SurfaceGone
    └── CallRefused     Slack refused the call, and would again; `code` is its error

The SDK's own handlers repeat a post whose reply was lost, and so post it twice; none of them is used here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.pace import FREE, Limited, Pace
from bot.errors import SurfaceBusy, SurfaceError, SurfaceGone

if TYPE_CHECKING:
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

PATIENCE = 60.0
TOKEN_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "app_uninstalled",
     "not_allowed_token_type"}
)  # fmt: skip
_LIMITED = frozenset({"ratelimited", "rate_limited"})
_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "messaging_processing_failed",
     "update_failed", "external_channel_migrating", "team_added_to_org"}
)  # fmt: skip
_ONCE = frozenset(
    {"chat.postMessage", "chat.postEphemeral", "chat.startStream", "chat.appendStream", "chat.stopStream",
     "views.open"}
)  # fmt: skip
# How many calls a minute may be on their way side by side: at most half of what Slack takes, see `Pace`.
# Where it is 0 the limit is soon used up, and what is posted keeps its order.
FREE_CALLS: Mapping[str, int] = {
    "chat.postMessage": 0, "apps.connections.open": 0, "assistant.threads.setStatus": 300,
    "chat.appendStream": 50, "chat.postEphemeral": 50, "users.info": 50,
    "views.open": 50, "views.update": 50, "views.publish": 50,
}  # fmt: skip
_JSON = ("chat.", "views.", "assistant.", "agents.", "conversations.open")
# Of posts: not the place is wrong, but what was to stand there.
_UNFIT = frozenset(
    {"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "invalid_chunks",
     "invalid_metadata_format", "metadata_too_large", "no_text"}
)  # fmt: skip
_TRIES = 3
_SERVER_ERROR = 500
_TOO_MANY = 429
_DEFAULT_WAIT = 5.0

log = logging.getLogger(__name__)


class CallUncertain(SurfaceBusy):
    """No usable reply came: the call may have been carried out."""


class CallRefused(SurfaceGone):
    """Slack refused the call, and would again. `code` is its error, such as "not_in_channel"."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class CallUnfit(SurfaceError):
    """Slack does not take the form of what was to be said; in another form it may be said there."""


def web_client(token: str | None, *, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return a client over `session` without the SDK's retries.

    The SDK would take a proxy from the environment and overlook NO_PROXY; the session heeds both.
    """
    client = AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])
    client.proxy = None
    return client


class Api:
    """The Web API with one workspace's token."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        team: str,
        bot_user: str,
        bot_id: str,
        pace: Pace,
        refused: Callable[[str, str], None] = lambda team, code: None,
    ) -> None:
        self.client = client
        self.team = team
        self.bot_user = bot_user
        self.bot_id = bot_id
        self._pace = pace
        self.refused = refused

    async def call(
        self, method: str, *, patience: float = PATIENCE, **arguments: object
    ) -> Mapping[str, Any]:
        """Call a method and return its reply.

        Wait up to `patience` seconds where the rate limit says so. A call that may be repeated without harm
        is repeated when no reply came; any other raises `CallUncertain` then. Raise `CallRefused` for what
        Slack will not do, `CallUnfit` for what it will not show, `SurfaceBusy` for what it cannot do now.
        """
        arguments = {name: value for name, value in arguments.items() if value is not None}
        key, free = self._key(method, arguments), FREE_CALLS.get(method, FREE)
        deadline = time.monotonic() + patience
        for failures in range(1, _TRIES + 1):
            left = deadline - time.monotonic()
            try:
                return await self._pace.run(
                    key, lambda: self._send(method, arguments), patience=max(0.0, left), free=free
                )
            except (CallUncertain, _NotSent) as failure:
                once = method in _ONCE and isinstance(failure, CallUncertain)
                if once or failures == _TRIES or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(failures * random.uniform(0.2, 0.6))  # noqa: S311 - jitter
        raise AssertionError("unreachable: the last try returns or raises")

    def _key(self, method: str, arguments: Mapping[str, Any]) -> str:
        """Return what a limit counts for: the method, of posts the channel too."""
        place = f":{arguments.get('channel')}" if method == "chat.postMessage" else ""
        return f"{self.team}:{method}{place}"

    async def _send(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            reply = await self._request(method, dict(arguments))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            raise _NotSent(f"Slack cannot be reached for {method!r} ({type(exc).__name__}).") from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise CallUncertain(f"Slack gave no reply to {method!r} ({type(exc).__name__}).") from exc
        except SlackApiError as exc:
            failure = _failure(method, exc)
            if isinstance(failure, Limited):
                log.info("slack rate limit method=%s seconds=%.0f", method, failure.seconds)
            if isinstance(failure, CallRefused) and failure.code in TOKEN_ERRORS:
                self.refused(self.team, failure.code)
            raise failure from None
        data = reply.data
        return data if isinstance(data, dict) else {}

    async def _request(self, method: str, arguments: dict[str, Any]) -> AsyncSlackResponse:
        if method.startswith(_JSON):
            return await self.client.api_call(method, json=arguments)
        texts = {name: _parameter(value) for name, value in arguments.items()}
        return await self.client.api_call(method, http_verb="GET", params=texts)


class _NotSent(SurfaceBusy):
    """No connection was made: nothing was carried out."""


def _parameter(value: object) -> object:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _failure(method: str, error: SlackApiError) -> Exception:
    """Return what a refusal of the SDK stands for here; its own text may quote what was sent."""
    status = getattr(error.response, "status_code", None) or 0
    headers = getattr(error.response, "headers", None) or {}
    data = getattr(error.response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == _TOO_MANY or code in _LIMITED:
        return Limited(retry_after(headers))
    if not code or status >= _SERVER_ERROR or code in _PASSING:
        return CallUncertain(f"Slack failed at {method!r} ({code or f'HTTP {status}'}).")
    if method.startswith("chat.") and code in _UNFIT:
        return CallUnfit(f"Slack does not take what was to be said by {method!r}: {code}.")
    needed = data.get("needed") if isinstance(data, dict) else None
    hint = f" Give the app the scope {needed!r} and install it again." if needed else ""
    return CallRefused(f"Slack refuses {method!r}: {code}.{hint}", code=code)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return how many seconds a refusal asks to wait."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return _DEFAULT_WAIT
