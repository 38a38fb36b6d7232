"""What people do with the bot beyond writing: commands, buttons, menus, forms; answered within three seconds.

Interactions are read as the gateway's payload has them; presses on buttons are brought into that form by
`pressing`. Nothing depends on what this process remembers: what a button does is in its custom id, so buttons
under old answers work after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adapters.discord import events, render
from adapters.discord.api import (
    CHOICES,
    DEFERRED,
    DEFERRED_UPDATE,
    EPHEMERAL,
    MODAL,
    REPLY,
    UPDATE,
    DiscordApi,
    Payload,
)
from bot.chat import Person, Place
from bot.errors import CommandError, SurfaceError
from bot.failing import failure_line
from bot.texts import Texts, speaks
from kb.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from adapters.discord.places import Places
    from adapters.discord.surface import DiscordSurface

log = logging.getLogger(__name__)

COMMAND, COMPONENT, AUTOCOMPLETE, SUBMITTED = 2, 3, 4, 5
_CHOICES_SHOWN = 25


class Interaction:
    """One interaction: who, where, and how it is answered.

    A private response is seen by the person alone. The first response comes once; later ones replace it.
    """

    def __init__(self, api: DiscordApi, data: Mapping[str, Any], *, place: Place, words: Texts) -> None:
        self._api = api
        self.data = data
        self.place = place
        self.words = words
        self.person: Person = events.person_of(data)
        self.responded = False
        self._beside = False  # what is said stands beside the message of the button

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.data["id"])

    @property
    def custom_id(self) -> str:
        """The id of the button or form, empty for a command."""
        return str(self.data["data"].get("custom_id", ""))

    async def defer(self, *, private: bool = True) -> None:
        """Say that an answer will come; it is edited in later."""
        await self._first(DEFERRED, {"flags": EPHEMERAL} if private else {})

    async def hold(self) -> None:
        """Take a press without a word, and leave its message as it is; a line may be said beside it."""
        self._beside = True
        await self._first(DEFERRED_UPDATE, {})

    async def modal(self, payload: Payload) -> None:
        """Open a form. Only the first response can."""
        await self._first(MODAL, payload)

    async def choices(self, names: Sequence[str]) -> None:
        """Offer these names while an option is typed."""
        offered = [{"name": name[:100], "value": name[:100]} for name in names[:_CHOICES_SHOWN]]
        await self._first(CHOICES, {"choices": offered})

    async def say(self, *payloads: Payload) -> None:
        """Show messages to the person alone, in place of what was shown so far."""
        if self._beside:
            await self.add(payloads[0])
        elif not self.responded:
            await self._first(REPLY, _privately(payloads[0]))
        else:
            await self._api.edit_answer(self._application, self._token, payloads[0])
        for payload in payloads[1:]:
            await self.add(payload)

    async def add(self, payload: Payload) -> None:
        """Show one more message below, to the person alone."""
        await self._api.add_answer(self._application, self._token, payload, ephemeral=True)

    async def update(self, payload: Payload) -> None:
        """Replace the message whose button was pressed; what is said later replaces it again."""
        await self._first(UPDATE, payload)

    async def withdraw(self) -> None:
        """Take away what was shown."""
        await self._api.delete_answer(self._application, self._token)

    async def line(self, line: str, *, failed: bool = False) -> None:
        """Show one line to the person alone."""
        await self.say(render.line_payload(line, failed=failed))

    @property
    def _application(self) -> str:
        return str(self.data["application_id"])

    @property
    def _token(self) -> str:
        return str(self.data["token"])

    async def _first(self, kind: int, data: Payload) -> None:
        self.responded = True
        await self._api.respond(self.id, self._token, kind, data)


def _privately(payload: Payload) -> Payload:
    return {**payload, "flags": payload.get("flags", 0) | EPHEMERAL}


Handler = Callable[[Interaction], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """Who sees to which kind of interaction."""

    command: Handler
    component: Handler
    submitted: Handler
    autocomplete: Handler


class Interactions:
    """Hands each interaction to who sees to it, and says so when that fails."""

    def __init__(
        self, api: DiscordApi, *, places: Places, surface: DiscordSurface, handlers: Handlers
    ) -> None:
        self._api = api
        self._places = places
        self._surface = surface
        self._handlers: Mapping[int, Handler] = {
            COMMAND: handlers.command,
            COMPONENT: handlers.component,
            AUTOCOMPLETE: handlers.autocomplete,
            SUBMITTED: handlers.submitted,
        }

    async def take(self, data: Mapping[str, Any]) -> None:
        """See to one interaction. It raises nothing."""
        handler = self._handlers.get(data.get("type", 0))
        if handler is None:
            return
        try:
            interaction = await self._opened(data)
        except SurfaceError as exc:
            log.warning("discord interaction %s in an unknown place: %s", data.get("id"), exc)
            return
        await self._guarded(interaction, handler)

    async def _opened(self, data: Mapping[str, Any]) -> Interaction:
        spot = await self._places.spot(str(data.get("guild_id") or ""), str(data["channel_id"]))
        # Whoever presses or types is spoken to in their own language, where no setting says another one.
        locale = str(data.get("locale") or "")
        place = replace(spot.place, language=locale) if speaks(locale) else spot.place
        return Interaction(self._api, data, place=place, words=self._surface.words(place))

    async def _guarded(self, interaction: Interaction, handler: Handler) -> None:
        try:
            await handler(interaction)
        except asyncio.CancelledError:
            raise
        except CommandError as exc:
            await _tell(interaction, failure_line(exc, interaction.words))
        except SurfaceError as exc:
            log.warning("discord interaction %s not answered: %s", interaction.id, exc)
            await _tell(interaction, interaction.words.busy.format(id=interaction.id[-8:]))
        except KnowledgeBaseError as exc:
            log.warning("discord interaction %s not carried out: %s", interaction.id, exc)
            await _tell(interaction, interaction.words.busy.format(id=interaction.id[-8:]))
        except Exception:  # the edge of a task: whoever pressed is told, the log has the rest
            code = uuid.uuid4().hex[:8]
            log.exception("discord interaction failed log=%s", code)
            await _tell(interaction, interaction.words.failed.format(id=code))


async def _tell(interaction: Interaction, line: str) -> None:
    if interaction.data.get("type") == AUTOCOMPLETE:
        return
    try:
        await interaction.line(line, failed=True)
    except SurfaceError as exc:
        log.info("discord interaction %s: not told of the failure: %s", interaction.id, exc)
