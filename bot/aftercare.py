"""What the buttons under an answer do, once for every platform. Each line is for the person who pressed.

An answer is named by its id, so that buttons work after a restart. A public post begins with a row that only
one presser can write: pressing twice, in two places or across a crash posts once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.channels import ChannelRule, ChannelRules, is_reviewer
from bot.chat import Incoming, Person, Place, Posted, Surface
from bot.errors import NotAllowed, SurfaceBusy, SurfaceError
from bot.messages import Answer, Citation, Question
from bot.outcomes import answer_id, conversation_id, outcome
from bot.replies import SHARED, Replied, Replies
from bot.rights import settings_of
from bot.texts import Texts, texts
from bot.turn import asker
from kb.documents import Audience, document_id

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.ledger import Ledger
    from kb.nodes import StoredNode

log = logging.getLogger(__name__)

LONGEST_COMMENT = 3_000
_PAUSES = (0.05, 0.15, 0.5)  # seconds between looks for what was posted a moment ago


class Nodes(Protocol):
    """Where the passages are; `kb.store.NodeStore` is one."""

    async def nodes_of(self, document_id: str) -> Sequence[StoredNode]:
        """Return a document's nodes, none when it is gone."""


class Aftercare:
    """Carries out what people do with an answer after it was given."""

    def __init__(
        self,
        *,
        assistant: Assistant,
        ledger: Ledger,
        replies: Replies,
        rules: ChannelRules,
        nodes: Nodes,
    ) -> None:
        self._assistant = assistant
        self._ledger = ledger
        self._replies = replies
        self._rules = rules
        self._nodes = nodes

    async def answer(self, answer: str) -> Answer | None:
        """Return a kept answer, whole."""
        return await self._ledger.answer(answer)

    async def feedback(self, answer: str, person: Person, *, good: bool, comment: str = "") -> str:
        """Keep what a person thinks of an answer; pressing again changes it."""
        words = await self._words(answer)
        if await self._ledger.answer(answer) is None:
            return words.answer_gone
        who = person.asker(Audience()).id
        await self._ledger.rate(answer, who, good=good, comment=comment[:LONGEST_COMMENT])
        return words.thanks if good or comment else words.sorry

    async def sources(
        self, answer: str, surface: Surface, place: Place, person: Person
    ) -> tuple[Citation, ...]:
        """Return the passages of an answer that still stand and that this person may see.

        For an answer that found nothing they are the nearest ones. Raise `SurfaceBusy` when the platform
        cannot tell now what the person may see.
        """
        found = await self._ledger.answer(answer)
        if found is None:
            return ()
        audience = await surface.audience(place, person.id, private=True)
        return await self._standing(found.citations or found.nearest, audience)

    async def call_person(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        """Call the person or group that the settings name for this place, once an answer."""
        reply = await self._reply(answer)
        if reply is None:
            return texts().answer_gone
        rule = self._rule(reply)
        words = texts(rule.language)
        if not rule.person:
            return words.person_unknown
        if not await self._replies.call(reply.subject):
            return words.person_called_already.format(who=rule.person)
        incoming = replace(reply.incoming, place=replace(reply.incoming.place, thread=reply.thread))
        line = words.person_needed.format(name=person.name or person.id)
        try:
            await surface.call_person(incoming, rule.person, line)
        except SurfaceError as exc:
            await self._replies.call(reply.subject, called=False)
            return self._not_posted(answer, words, exc)
        return words.person_called.format(who=rule.person)

    async def resolved(self, answer: str, person: Person) -> str:
        """Note that the question is settled."""
        reply = await self._reply(answer)
        if reply is None:
            return texts().answer_gone
        if await self._replies.resolve(reply.subject):
            log.info("answer %s: resolved by %s", answer[:8], person.id)
        return texts(self._rule(reply).language).marked_resolved

    async def share(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        """Ask a private answer's question again for all of the channel, and post what comes.

        What everyone there may see decides whether there is an answer; the private one is never shown.
        Where answers are drafts first, only a reviewer shares one past the review.
        """
        reply = await self._reply(answer)
        if reply is None or reply.state != "posted":
            return texts().answer_gone
        rule = self._rule(reply)
        words = texts(rule.language)
        if reply.incoming.person != person.id:
            return words.not_asker.format(name=reply.incoming.name or reply.incoming.person)
        if rule.mode == "draft" and not self._reviews(person, rule):
            return words.share_reviewed
        public = _public(reply.incoming)
        begun = await self._replies.begin(public)
        if begun == "taken":
            return words.shared
        try:
            fresh = await self._ask_publicly(public, surface)
            if not fresh.answered:
                await self._replies.give_back(public.subject, posted=False)
                return words.share_not_possible
            await self._post(public, fresh, surface, again=begun == "again", notes=_by(person, words))
        except SurfaceError as exc:
            await self._replies.give_back(public.subject, posted=True)
            return self._not_posted(answer, words, exc)
        return words.shared

    async def approve(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        """Post a draft; raise `NotAllowed` unless the person reviews this channel."""
        reply, words = await self._draft(answer, person)
        draft = await self._ledger.answer(answer)
        if reply is None or draft is None:
            return words.draft_gone
        public = _public(reply.incoming)
        audience = await surface.audience(public.place, public.person, private=False)
        if len(await self._standing(draft.citations, audience)) < len(draft.citations):
            return words.share_not_possible
        begun = await self._replies.begin(public)
        if begun == "taken":
            return words.draft_gone
        try:
            posted = await self._post(public, draft, surface, again=begun == "again")
        except SurfaceError as exc:
            await self._replies.give_back(public.subject, posted=True)
            return self._not_posted(answer, words, exc)
        await self._replies.take(reply, "removed")
        await self._clear(reply, surface, besides=posted)
        return words.approved

    async def discard(self, answer: str, person: Person, surface: Surface, place: Place) -> str:
        """Throw a draft away; raise `NotAllowed` unless the person reviews this channel."""
        reply, words = await self._draft(answer, person)
        if reply is None or not await self._replies.take(reply, "discarded"):
            return words.draft_gone
        await self._ledger.withdraw(answer)
        await self._clear(reply, surface)
        return words.discarded

    def _reviews(self, person: Person, rule: ChannelRule) -> bool:
        return is_reviewer(person, rule, settings_of(person.platform, self._rules.platforms))

    async def _draft(self, answer: str, person: Person) -> tuple[Replied | None, Texts]:
        """Return a draft that waits for a reviewer, None when it was seen to."""
        reply = await self._reply(answer)
        if reply is None:
            return None, texts()
        rule = self._rule(reply)
        words = texts(rule.language)
        if not self._reviews(person, rule):
            raise NotAllowed(words.not_reviewer)
        waits = reply.shown == "draft" and reply.state == "posted"
        return (reply if waits else None), words

    async def _ask_publicly(self, incoming: Incoming, surface: Surface) -> Answer:
        rule = self._rules.of(incoming.place)
        name = conversation_id(incoming, "public")
        conversation = await self._ledger.conversation(name)
        audience = await surface.audience(incoming.place, incoming.person, private=False)
        question = Question(
            text=incoming.text,
            asker=asker(incoming).asker(audience),
            conversation=replace(conversation, id=name),
            sources=rule.sources,
            persona=incoming.persona,
            place_persona=rule.persona,
            place=incoming.place.key,
            language=rule.language,
            bar=0.0,  # an answer that cannot stand is not kept
            id=answer_id(incoming.key),
        )
        return await self._assistant.answer(question)

    async def _post(
        self,
        incoming: Incoming,
        answer: Answer,
        surface: Surface,
        *,
        again: bool,
        notes: tuple[str, ...] = (),
    ) -> Posted:
        """Post an answer for all to see, or complete what an earlier try has posted."""
        before = await surface.found(incoming) if again else None
        reply = await surface.reply(incoming, shown="public", before=before)
        shown = outcome(incoming, self._rules.of(incoming.place), answer, "public")
        posted = await reply.finish(replace(shown, notes=(*shown.notes, *notes)))
        await self._replies.keep(incoming, answer=answer.id, shown="public", posted=posted)
        await self._ledger.place(answer.id, conversation_id(incoming, "public", posted.thread))
        return posted

    async def _standing(self, citations: Sequence[Citation], audience: Audience) -> tuple[Citation, ...]:
        """Return those whose very passage is still stored and visible to this audience."""
        tags = set(audience.visible())
        stored: dict[str, set[str]] = {}
        for citation in citations:
            document = document_id(citation.source, citation.document)
            if document not in stored:
                nodes = await self._nodes.nodes_of(document)
                stored[document] = {node.id for node in nodes if tags & set(node.audience)}
        return tuple(
            citation
            for citation in citations
            if citation.node in stored[document_id(citation.source, citation.document)]
        )

    async def _clear(self, reply: Replied, surface: Surface, *, besides: Posted | None = None) -> None:
        """Take away a draft, and the line that told the asker of it unless the answer took its place."""
        line = await self._replies.waiting(reply.incoming.subject)
        for one in (reply, line):
            if one is None or (besides and not set(one.posted.messages).isdisjoint(besides.messages)):
                continue
            try:
                await surface.remove(one.posted)
            except SurfaceError as exc:
                log.warning("answer %s: its draft could not be removed: %s", reply.answer[:8], exc)
        if line is not None:
            await self._replies.take(line, "removed")

    async def _words(self, answer: str) -> Texts:
        reply = await self._reply(answer)
        return texts(self._rule(reply).language if reply is not None else "")

    async def _reply(self, answer: str) -> Replied | None:
        """Return where an answer stands; whoever presses at once may be quicker than its row."""
        for pause in _PAUSES:
            if (reply := await self._replies.by_answer(answer)) is not None:
                return reply
            await asyncio.sleep(pause)
        return await self._replies.by_answer(answer)

    def _rule(self, reply: Replied) -> ChannelRule:
        return self._rules.of(reply.incoming.place)

    def _not_posted(self, answer: str, words: Texts, exc: SurfaceError) -> str:
        log.warning("answer %s: not posted: %s", answer[:8], exc)
        line = words.busy if isinstance(exc, SurfaceBusy) else words.failed
        return line.format(id=answer[:8])


def _public(incoming: Incoming) -> Incoming:
    """Return a question as if it had been put to all, under a subject of its own."""
    return replace(
        incoming, key=f"{incoming.key}{SHARED}", subject=f"{incoming.subject}{SHARED}", private=False
    )


def _by(person: Person, words: Texts) -> tuple[str, ...]:
    return (words.shared_by.format(name=person.name),) if person.name else ()
