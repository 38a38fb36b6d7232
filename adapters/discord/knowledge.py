"""`/kb`: the commands about the knowledge, their autocomplete and their confirmation."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.discord import render, render_home
from adapters.discord.download import LARGEST, attachment, download
from adapters.discord.interactions import Interaction
from adapters.discord.layouts import CANCEL, CHOOSE, CONFIRM
from adapters.discord.reply import PACE_SECONDS
from bot.errors import SurfaceError
from bot.forms import Told
from kb.documents import Audience

if TYPE_CHECKING:
    from adapters.discord.modals import Modals
    from adapters.discord.surface import DiscordSurface
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated
    from bot.home import Home

log = logging.getLogger(__name__)

_ID_LENGTH = 100


class Knowledge:
    """Carries out `/kb`. What it says is seen by whoever typed it."""

    def __init__(
        self,
        *,
        commands: ChatCommands,
        curated: Curated,
        home: Home | None,
        modals: Modals,
        surface: DiscordSurface,
        api_url: str,
        pace: float = PACE_SECONDS,
    ) -> None:
        self._commands = commands
        self._curated = curated
        self._home = home
        self._modals = modals
        self._surface = surface
        self._api_url = api_url
        self._pace = pace

    async def command(self, interaction: Interaction, verb: str, options: Mapping[str, Any]) -> None:
        """Carry out one subcommand."""
        if verb == "add" and options.get("file"):
            await self._add_file(interaction, str(options["file"]))
        elif verb == "add" and not options.get("location"):
            await self._open_form(interaction)
        else:
            await interaction.defer()
            await self.run(interaction, typed(verb, options))
            if verb == "help":
                await self._show_home(interaction)

    async def run(self, interaction: Interaction, text: str) -> None:
        """Carry out a typed command and show how it gets on."""
        audience = await self._audience(interaction)
        shown, last = 0.0, None
        steps = self._commands.run(
            text,
            interaction.person,
            interaction.place,
            language=interaction.words.language,
            audience=audience,
        )
        async with aclosing(steps):
            async for told in steps:
                last = told
                if time.monotonic() - shown >= self._pace:
                    await self._show(interaction, told)
                    shown, last = time.monotonic(), None
        if last is not None:
            await self._show(interaction, last)

    async def choose(self, interaction: Interaction) -> None:
        """Carry out what a button stands for that everyone may press, without the presser's rights."""
        await interaction.defer()
        steps = self._commands.run(
            interaction.custom_id.removeprefix(f"{CHOOSE}:"),
            replace(interaction.person, groups=frozenset(), admin=False),
            interaction.place,
            language=interaction.words.language,
        )
        async with aclosing(steps):
            async for told in steps:
                await self._show(interaction, told)

    async def confirmed(self, interaction: Interaction) -> None:
        """Carry out what a button confirms, or take the question away."""
        await interaction.update(render.line_payload("…"))
        if interaction.custom_id == CANCEL:
            await interaction.withdraw()
            return
        await self.run(interaction, interaction.custom_id.removeprefix(f"{CONFIRM}:"))

    async def form(self, interaction: Interaction) -> None:
        """Open the form that a button stands for."""
        if not await self._modals.again(interaction):
            await self._open_form(interaction)

    async def complete(self, interaction: Interaction) -> None:
        """Offer the names of sources that fit what is typed so far."""
        wanted = _focused(interaction.data["data"].get("options", ()))
        audience = await self._audience(interaction)
        names = await self._commands.source_names(
            wanted, interaction.person, interaction.place, audience=audience
        )
        await interaction.choices(names)

    async def suggested(self, interaction: Interaction, number: int) -> str:
        """Return a question that the person's home suggests; empty when it does no more."""
        if self._home is None:
            return ""
        audience = await self._surface.audience(interaction.place, interaction.person.id, private=True)
        view = await self._home.view(interaction.person, audience, language=interaction.words.language)
        return view.suggested[number] if number < len(view.suggested) else ""

    async def _open_form(self, interaction: Interaction) -> None:
        """Open the form for adding. It has to be the first response, so nothing is said before."""
        steps = self._commands.run(
            "add", interaction.person, interaction.place, language=interaction.words.language
        )
        async with aclosing(steps):
            async for told in steps:
                if told.form is not None:
                    await self._modals.open(interaction, told.form)
                else:
                    await self._show(interaction, told)

    async def _add_file(self, interaction: Interaction, identifier: str) -> None:
        await interaction.defer()
        given = attachment(interaction.data["data"]["resolved"]["attachments"][identifier])
        data = await download(given, limit=LARGEST, api_url=self._api_url)
        said = await self._curated.add_file(
            given.name, data, interaction.person, interaction.place, language=interaction.words.language
        )
        await interaction.line(said)

    async def _show(self, interaction: Interaction, told: Told) -> None:
        if told.form is not None:
            await self._modals.open(interaction, told.form)
            return
        payload = render.told_payload(told, interaction.words)
        if told.confirm is not None:
            payload = _confirming(payload, told.confirm.command)
        await interaction.say(payload)

    async def _show_home(self, interaction: Interaction) -> None:
        """Show below the help what is known and what may be asked."""
        if self._home is None:
            return
        audience = await self._audience(interaction)
        if audience is not None:
            language = interaction.words.language
            view = await self._home.view(interaction.person, audience, language=language)
            await interaction.add(render_home.home_payload(view, interaction.words))

    async def _audience(self, interaction: Interaction) -> Audience | None:
        """Return what the person may see, None when Discord does not tell now: then less is shown."""
        try:
            return await self._surface.audience(interaction.place, interaction.person.id, private=True)
        except SurfaceError as exc:
            log.info("discord audience unknown for a command: %s", exc)
            return None


def typed(verb: str, options: Mapping[str, Any]) -> str:
    """Return a subcommand with its options as it would be typed."""
    words = [verb]
    if verb == "add":
        words.append(_quoted(options["location"]))
        for option, keyword in (("every", "every"), ("name", "as"), ("audience", "for")):
            if options.get(option):
                words += [keyword, _quoted(options[option])]
    elif options.get("source"):
        words.append(_quoted(options["source"]))
    if options.get("allow_deletes"):
        words += ["allow", "deletes"]
    return " ".join(words)


def _quoted(value: object) -> str:
    """Keep a value together. A quotation mark in it cannot end it, for it is taken out."""
    return '"' + str(value).replace('"', "").replace("“", "").replace("”", "") + '"'


def _confirming(payload: Mapping[str, Any], command: str) -> dict[str, Any]:
    """Put the command into the button's id, so that it is known after a restart, too."""
    identifier = f"{CONFIRM}:{command}"[:_ID_LENGTH]

    def renamed(component: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(component)
        if found.get("custom_id") == CONFIRM:
            found["custom_id"] = identifier
        if "components" in found:
            found["components"] = [renamed(one) for one in found["components"]]
        if "accessory" in found:
            found["accessory"] = renamed(found["accessory"])
        return found

    return {**payload, "components": [renamed(one) for one in payload["components"]]}


def _focused(options: Any) -> str:  # noqa: ANN401 - nested as Discord sends it
    """Return what is typed so far in the option that is being typed."""
    for option in options:
        if option.get("focused"):
            return str(option.get("value", ""))
        if found := _focused(option.get("options", ())):
            return found
    return ""
