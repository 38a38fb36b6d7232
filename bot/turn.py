"""A claim while it is seen to, and how it is to be answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from bot.channels import ChannelRule
from bot.chat import Incoming, Person, Reply, Shown
from bot.errors import SurfaceBusy
from bot.inbox import Claim
from bot.outcomes import answer_id
from bot.replies import Replied

Why = Literal["", "overtaken", "stopped", "lost", "closing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an incoming is answered. `standing` is the reply that an edit revises."""

    rule: ChannelRule
    shown: Shown
    asked: bool
    standing: Replied | None = None


@dataclass(slots=True, eq=False)
class Turn:
    """A claim while it is seen to. `why` tells what cancels it, `said` is what was shown so far."""

    claim: Claim
    task: asyncio.Task[None] | None = None
    why: Why = ""
    plan: Plan | None = None
    reply: Reply | None = None
    said: str = ""
    finishing: bool = False

    @property
    def incoming(self) -> Incoming:
        """What happened."""
        return self.claim.incoming

    @property
    def id(self) -> str:
        """The id of the answer that it leads to."""
        return answer_id(self.incoming.key)

    def cancel(self, why: Why) -> bool:
        """End it before its time; False when it is too late, for what it shows is on its way."""
        if self.task is None or self.why or (self.finishing and why != "closing"):
            return False
        self.why = why
        self.task.cancel()
        return True


class ClaimLost(Exception):
    """The claim is another process's by now: nothing may be shown for it here."""


class AudienceUnknown(SurfaceBusy):
    """The platform cannot tell now who sees the answer."""


def asker(incoming: Incoming) -> Person:
    """Return who an incoming is from."""
    place = incoming.place
    return Person(platform=place.platform, workspace=place.workspace, id=incoming.person, name=incoming.name)
