"""Slack's rate limits: four tiers, posts a second and channel, streams a minute.

They apply when `on` is set, the limits of histories for commercial apps outside the Marketplace when
`outside_marketplace` is. Whether a client called again before its `Retry-After` was over is told in
`early` in any case, also for refusals that a test asked for.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulators.slack.clock import Clock

_A_MINUTE: dict[int | str, int] = {1: 1, 2: 20, 3: 50, 4: 100, "special": 600}
_POSTS_AT_ONCE = 4
HISTORIES = {"conversations.history", "conversations.replies"}
OUTSIDE_PAGE = 15
_POSTS_A_SECOND = 1.0


class Limits:
    def __init__(self, clock: Clock) -> None:
        self.on = False
        self.outside_marketplace = False
        self.refused: list[str] = []
        self.early: list[str] = []
        self._clock = clock
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._posts: dict[str, tuple[float, float]] = {}
        self._closed: dict[tuple[str, str], float] = {}

    def retry_after(self, team: str, method: str, tier: int | str, channel: str) -> int:
        """Return 0 when the call may go on, else the seconds to wait."""
        if self.outside_marketplace and method in HISTORIES:
            tier = 1
        elif not self.on:
            return 0
        if tier == "post":
            return self._post(channel)
        calls, now = self._calls[team, method], self._clock.now()
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= _A_MINUTE[tier]:
            return max(1, math.ceil(calls[0] + 60 - now))
        calls.append(now)
        return 0

    def _post(self, channel: str) -> int:
        now = self._clock.now()
        left, at = self._posts.get(channel, (float(_POSTS_AT_ONCE), now))
        left = min(_POSTS_AT_ONCE, left + (now - at) * _POSTS_A_SECOND)
        if left < 1:
            self._posts[channel] = left, now
            return math.ceil((1 - left) / _POSTS_A_SECOND)
        self._posts[channel] = left - 1, now
        return 0

    def refuse(self, method: str, scope: str, seconds: int) -> None:
        """Keep in mind that the client was told to wait."""
        self.refused.append(method)
        self._closed[method, scope] = self._clock.now() + seconds

    def watch(self, method: str, scope: str) -> None:
        """Record a call that comes before the wait it was told is over."""
        if self._clock.now() < self._closed.get((method, scope), 0.0) - 0.01:
            self.early.append(method)
