"""The desk: what happened on a platform is seen to, exactly once, and answered where it belongs.

`receive` puts it into the durable inbox; `run` claims what waits there, shows a first sign at once and lets a
few turns answer at a time. Claims are renewed while their turns run: what a killed process leaves is taken up
by another, or by its successor.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.answering import Parts
from bot.chat import Incoming, Place, Surface
from bot.errors import SurfaceBusy
from bot.limits import Limits
from bot.turn import Turn
from bot.turns import Turns
from kb.errors import StoreError

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.channels import ChannelRules
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.inbox import Claim, Inbox
    from bot.ledger import Ledger
    from bot.replies import Replies

log = logging.getLogger(__name__)

POLL = 1.0  # seconds between looks for what is due again or was left by another process
IN_HAND = 64  # turns that are given a sign and wait for one of the few that answer at a time
CLEANING = 3600.0
_LAST_MOMENT = 5.0  # seconds that a turn has to give its claim back at the end


class Desk:
    """Takes in what happens on the platforms that joined, and answers it; `concurrent` turns at a time."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        inbox: Inbox,
        replies: Replies,
        ledger: Ledger,
        rules: ChannelRules,
        commands: ChatCommands,
        curated: Curated,
        limits: Limits | None = None,
        concurrent: int = 8,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        quotas = {name: platform.per_person for name, platform in rules.platforms.items()}
        self._surfaces: dict[str, Surface] = {}
        parts = Parts(
            assistant=assistant,
            inbox=inbox,
            replies=replies,
            ledger=ledger,
            commands=commands,
            curated=curated,
            limits=limits or Limits(inbox, quotas, clock=clock),
            surfaces=self._surfaces,
            clock=clock,
        )
        self._turns = Turns(parts, replies=replies, rules=rules, concurrent=concurrent)
        self._most = concurrent + IN_HAND
        self._running: dict[int, Turn] = {}
        self._news = asyncio.Event()

    def join(self, surface: Surface) -> None:
        """Take part in a platform: what is in the inbox of it is seen to from now on."""
        self._surfaces[surface.platform] = surface
        self._news.set()

    def surface(self, platform: str) -> Surface:
        """Return a platform that takes part; raise `SurfaceBusy` before it does."""
        if platform not in self._surfaces:
            raise SurfaceBusy(f"{platform.capitalize()} is not connected yet.")
        return self._surfaces[platform]

    async def receive(self, incoming: Incoming) -> bool:
        """Keep what happened; False when it is known already. Raise `StoreError` when it cannot be kept.

        When it returns, the event may be acknowledged. An edit or a deletion cancels the turn of its message.
        """
        new = await self._inbox.put(incoming)
        if new:
            if incoming.kind in ("edit", "delete"):
                self._overtake(incoming.subject)
            self._news.set()
        return new

    async def run(self, stop: asyncio.Event, *, drain_seconds: float = 20) -> None:
        """See to the inbox until `stop`; running turns get `drain_seconds`, the rest stays in the inbox."""
        stopping = asyncio.create_task(stop.wait())
        caring = asyncio.create_task(self._care())
        try:
            self._news.set()
            while not stop.is_set():
                again = await self._claim()
                if not again:
                    await self._wait(stopping)
        finally:
            stopping.cancel()
            await self._drain(drain_seconds if stop.is_set() else 0.0)
            caring.cancel()
            await asyncio.wait({stopping, caring})

    async def stop(self, place: Place, person: str) -> bool:
        """Stop the turn that runs in this conversation, keeping what it has shown; False when none does.

        Outside a thread only the person's own turn is meant.
        """
        ours = [turn for turn in self._running.values() if _belongs(turn.incoming, place, person)]
        stopped = [turn.cancel("stopped") for turn in ours]
        return any(stopped) or await self._inbox.stop(place, person)

    async def _claim(self) -> bool:
        """Begin what waits, as far as there is room; tell whether there may be more."""
        woken = self._news.is_set()
        self._news.clear()
        room = self._most - len(self._running)
        if room < self._most // 4 or not self._surfaces:
            return False  # enough is in hand: a few claims at once cost no more than one
        try:
            if not woken and not await self._inbox.waits(tuple(self._surfaces)):
                return False
            claims = await self._inbox.claim(tuple(self._surfaces), room)
        except StoreError as exc:
            log.warning("the inbox cannot be read: %s", exc)
            return False
        for claim in claims:
            self._begin(claim)
        return len(claims) == room

    def _begin(self, claim: Claim) -> None:
        if claim.id in self._running:  # its lease ran out while this process was held up
            self._running.pop(claim.id).cancel("lost")
        turn = Turn(claim)
        self._running[claim.id] = turn
        turn.task = asyncio.create_task(self._turns.run(turn), name=f"turn {turn.id[:8]}")
        turn.task.add_done_callback(lambda _: self._ended(turn))

    def _ended(self, turn: Turn) -> None:
        if self._running.get(turn.claim.id) is turn:
            del self._running[turn.claim.id]
        self._news.set()

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        news = asyncio.create_task(self._news.wait())
        await asyncio.wait({news, stopping}, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()

    def _overtake(self, subject: str) -> None:
        for turn in self._running.values():
            if turn.incoming.subject == subject:
                turn.cancel("overtaken")

    async def _care(self) -> None:
        """Renew what is claimed, end what was overtaken or stopped elsewhere, and clean up."""
        cleaned = 0.0
        while True:
            try:
                await self._renew()
                if time.monotonic() - cleaned > CLEANING:
                    await self._inbox.clean()
                    cleaned = time.monotonic()
            except StoreError as exc:
                # The next round tries again; a claim that runs out is noticed before anything is shown.
                log.warning("claims not renewed: %s", exc)
            await asyncio.sleep(self._inbox.lease * 0.3)

    async def _renew(self) -> None:
        turns = dict(self._running)
        if not turns:
            return
        held = await self._inbox.renew(turns)
        for id_, turn in turns.items():
            if (id_, turn.claim.attempt) not in held.ours:
                turn.cancel("lost")
            elif id_ in held.overtaken:
                turn.cancel("overtaken")
            elif id_ in held.stopped:
                turn.cancel("stopped")

    async def _drain(self, seconds: float) -> None:
        tasks = self._tasks()
        if tasks and seconds:
            await asyncio.wait(tasks, timeout=seconds)
        for turn in list(self._running.values()):
            turn.cancel("closing")
        if tasks := self._tasks():
            _, held_up = await asyncio.wait(tasks, timeout=_LAST_MOMENT)
            for task in held_up:
                task.cancel()
            await asyncio.wait(tasks)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [turn.task for turn in self._running.values() if turn.task is not None]


def _belongs(incoming: Incoming, place: Place, person: str) -> bool:
    """Tell whether a turn runs in the conversation that someone looks at."""
    own = incoming.place
    if (own.platform, own.workspace, own.channel) != (place.platform, place.workspace, place.channel):
        return False
    if place.thread:
        return place.thread in (own.thread, incoming.message)
    return incoming.person == person
