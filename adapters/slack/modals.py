"""Modals that are sent back, and the shortcut that opens one to save a message."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from adapters.slack.events import question_text, seconds
from adapters.slack.interactions import COMMENT, CONFIRM, FORM, submitted
from adapters.slack.render import line_message, told_message
from adapters.slack.render_views import form_modal
from adapters.slack.saying import Ear, ear_of, kept_place, place_kept
from bot.curated import Quoted
from bot.errors import BotError, SurfaceError
from bot.failing import failure_line
from bot.forms import FieldError
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck

    from adapters.slack.access import Access
    from adapters.slack.interactions import Submitted
    from adapters.slack.kb_command import KbCommand
    from adapters.slack.saying import Saying
    from adapters.slack.workspaces import Workspaces
    from bot.aftercare import Aftercare
    from bot.chat import Person
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.forms import FormAction, Told

ACK_SECONDS = 2.0  # of the three that Slack waits
_PERMALINK_PATIENCE = 1.0

log = logging.getLogger(__name__)


class Modals:
    """Does what a modal was filled in for."""

    def __init__(
        self,
        *,
        commands: ChatCommands,
        curated: Curated,
        aftercare: Aftercare,
        workspaces: Workspaces,
        access: Access,
        saying: Saying,
        knowledge: KbCommand,
    ) -> None:
        self._commands = commands
        self._curated = curated
        self._aftercare = aftercare
        self._workspaces = workspaces
        self._access = access
        self._saying = saying
        self._knowledge = knowledge

    async def on_view(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle a `view_submission` body."""
        sent = submitted(body)
        ear = Ear(person=sent.person, place=place_kept(sent.keep, sent.person))
        name, _, action = sent.form.partition(":")
        async with self._saying.guarded(ear):
            match name:
                case _ if name == FORM:
                    await self._form(ack, ear, sent, "save" if action == "save" else "add")
                case _ if name == CONFIRM:
                    await ack()
                    await self._knowledge.run(ear, sent.keep.get("command", ""))
                case _ if name == COMMENT:
                    await ack()
                    await self._comment(ear, sent)
                case _:
                    await ack()

    async def on_save(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle the shortcut that saves a message: open it in a modal to be edited."""
        await ack()
        ear = ear_of(body)
        async with self._saying.guarded(ear):
            message = body.get("message") or {}
            words, quoted, link, ear = await asyncio.gather(
                self._saying.words(ear.person),
                self._quoted(ear, message),
                self._link(ear, message),
                self._saying.placed(ear),
            )
            form = self._curated.draft("", [quoted], link, quoted.author, ear.place, language=words.language)
            if not await self._saying.open(ear, form_modal(form, words, keep=kept_place(ear.place))):
                await self._saying.line(ear, words.later)

    async def _form(self, ack: AsyncAck, ear: Ear, sent: Submitted, action: FormAction) -> None:
        """Carry a form out; what was wrong in a field is said at that field while the modal is open."""
        work = asyncio.create_task(self._submit(ear, sent, action))
        await asyncio.wait({work}, timeout=ACK_SECONDS)
        failure = work.exception() if work.done() else None
        if isinstance(failure, FieldError):
            await ack(response_action="errors", errors={failure.field: str(failure)})
            return
        if isinstance(failure, BotError | KnowledgeBaseError) and sent.values:
            line = failure_line(failure, await self._saying.words(ear.person))
            await ack(response_action="errors", errors={next(iter(sent.values)): line})
            return
        await ack()
        told = await work
        await self._saying.say(ear, told_message(told, await self._saying.words(ear.person)))

    async def _submit(self, ear: Ear, sent: Submitted, action: FormAction) -> Told:
        person = await self._saying.whole(ear.person)
        words = await self._saying.words(ear.person)
        return await self._commands.submit(action, sent.values, person, ear.place, language=words.language)

    async def _comment(self, ear: Ear, sent: Submitted) -> None:
        answer, comment = sent.keep.get("answer", ""), sent.values.get("comment", "")
        line = await self._aftercare.feedback(answer, ear.person, good=False, comment=comment)
        await self._saying.say(ear, line_message(line))

    async def _quoted(self, ear: Ear, message: dict[str, Any]) -> Quoted:
        """Return a message as it is saved, under the name of who wrote it."""
        author = str(message.get("user") or "")
        name = (await self._named(ear.person, author)) if author else str(message.get("username") or "")
        text = question_text(str(message.get("text") or ""))
        return Quoted(author=name, text=text, at=seconds(message.get("ts")))

    async def _named(self, asking: Person, user: str) -> str:
        try:
            return (await self._access.person(asking.workspace, user)).name or user
        except SurfaceError:
            return user

    async def _link(self, ear: Ear, message: dict[str, Any]) -> str:
        try:
            api = await self._workspaces.api(ear.place.workspace)
            told = await api.call(
                "chat.getPermalink",
                channel=ear.place.channel,
                message_ts=str(message.get("ts") or ""),
                patience=_PERMALINK_PATIENCE,
            )
        except SurfaceError as exc:
            log.info("slack permalink not to be had reason=%s", exc)
            return ""
        return str(told.get("permalink") or "")
