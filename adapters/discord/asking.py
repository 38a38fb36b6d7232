"""Questions by command: `/ask`, the menu "Ask about this" and the questions that a home suggests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.discord import events
from adapters.discord.interactions import Interaction
from bot.chat import Attachment

if TYPE_CHECKING:
    from adapters.discord.surface import DiscordSurface
    from bot.channels import ChannelRules
    from bot.desk import Desk

log = logging.getLogger(__name__)

# Where the first answer is for the asker alone, or must not be public before it is approved.
_UNSEEN_MODES = frozenset({"private-first", "draft", "off"})


class Asking:
    """Puts questions into the inbox, then tells Discord that an answer will come."""

    def __init__(self, desk: Desk, surface: DiscordSurface, rules: ChannelRules) -> None:
        self._desk = desk
        self._surface = surface
        self._rules = rules

    async def ask(
        self,
        interaction: Interaction,
        question: str,
        *,
        private: bool = False,
        persona: str | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        """Have a question answered; raise `StoreError` when it cannot be kept."""
        mode = self._rules.of(interaction.place).mode
        direct = interaction.place.kind == "direct"
        ephemeral = not direct and (private or mode in _UNSEEN_MODES)
        incoming = events.command_incoming(
            interaction.data,
            question=question,
            place=interaction.place,
            private=private and not direct,
            persona=persona,
        )
        reply_to = {**incoming.reply_to, "ephemeral": "1"} if ephemeral else incoming.reply_to
        incoming = replace(incoming, reply_to=reply_to, attachments=attachments)
        # The desk may have the answer before Discord knows that one comes: it waits for this.
        deferred = self._surface.staging.deferred
        told = deferred[incoming.key] = asyncio.Event()
        try:
            await self._desk.receive(incoming)
            await interaction.defer(private=ephemeral)
        finally:
            told.set()
            deferred.pop(incoming.key, None)

    async def command(self, interaction: Interaction, options: Mapping[str, Any]) -> None:
        """Carry out `/ask`."""
        await self.ask(
            interaction,
            str(options.get("question", "")),
            private=bool(options.get("private", False)),
            persona=str(options["persona"]) if options.get("persona") else None,
        )

    async def about(self, interaction: Interaction) -> None:
        """Carry out "Ask about this": the message is the question, and the answer is for whoever asked."""
        message = target(interaction)
        text = events.message_text(message, names=names(message))
        await self.ask(interaction, text, private=True)


def target(interaction: Interaction) -> Mapping[str, Any]:
    """Return the message that a message menu was opened at."""
    data = interaction.data["data"]
    found: Mapping[str, Any] = data["resolved"]["messages"][data["target_id"]]
    return found


def names(message: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the people whom a message mentions, by their ids."""
    return {
        str(user["id"]): str(user.get("global_name") or user.get("username") or "")
        for user in message.get("mentions", ())
    }
