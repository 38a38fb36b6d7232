"""What a press on a button does; what it is about is in its custom id, so it outlives every restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.discord import render
from adapters.discord.interactions import Interaction
from adapters.discord.layouts import CANCEL, CHOOSE, CONFIRM, STOP, SUGGEST, Pressed, read_custom_id
from adapters.discord.modals import FORM
from bot.texts import translated

if TYPE_CHECKING:
    from adapters.discord.asking import Asking
    from adapters.discord.knowledge import Knowledge
    from adapters.discord.modals import Modals
    from adapters.discord.stopping import Stopping
    from adapters.discord.surface import DiscordSurface
    from bot.aftercare import Aftercare

_CUT = "…"


class Buttons:
    """Sees to presses. What they lead to is said to the person alone."""

    def __init__(
        self,
        *,
        aftercare: Aftercare,
        asking: Asking,
        knowledge: Knowledge,
        modals: Modals,
        stopping: Stopping,
        surface: DiscordSurface,
    ) -> None:
        self._aftercare = aftercare
        self._asking = asking
        self._knowledge = knowledge
        self._modals = modals
        self._stopping = stopping
        self._surface = surface

    async def pressed(self, interaction: Interaction) -> None:
        """See to one press."""
        button = interaction.custom_id
        pressed = read_custom_id(button)
        if pressed is not None:
            await self._under_answer(interaction, pressed)
        elif button.startswith(STOP):
            await self._stopping.pressed(interaction)
        elif button == CANCEL or button.startswith(CONFIRM):
            await self._knowledge.confirmed(interaction)
        elif button.startswith(FORM):
            await self._knowledge.form(interaction)
        elif button.startswith(CHOOSE):
            await self._knowledge.choose(interaction)
        elif button.startswith(SUGGEST):
            await self._ask_suggested(interaction)

    async def _under_answer(self, interaction: Interaction, pressed: Pressed) -> None:
        if pressed.control == "feedback" and not pressed.good:
            # A form has to be the first response, so the verdict is kept beside it.
            await self._modals.comment(interaction, pressed.answer)
            await self._aftercare.feedback(pressed.answer, interaction.person, good=False)
            return
        await interaction.defer()
        if pressed.control == "sources":
            await self._sources(interaction, pressed.answer)
        else:
            said = await self._carried_out(interaction, pressed)
            await interaction.line(translated(said, interaction.words.language))

    async def _carried_out(self, interaction: Interaction, pressed: Pressed) -> str:
        answer, person, place = pressed.answer, interaction.person, interaction.place
        match pressed.control:
            case "feedback":
                return await self._aftercare.feedback(answer, person, good=True)
            case "resolved":
                return await self._aftercare.resolved(answer, person)
            case "person":
                return await self._aftercare.call_person(answer, person, self._surface, place)
            case "share":
                return await self._aftercare.share(answer, person, self._surface, place)
            case "approve":
                return await self._aftercare.approve(answer, person, self._surface, place)
            case _:
                return await self._aftercare.discard(answer, person, self._surface, place)

    async def _sources(self, interaction: Interaction, answer: str) -> None:
        citations = await self._aftercare.sources(
            answer, self._surface, interaction.place, interaction.person
        )
        if citations:
            await interaction.say(*render.sources_payload(citations, interaction.words))
        else:
            await interaction.line(interaction.words.no_sources)

    async def _ask_suggested(self, interaction: Interaction) -> None:
        """Ask what the button says; a question too long for a button is looked up."""
        question = str(interaction.data["data"].get("label", ""))
        if not question or question.endswith(_CUT):
            number = interaction.custom_id.rpartition(":")[2]
            whole = await self._knowledge.suggested(interaction, int(number)) if number.isdecimal() else ""
            question = whole or question.removesuffix(_CUT)
        await self._asking.ask(interaction, question, private=True)
