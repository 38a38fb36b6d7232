"""Sees to what was claimed from the inbox: what is to be done, and how it ends whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from bot import ledger as kept
from bot import replies as noted
from bot.answering import Answering, Parts
from bot.channels import ChannelRules
from bot.chat import Outcome, Surface
from bot.errors import SurfaceBusy, SurfaceError, SurfaceGone
from bot.inbox_order import IGNORED
from bot.outcomes import line, stopped
from bot.recognising import is_question
from bot.replies import Replied, Replies
from bot.texts import texts
from bot.turn import AudienceUnknown, ClaimLost, Plan, Turn
from kb.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

AUDIENCE_PATIENCE = 40.0  # seconds that a platform has to tell who sees an answer
EDIT_PATIENCE = 30.0  # that an edit nobody addressed waits for its message
MOST_ATTEMPTS = 40
_LONGEST_PAUSE = 60.0


class Turns:
    """Sees to one claim after the other; each ends in the inbox, whatever happens on the way."""

    def __init__(self, parts: Parts, *, replies: Replies, rules: ChannelRules, concurrent: int) -> None:
        self._parts = parts
        self._replies = replies
        self._rules = rules
        self._answering = Answering(parts, concurrent=concurrent)

    async def run(self, turn: Turn) -> None:
        """See to a claim. It raises nothing but the cancellation that nobody gave a reason for."""
        for step in (self._see_to, self._failed, self._give_up):
            if await self._guarded(turn, step):
                return

    async def _guarded(self, turn: Turn, step: Callable[[Turn], Awaitable[None]]) -> bool:
        """Take a step; return False when it failed in a way that nobody foresaw."""
        try:
            await step(turn)
        except asyncio.CancelledError:
            if not turn.why:
                raise
            return await self._guarded(turn, self._cancelled)
        except SurfaceBusy as exc:
            return await self._guarded(turn, partial(self._postponed, exc=exc))
        except SurfaceGone as exc:
            log.info("turn %s: the platform has no place for it any more: %s", turn.id[:8], exc)
            return await self._guarded(turn, partial(self._end, result="gone"))
        except StoreError as exc:
            # Its lease runs out and it is claimed again, once the database can be written.
            log.warning("turn %s: left in the inbox: %s", turn.id[:8], exc)
        except ClaimLost:
            log.warning("turn %s: another process has taken it over", turn.id[:8])
        except Exception:
            log.exception("turn %s: failed", turn.id[:8])
            return False
        return True

    async def _see_to(self, turn: Turn) -> None:
        incoming = turn.incoming
        if turn.claim.attempt > MOST_ATTEMPTS:
            log.error("turn %s: given up after %d tries", turn.id[:8], MOST_ATTEMPTS)
            await self._failed(turn)
            return
        standing = await self._replies.to(incoming.subject)
        if incoming.kind == "delete":
            await self._remove(turn, standing)
        elif standing and incoming.kind != "edit":
            await self._parts.inbox.done(turn.claim, "answered")
        elif standing and standing[0].answer and standing[0].incoming.text == incoming.text:
            await self._parts.inbox.done(turn.claim, "unchanged")
        elif (plan := await self._plan(turn, standing)) is not None:
            turn.plan = plan
            await self._answering.carry_out(turn, plan)

    async def _plan(self, turn: Turn, standing: list[Replied]) -> Plan | None:
        """Decide how to answer; where there is nothing to answer, end the claim and return None."""
        incoming = turn.incoming
        rule = self._rules.of(incoming.place)
        if standing:
            return Plan(rule=rule, shown=standing[0].shown, asked=True, standing=standing[0])
        owned = await self._replies.owns(incoming.place)
        question = not incoming.addressed and is_question(incoming.text)
        decision = self._rules.decide(incoming, rule, owned=owned, question=question)
        if not decision.answer:
            log.debug("turn %s: not answered: %s", turn.id[:8], decision.reason)
            await self._parts.inbox.done(turn.claim, IGNORED)
            return None
        if incoming.kind == "edit" and turn.claim.alone and not incoming.addressed:
            await self._wait_for_message(turn)
            return None
        return Plan(rule=rule, shown=decision.shown, asked=decision.asked)

    async def _wait_for_message(self, turn: Turn) -> None:
        """Give the message of an edit that came first some time; an edit of an old one is not to the bot."""
        left = turn.claim.received + EDIT_PATIENCE - self._parts.clock()
        if left > 0:
            await self._parts.inbox.later(turn.claim, left)
        else:
            await self._parts.inbox.done(turn.claim, IGNORED)

    async def _remove(self, turn: Turn, standing: list[Replied]) -> None:
        """Take away every reply to a message that was deleted, also one that a crash left without a note."""
        surface = self._surface(turn)
        if (line := await self._replies.waiting(turn.incoming.subject)) is not None:
            standing = [*standing, line]
        places = [reply.posted for reply in standing]
        if not places and turn.claim.posting:
            found = await surface.found(turn.incoming)
            places = [found] if found is not None else []
        for posted in places:
            try:
                await surface.remove(posted)
            except SurfaceGone as exc:
                log.info("turn %s: nothing to remove: %s", turn.id[:8], exc)

        async def also(connection: AsyncConnection) -> None:
            for reply in standing:
                await noted.remove(connection, reply.subject, now=self._parts.clock())
                if reply.answer:
                    await kept.withdraw(connection, reply.answer)

        await self._parts.inbox.done(turn.claim, "removed", also=also)

    async def _cancelled(self, turn: Turn) -> None:
        if turn.why == "closing":
            await self._parts.inbox.later(turn.claim, 0.0)
        elif turn.why == "overtaken":
            await self._withdraw(turn)
            await self._parts.inbox.done(turn.claim, "overtaken")
        elif turn.why == "stopped":
            await self._stopped(turn)

    async def _withdraw(self, turn: Turn) -> None:
        if turn.reply is None or (turn.plan and turn.plan.standing):
            return  # a standing reply is revised by what comes after
        try:
            await turn.reply.withdraw()
        except SurfaceError as exc:
            log.warning("turn %s: what was shown could not be taken away: %s", turn.id[:8], exc)

    async def _stopped(self, turn: Turn) -> None:
        plan = turn.plan
        if plan is None or not plan.asked:
            await self._parts.inbox.done(turn.claim, "stopped")
            return
        left = stopped(turn.incoming.text, turn.said, plan.rule, plan.shown)
        await self._last_words(turn, plan, left, result="stopped")

    async def _failed(self, turn: Turn) -> None:
        """Tell the reader in one line that it did not work; what nobody asked for fails in silence."""
        incoming = turn.incoming
        plan = turn.plan or Plan(
            rule=self._rules.of(incoming.place),
            shown="private" if incoming.private else "public",
            asked=incoming.addressed or incoming.kind == "command",
        )
        if not plan.asked or incoming.kind == "delete":
            await self._parts.inbox.done(turn.claim, "failed")
            return
        words = texts(plan.rule.language).failed.format(id=turn.id[:8])
        await self._last_words(turn, plan, line(words, plan.rule, plan.shown), result="failed")

    async def _last_words(self, turn: Turn, plan: Plan, words: Outcome, *, result: str) -> None:
        """Show how a turn ended that went wrong. Where even that fails, the log has to do."""
        try:
            await self._answering.finish(turn, plan, words, result=result)
        except SurfaceError as exc:
            log.warning("turn %s: its end could not be shown: %s", turn.id[:8], exc)
            await self._parts.inbox.done(turn.claim, result)

    async def _give_up(self, turn: Turn) -> None:
        await self._end(turn, result="failed")

    async def _end(self, turn: Turn, *, result: str) -> None:
        await self._parts.inbox.done(turn.claim, result)

    async def _postponed(self, turn: Turn, *, exc: SurfaceBusy) -> None:
        pause = min(2.0 ** min(turn.claim.attempt - 1, 10), _LONGEST_PAUSE)
        seconds = exc.seconds if exc.seconds is not None else pause
        if isinstance(exc, AudienceUnknown):
            age = self._parts.clock() - turn.claim.received
            if age > AUDIENCE_PATIENCE and turn.claim.attempt > 1:
                await self._unplaced(turn)
                return
            seconds = min(seconds, AUDIENCE_PATIENCE / 4)
        log.warning("turn %s: the platform is busy, again in %.0f s: %s", turn.id[:8], seconds, exc)
        await self._parts.inbox.later(turn.claim, seconds)

    async def _unplaced(self, turn: Turn) -> None:
        """Tell that there is no answer because it is not known who would see it."""
        plan = turn.plan
        if plan is None or not plan.asked:
            await self._parts.inbox.done(turn.claim, "failed")
            return
        words = texts(plan.rule.language).place_unknown.format(id=turn.id[:8])
        await self._last_words(turn, plan, line(words, plan.rule, plan.shown), result="failed")

    def _surface(self, turn: Turn) -> Surface:
        return self._parts.surfaces[turn.incoming.place.platform]
