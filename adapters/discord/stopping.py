"""The button that stops an answer while it is written. What it stops is in its custom id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.discord.access import PLATFORM
from adapters.discord.layouts import STOP, Component, button
from bot.chat import Place
from bot.rights import allowed

if TYPE_CHECKING:
    from adapters.discord.interactions import Interaction
    from bot.channels import ChannelRules
    from bot.chat import Incoming
    from bot.desk import Desk
    from bot.texts import Texts

_STOP = re.compile(
    rf"{STOP}:(?P<asker>\d{{1,20}}):(?P<server>\d{{0,20}}):(?P<channel>\d{{1,20}}):(?P<message>\d{{1,20}})"
)


def stop_button(incoming: Incoming, texts: Texts) -> Component:
    """Return the button that stops the answer to what came in."""
    place = incoming.place
    about = (incoming.person, place.workspace, place.channel, incoming.message)
    return button(texts.stop, ":".join((STOP, *about)), emoji="⏹️")


class Stopping:
    """Stops an answer for who asked, and for who may change the bot's knowledge."""

    def __init__(self, desk: Desk, rules: ChannelRules) -> None:
        self._desk = desk
        self._rules = rules

    async def pressed(self, interaction: Interaction) -> None:
        """See to a press. The message itself tells that it worked; a line tells what did not."""
        await interaction.hold()
        found = _STOP.fullmatch(interaction.custom_id)
        if found is None:
            return
        person = interaction.person
        if person.id != found["asker"] and not allowed(person, self._rules.platforms):
            await interaction.line(interaction.words.not_stopper)
            return
        # A private answer stands elsewhere than its question, by whose message alone it is told from others.
        place = Place(
            platform=PLATFORM, workspace=found["server"], channel=found["channel"], thread=found["message"]
        )
        if not await self._desk.stop(place, found["asker"]):
            await interaction.line(interaction.words.nothing_runs)
