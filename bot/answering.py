"""Answers one turn, as named steps: limit → sign → audience → ask → show → keep."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import ledger as kept
from bot import replies as noted
from bot.chat import Attachment, Outcome, Person, Posted, Reply, Surface
from bot.errors import CommandError, SurfaceBusy
from bot.failing import failure_line
from bot.inbox_order import IGNORED
from bot.messages import Answer, AnswerDelta, Question
from bot.outcomes import adds_files, asks_for_help, conversation_id, files, line, outcome
from bot.texts import texts
from bot.turn import AudienceUnknown, ClaimLost, Plan, Turn, asker
from kb.documents import Audience
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.assistant import Assistant
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.inbox import Inbox
    from bot.ledger import Ledger
    from bot.limits import Judgement, Limits
    from bot.replies import Replies

log = logging.getLogger(__name__)

PATIENCE = 55.0  # seconds without a word after which a turn is given up: a reader is told within a minute
MEMORY = 7200.0  # seconds that a conversation outside threads is remembered
ANSWER_KEPT = 120.0  # that an answer is used again when the platform refused it
_COURTESY, _CALM = 0.15, 0.004  # seconds at most, and of one look at the loop
LARGEST_FILE = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What answering is done with. `surfaces` fills as platforms join."""

    assistant: Assistant
    inbox: Inbox
    replies: Replies
    ledger: Ledger
    commands: ChatCommands
    curated: Curated
    limits: Limits
    surfaces: Mapping[str, Surface]
    clock: Callable[[], float] = time.time


async def _calm() -> None:
    """Wait until the loop has time, not for long: what else was asked is heard before this is answered."""
    end = time.monotonic() + _COURTESY
    while (began := time.monotonic()) < end:
        await asyncio.sleep(_CALM)
        if time.monotonic() - began < 2 * _CALM:
            return


class Answering:
    """Carries out plans, `concurrent` of them at a time."""

    def __init__(self, parts: Parts, *, concurrent: int) -> None:
        self._parts = parts
        self._slots = asyncio.Semaphore(concurrent)

    async def carry_out(self, turn: Turn, plan: Plan) -> None:
        """Answer as planned, or refuse, and end the claim. Raise what the platform or the database raises."""
        judgement = await self._parts.limits.judge(turn.claim)
        if judgement.verdict != "answer":
            await self._refuse(turn, plan, judgement)
            return
        surface = self._surface(turn)
        if plan.asked:
            await surface.working(turn.incoming)
            await _calm()
        async with self._slots:
            if adds_files(turn.incoming):
                await self._add_files(turn, plan)
            elif asks_for_help(turn.incoming):
                await self._help(turn, plan)
            else:
                await self._answer(turn, plan)

    async def _refuse(self, turn: Turn, plan: Plan, judgement: Judgement) -> None:
        if judgement.verdict == "ignore" or not plan.asked:
            await self._parts.inbox.done(turn.claim, "refused")
            return
        words = texts(plan.rule.language)
        wait = words.span(max(judgement.wait + 60.0, 60.0))
        said = words.too_many.format(questions=words.count(judgement.limit, words.question), wait=wait)
        await self.finish(turn, plan, line(said, plan.rule, plan.shown))

    async def _answer(self, turn: Turn, plan: Plan) -> None:
        audience = await self._audience(turn, plan)
        question = await self._question(turn, plan, audience)
        answer = await self._kept(turn) or await self._ask(turn, plan, question)
        if not plan.asked and not answer.answered:
            await self._parts.inbox.done(turn.claim, IGNORED)
            return
        await self.finish(turn, plan, outcome(turn.incoming, plan.rule, answer, plan.shown), answer=answer)
        if plan.shown == "draft" and plan.asked and plan.standing is None:
            await self._promise(turn, plan)

    async def _promise(self, turn: Turn, plan: Plan) -> None:
        """Tell the asker that a reviewer looks at the answer; the line goes when that is done."""
        surface, replies, incoming = self._surface(turn), self._parts.replies, turn.incoming
        words = texts(plan.rule.language)
        if incoming.kind == "command":  # the asker alone sees the line, and it stays: it has to stay true
            await surface.tell(incoming, words.draft_sent_privately)
            return
        told = await surface.tell(incoming, words.draft_sent)
        if told is None or not told.messages:
            return
        about = replace(incoming, subject=incoming.subject + noted.WAITING)
        await replies.keep(about, answer="", shown="draft", posted=told)
        if not await replies.to(incoming.subject):  # it was seen to meanwhile
            await surface.remove(told)

    async def _audience(self, turn: Turn, plan: Plan) -> Audience:
        place = turn.incoming.place
        private = plan.shown == "private" or place.kind == "direct"
        try:
            return await self._surface(turn).audience(place, turn.incoming.person, private=private)
        except SurfaceBusy as exc:
            raise AudienceUnknown(str(exc), seconds=exc.seconds) from exc

    async def _question(self, turn: Turn, plan: Plan, audience: Audience) -> Question:
        incoming, rule, standing = turn.incoming, plan.rule, plan.standing
        name = _conversation(turn, plan)
        in_thread = bool(incoming.place.thread or standing)
        conversation = await self._parts.ledger.conversation(
            name,
            since=0.0 if in_thread else self._parts.clock() - MEMORY,
            until=standing.created if standing else None,
            besides=(turn.id, standing.answer) if standing else (turn.id,),
        )
        return Question(
            text=incoming.text,
            asker=asker(incoming).asker(audience),
            conversation=replace(conversation, id=name),
            sources=rule.sources,
            persona=incoming.persona,
            place_persona=rule.persona,
            place=incoming.place.key,
            private=plan.shown == "private" or incoming.place.kind == "direct",
            language=rule.language,
            bar=None if plan.asked else rule.auto_threshold,
            id=turn.id,
        )

    async def _kept(self, turn: Turn) -> Answer | None:
        """Return the answer of an earlier try that the platform did not take."""
        if turn.claim.attempt == 1:
            return None
        return await self._parts.ledger.answer(turn.id, since=self._parts.clock() - ANSWER_KEPT)

    async def _ask(self, turn: Turn, plan: Plan, question: Question) -> Answer:
        """Ask the assistant and show what it writes; what nobody asked for is shown when it stands."""
        async with aclosing(self._parts.assistant.stream(question)) as events:
            while True:
                async with asyncio.timeout(PATIENCE):
                    event = await anext(events)
                if not isinstance(event, AnswerDelta):
                    return event.answer
                turn.said = event.text if event.replace else turn.said + event.text
                if plan.asked:
                    await (await self._begun(turn, plan)).show(turn.said)

    async def _begun(self, turn: Turn, plan: Plan) -> Reply:
        """Return the turn's reply, begun when it is first needed and noted before anything is visible."""
        if turn.reply is None:
            before = plan.standing.posted if plan.standing and plan.standing.posted.messages else None
            if before is None and turn.claim.posting:
                before = await self._surface(turn).found(turn.incoming)
            if not await self._parts.inbox.posting(turn.claim):
                raise ClaimLost
            turn.reply = await self._surface(turn).reply(turn.incoming, shown=plan.shown, before=before)
        return turn.reply

    async def finish(
        self,
        turn: Turn,
        plan: Plan,
        shown: Outcome,
        *,
        answer: Answer | None = None,
        result: str = "answered",
    ) -> None:
        """Show the outcome and note where it stands; from here on only the program's end stops it."""
        reply = await self._begun(turn, plan)
        turn.finishing = True
        posted = await reply.finish(shown)
        await self._keep(turn, plan, posted, answer=answer, result=result)

    async def _keep(
        self, turn: Turn, plan: Plan, posted: Posted, *, answer: Answer | None, result: str
    ) -> None:
        incoming, standing = turn.incoming, plan.standing
        # A shared answer is a reply of its own; an edit of the question revises that one.
        about = replace(incoming, subject=standing.subject) if standing else incoming
        named = answer.id if answer else ""
        begun = conversation_id(incoming, plan.shown, posted.thread)

        async def also(connection: AsyncConnection) -> None:
            await noted.keep(
                connection, about, answer=named, shown=plan.shown, posted=posted, now=self._parts.clock()
            )
            if standing and standing.answer and standing.answer != named:
                await kept.withdraw(connection, standing.answer)
            if named and posted.thread and begun != _conversation(turn, plan):
                await kept.place(connection, named, begun)

        if not await self._parts.inbox.done(turn.claim, result, also=also):
            log.warning("turn %s: posted, and claimed by another process meanwhile", turn.id[:8])

    async def _add_files(self, turn: Turn, plan: Plan) -> None:
        person = await self._person(turn)
        lines = [await self._add_file(turn, plan, one, person) for one in files(turn.incoming)]
        await self.finish(turn, plan, line("\n".join(lines), plan.rule, plan.shown))

    async def _add_file(self, turn: Turn, plan: Plan, attachment: Attachment, person: Person) -> str:
        place, name, language = turn.incoming.place, attachment.name, plan.rule.language
        try:
            data = await self._surface(turn).download(attachment, limit=LARGEST_FILE)
            return await self._parts.curated.add_file(name, data, person, place, language=language)
        except (CommandError, KnowledgeBaseError) as exc:
            return failure_line(exc, texts(language))

    async def _person(self, turn: Turn) -> Person:
        """Return who asked, with the groups that the platform says they are in."""
        incoming = turn.incoming
        audience = await self._surface(turn).audience(incoming.place, incoming.person, private=True)
        prefix = f"{incoming.place.platform}:group:"
        groups = {tag.removeprefix(prefix) for tag in audience.tags if tag.startswith(prefix)}
        return replace(asker(incoming), groups=frozenset(groups))

    async def _help(self, turn: Turn, plan: Plan) -> None:
        told, language = "", plan.rule.language
        steps = self._parts.commands.run("help", asker(turn.incoming), turn.incoming.place, language=language)
        async with aclosing(steps):
            async for step in steps:
                told = step.text
        await self.finish(turn, plan, line(told, plan.rule, plan.shown))

    def _surface(self, turn: Turn) -> Surface:
        return self._parts.surfaces[turn.incoming.place.platform]


def _conversation(turn: Turn, plan: Plan) -> str:
    """Return the conversation of a turn, as far as it is known before the reply stands."""
    return conversation_id(turn.incoming, plan.shown, plan.standing.thread if plan.standing else "")
