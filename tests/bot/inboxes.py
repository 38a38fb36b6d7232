"""What an inbox has to do, whatever database it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.inbox import Claim, Inbox
from tests.bot.surface import message

PLATFORMS = ("slack",)


@dataclass(slots=True)
class Clock:
    """A clock that a test sets."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def claimed_once(engine: AsyncEngine) -> None:
    """Put 60 rows; let three replicas claim at once until nothing is left."""
    inboxes = [await Inbox.open(engine) for _ in range(3)]
    await asyncio.gather(*(inboxes[0].put(message(number)) for number in range(60)))

    async def all_of(inbox: Inbox) -> list[str]:
        got: list[str] = []
        while claims := await inbox.claim(PLATFORMS, 7):
            got += [claim.incoming.key for claim in claims]
        return got

    keys = [key for keys in await asyncio.gather(*map(all_of, inboxes)) for key in keys]
    assert sorted(keys) == sorted(message(number).key for number in range(60))


async def known_once(engine: AsyncEngine) -> None:
    """Deliver the same event to two replicas at once, five times each."""
    inboxes = [await Inbox.open(engine) for _ in range(2)]
    news = await asyncio.gather(*(inbox.put(message(1)) for inbox in inboxes * 5))
    assert sorted(news) == [False] * 9 + [True]


async def one_of_a_subject(engine: AsyncEngine) -> None:
    """Two replicas claim at once while a message and its edit wait: one of them gets the edit alone."""
    inboxes = [await Inbox.open(engine) for _ in range(2)]
    await inboxes[0].put(message(1))
    await inboxes[0].put(message(1, "Better?", kind="edit", stamp="2"))
    both = await asyncio.gather(*(inbox.claim(PLATFORMS, 5) for inbox in inboxes))
    (claim,) = (*both[0], *both[1])
    assert (claim.incoming.kind, claim.incoming.text, claim.alone) == ("edit", "Better?", False)


async def in_order(engine: AsyncEngine) -> None:
    """Let an edit wait until the turn of its message has ended, also on another replica."""
    here, there = [await Inbox.open(engine) for _ in range(2)]
    await here.put(message(1))
    (first,) = await here.claim(PLATFORMS, 5)
    await there.put(message(1, kind="edit", stamp="2"))
    assert await there.claim(PLATFORMS, 5) == []
    held = await here.renew([first.id])
    assert held.overtaken == {first.id}
    assert await here.done(first, "overtaken")
    (second,) = await there.claim(PLATFORMS, 5)
    assert second.incoming.kind == "edit"


async def taken_over(engine: AsyncEngine) -> None:
    """Let a lease run out: another replica has the row, and the first can change nothing of it."""
    clock = Clock()
    here, there = [await Inbox.open(engine, clock=clock) for _ in range(2)]
    await here.put(message(1))
    (lost,) = await here.claim(PLATFORMS, 5)
    assert await here.posting(lost)
    clock.now += here.lease - 1
    assert await there.claim(PLATFORMS, 5) == []
    clock.now += 2
    (ours,) = await there.claim(PLATFORMS, 5)
    assert (ours.posting, ours.attempt) == (True, 2)
    assert await here.renew([lost.id]) == await here.renew([])
    for change in _changes(here):
        assert not await change(lost)
    assert await there.done(ours, "answered")
    assert (await there.states()) == {"done": 1}


async def stopped_elsewhere(engine: AsyncEngine) -> None:
    """Press stop where another replica hears of it: it reaches the one that runs the turn."""
    here, there = [await Inbox.open(engine) for _ in range(2)]
    await here.put(message("7.1"))
    (claim,) = await here.claim(PLATFORMS, 5)
    place = message("7.2", thread="7.1").place
    assert await there.stop(place, "U2")
    assert (await here.renew([claim.id])).stopped == {claim.id}
    assert not await there.stop(message("8", thread="8").place, "U2")


CASES = (claimed_once, known_once, one_of_a_subject, in_order, taken_over, stopped_elsewhere)


def _changes(inbox: Inbox) -> tuple[Callable[[Claim], Awaitable[bool]], ...]:
    async def done(claim: Claim) -> bool:
        return await inbox.done(claim, "answered")

    async def later(claim: Claim) -> bool:
        return await inbox.later(claim, 5.0)

    return inbox.posting, done, later
