"""Rate limits: buckets with fixed windows, the global limit, and the ban for invalid requests."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from dataclasses import dataclass, field

from tests.emulators.discord.clock import Clock
from tests.emulators.discord.errors import Payload

# What Discord's servers were seen to allow: requests, seconds, by route. It may change them at any time.
_REAL = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": (5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": (5, 1.0),
    "GET /channels/{channel_id}/messages": (5, 5.0),
    "POST /channels/{channel_id}/typing": (5, 5.0),
    "POST /channels/{channel_id}/messages/{message_id}/threads": (50, 300.0),
    "POST /channels/{channel_id}/threads": (50, 300.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me": (1, 0.25),
    "POST /webhooks/{webhook_id}/{webhook_token}": (5, 2.0),
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original": (5, 2.0),
    "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": (5, 2.0),
    "PUT /applications/{application_id}/commands": (2, 20.0),
    "PUT /applications/{application_id}/guilds/{guild_id}/commands": (2, 20.0),
}
_OTHERS = (50, 1.0)
_LENIENT = (100_000, 1.0)
_GLOBAL = 50
_INVALID, _INVALID_SECONDS = 10_000, 600.0


@dataclass(slots=True, kw_only=True)
class _Window:
    limit: int
    seconds: float
    began: float = 0.0
    used: int = 0
    refused_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A 429. Without `via` it is Cloudflare's ban, whose body is no JSON."""

    retry_after: float
    scope: str = "user"
    is_global: bool = False
    via: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> Payload:
        return {
            "message": "You are being rate limited.",
            "retry_after": round(self.retry_after, 3),
            "global": self.is_global,
            "code": 0,
        }

    def all_headers(self) -> dict[str, str]:
        found = {"Retry-After": str(math.ceil(self.retry_after)), "X-RateLimit-Scope": self.scope}
        if self.via:
            found["Via"] = "1.1 google"
        if self.is_global:
            found["X-RateLimit-Global"] = "true"
        return self.headers | found


class Limits:
    """Counts requests. Unless `real`, the limits are so wide that only a test's own faults reach them.

    `early` lists the requests that came inside a Retry-After that their bucket had been told; `invalid`
    holds the moments of answers 401, 403 and 429.
    """

    def __init__(self, clock: Clock, *, real: bool) -> None:
        self.clock = clock
        self.real = real
        self.windows: dict[tuple[str, str], _Window] = {}
        self.global_window = _Window(limit=_GLOBAL if real else _LENIENT[0], seconds=1.0)
        self.early: list[str] = []
        self.invalid: deque[float] = deque()
        self.most_invalid = _INVALID

    def count(self, route: str, major: str) -> tuple[dict[str, str], Refusal | None]:
        """Count one request; return the headers of its bucket, and the refusal if it comes too soon."""
        now = self.clock.now()
        if self.banned(now):
            return {}, Refusal(retry_after=_INVALID_SECONDS, via=False)
        if not route.startswith("POST /interactions/") and not self._global(now):
            wait = self.global_window.began + self.global_window.seconds - now
            return {}, Refusal(retry_after=wait, scope="global", is_global=True)
        window = self._window(route, major)
        if now >= window.began + window.seconds:
            window.began, window.used = now, 0
        if now < window.refused_until - 0.005:
            self.early.append(route)
        left = window.began + window.seconds - now
        window.used += 1
        headers = self._headers(route, window, left)
        if window.used <= window.limit:
            return headers, None
        return headers, self.refuse(route, major, left, headers=headers)

    def refuse(
        self,
        route: str,
        major: str,
        seconds: float,
        *,
        scope: str = "user",
        headers: dict[str, str] | None = None,
    ) -> Refusal:
        """Refuse a bucket for so many seconds, and remember that it was told so."""
        window = self._window(route, major)
        window.refused_until = max(window.refused_until, self.clock.now() + seconds)
        return Refusal(retry_after=seconds, scope=scope, headers=headers or {})

    def answered(self, status: int, scope: str = "") -> None:
        """Count an answer towards the ban; a 429 of a shared limit does not count."""
        if status in {401, 403} or (status == 429 and scope != "shared"):
            self.invalid.append(self.clock.now())

    def banned(self, now: float) -> bool:
        while self.invalid and self.invalid[0] < now - _INVALID_SECONDS:
            self.invalid.popleft()
        return len(self.invalid) >= self.most_invalid

    def _global(self, now: float) -> bool:
        window = self.global_window
        if now >= window.began + window.seconds:
            window.began, window.used = now, 0
        window.used += 1
        return window.used <= window.limit

    def _window(self, route: str, major: str) -> _Window:
        key = (route, major)
        if key not in self.windows:
            limit, seconds = _REAL.get(route, _OTHERS) if self.real else _LENIENT
            self.windows[key] = _Window(limit=limit, seconds=seconds)
        return self.windows[key]

    def _headers(self, route: str, window: _Window, left: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(max(0, window.limit - window.used)),
            "X-RateLimit-Reset": f"{self.clock.now() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
