"""Quotas: how many questions a person may ask, counted in the inbox, so by all replicas together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.inbox import Claim, Inbox

Verdict = Literal["answer", "refuse", "ignore"]

WINDOW = 600.0
REFUSALS = 3  # told in one window; more would be what a flood wants


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What to do with a question, and how many seconds its person has to wait for the next."""

    verdict: Verdict = "answer"
    limit: int = 0
    wait: float = 0.0


class Limits:
    """Says whether a question may be answered. `per_person` maps a platform to questions in `WINDOW`."""

    def __init__(
        self, inbox: Inbox, per_person: Mapping[str, int], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._inbox = inbox
        self._per_person = dict(per_person)
        self._clock = clock

    async def judge(self, claim: Claim) -> Judgement:
        """Count a question and say what to do with it: past the limit a few are refused aloud."""
        limit = self._per_person.get(claim.incoming.place.platform, 0)
        if not limit:
            return Judgement()
        since = self._clock() - WINDOW
        number, first = await self._inbox.count(claim, since=since, most=limit + REFUSALS)
        if number <= limit:
            return Judgement(limit=limit)
        verdict: Verdict = "refuse" if number <= limit + REFUSALS else "ignore"
        return Judgement(verdict=verdict, limit=limit, wait=max(first - since, 0.0))
