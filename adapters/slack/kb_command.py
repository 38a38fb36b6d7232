"""`/kb`: the commands about the knowledge, typed or from buttons and modals."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from adapters.slack.render import told_message
from adapters.slack.render_views import confirm_modal, form_modal
from adapters.slack.saying import Ear, ear_of, kept_place

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck

    from adapters.slack.access import Access
    from adapters.slack.saying import Saying
    from bot.chat_commands import ChatCommands
    from bot.forms import Told

FIRST_WORD_SECONDS = 2.0

log = logging.getLogger(__name__)


class KbCommand:
    """Runs commands for people in Slack; each sees alone what theirs told."""

    def __init__(self, commands: ChatCommands, access: Access, saying: Saying) -> None:
        self._commands = commands
        self._access = access
        self._saying = saying

    async def on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle a slash command's body."""
        await ack()
        ear = ear_of(body)
        async with self._saying.guarded(ear):
            await self.run(await self._saying.placed(ear), str(body.get("text") or ""))

    async def on_persona(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle the command about personas."""
        await self.on_command(ack, {**body, "text": f"persona {body.get('text') or ''}"})

    async def run(self, ear: Ear, text: str) -> None:
        """Run a command and show its last word; what takes longer says so meanwhile."""
        told = await self._told(ear, text)
        if told is not None:
            await self.show(ear, told)

    async def confirm(self, ear: Ear, command: str) -> None:
        """Ask once more before a command of an older message is carried out."""
        told = await self._told(ear, command.removesuffix("--yes").rstrip())
        if told is not None:
            await self.show(ear, told)

    async def choose(self, ear: Ear, command: str) -> None:
        """Carry out what a button stands for that everyone may press: nobody's rights are asked for."""
        words = await self._saying.words(ear.person)
        async for told in self._commands.run(command, ear.person, ear.place, language=words.language):
            await self._saying.say(ear, told_message(told, words))

    async def show(self, ear: Ear, told: Told) -> None:
        """Show what a command told: its question or form as a modal while there is time for one."""
        words = await self._saying.words(ear.person)
        keep = kept_place(ear.place)
        if told.confirm and await self._saying.open(ear, confirm_modal(told.confirm, words, keep=keep)):
            return
        if told.form and await self._saying.open(ear, form_modal(told.form, words, keep=keep)):
            return
        await self._saying.say(ear, told_message(told, words))

    async def _told(self, ear: Ear, text: str) -> Told | None:
        person, words, audience = await asyncio.gather(
            self._saying.whole(ear.person),
            self._saying.words(ear.person),
            self._access.audience(ear.place, ear.person.id, private=True),
        )
        latest: Told | None = None
        shown: Told | None = None

        async def hurry() -> None:
            nonlocal shown
            await asyncio.sleep(FIRST_WORD_SECONDS)
            if latest is not None and latest.confirm is None and latest.form is None:
                shown = latest
                await self._saying.say(ear, told_message(latest, words))

        waiting = asyncio.create_task(hurry())
        try:
            async for told in self._commands.run(
                text, person, ear.place, language=words.language, audience=audience
            ):
                latest = told
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        return latest if latest is not shown else None
