"""Forms on Discord: opened as the first response to a command or button, seen to when they are sent back."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.discord import events, render, render_forms
from adapters.discord.api import DiscordApi, Message, snowflake
from adapters.discord.asking import names, target
from adapters.discord.interactions import Interaction
from bot.curated import Quoted
from bot.errors import SurfaceError
from bot.forms import FieldError, Form, FormAction

if TYPE_CHECKING:
    from bot.aftercare import Aftercare
    from bot.chat_commands import ChatCommands
    from bot.curated import Curated

log = logging.getLogger(__name__)

FORM, COMMENT = "lk:form:", "lk:comment:"
_REMEMBERED = 500
_FIELDS = 5  # that a modal holds
_QUOTED = 50  # messages of a thread that are saved together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A form that someone has open: its fields, the values of those left out, what was wrong with it."""

    form: Form
    kept: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


class Modals:
    """Opens forms, and keeps one that was sent back with a mistake until it is opened again."""

    def __init__(
        self, api: DiscordApi, *, commands: ChatCommands, curated: Curated, aftercare: Aftercare
    ) -> None:
        self._api = api
        self._commands = commands
        self._curated = curated
        self._aftercare = aftercare
        self._forms: OrderedDict[tuple[str, str], _Opened] = OrderedDict()

    async def open(self, interaction: Interaction, form: Form) -> None:
        """Open a form; where something was said already, show a button that opens it.

        A modal holds five fields: what may be left out of a longer form keeps the value it was filled with.
        """
        form, kept = fitted(form)
        self._remember(interaction, _Opened(form=form, kept=kept))
        if interaction.responded:
            await interaction.say(render_forms.form_payload(form, interaction.words))
        else:
            await interaction.modal(render_forms.form_modal(form))

    async def again(self, interaction: Interaction) -> bool:
        """Open the form of a button, with what was given before; False when it is not known any more."""
        action = interaction.custom_id.removeprefix(FORM)
        known = self._forms.get((interaction.person.id, action))
        if known is None:
            return False
        await interaction.modal(render_forms.form_modal(known.form, errors=known.errors))
        return True

    async def save(self, interaction: Interaction) -> None:
        """Open the form in which a message, or the thread that it began, is made a document."""
        message = target(interaction)
        channel, server = str(interaction.data["channel_id"]), interaction.place.workspace or "@me"
        quoted = [_quoted(one) for one in (message, *await self._thread(interaction, message))]
        form = self._curated.draft(
            "",
            quoted,
            f"https://discord.com/channels/{server}/{channel}/{message['id']}",
            interaction.person.name,
            interaction.place,
            language=interaction.words.language,
        )
        await self.open(interaction, form)

    async def comment(self, interaction: Interaction, answer: str) -> None:
        """Ask what was wrong with an answer."""
        await interaction.modal(render_forms.comment_modal(answer, interaction.words))

    async def submitted(self, interaction: Interaction) -> None:
        """See to a form that was sent back."""
        values = render_forms.submitted(interaction.data["data"])
        if interaction.custom_id.startswith(COMMENT):
            answer, comment = interaction.custom_id.removeprefix(COMMENT), values.get("comment", "")
            said = await self._aftercare.feedback(answer, interaction.person, good=False, comment=comment)
            await interaction.line(said)
            return
        await self._form(interaction, _action(interaction.custom_id), values)

    async def _form(self, interaction: Interaction, action: FormAction, values: Mapping[str, str]) -> None:
        await interaction.defer()
        key = (interaction.person.id, action)
        known = self._forms.get(key)
        if known is not None:
            values = {**known.kept, **values}
        try:
            told = await self._commands.submit(
                action, values, interaction.person, interaction.place, language=interaction.words.language
            )
        except FieldError as exc:
            await self._mistaken(interaction, known, values, exc)
            return
        self._forms.pop(key, None)
        await interaction.say(render.told_payload(told, interaction.words))

    async def _mistaken(
        self, interaction: Interaction, known: _Opened | None, values: Mapping[str, str], exc: FieldError
    ) -> None:
        """Say what is wrong, with a button to the form as it was sent: Discord opens none by itself."""
        if known is None:
            await interaction.line(str(exc), failed=True)
            return
        filled = [replace(one, value=values.get(one.name, one.value)) for one in known.form.fields]
        form = replace(known.form, fields=tuple(filled))
        self._remember(interaction, replace(known, form=form, errors={exc.field: str(exc)}))
        await interaction.say(render_forms.form_payload(form, interaction.words, line=str(exc)))

    def _remember(self, interaction: Interaction, opened: _Opened) -> None:
        key = (interaction.person.id, opened.form.action)
        self._forms[key] = opened
        self._forms.move_to_end(key)
        while len(self._forms) > _REMEMBERED:
            self._forms.popitem(last=False)

    async def _thread(self, interaction: Interaction, message: Message) -> Sequence[Message]:
        """Return what was said in the thread of a message, or behind it in its thread."""
        thread = interaction.place.thread or (str(message["id"]) if message.get("thread") else "")
        begins = not interaction.place.thread or str(message["id"]) == thread
        if not thread or not begins:
            return ()
        found: list[Message] = []
        try:
            async for one in self._api.messages(thread, after=snowflake(0)):
                if str(one["id"]) != str(message["id"]) and one.get("type", 0) in events.WRITTEN:
                    found.append(one)
                if len(found) == _QUOTED:
                    break
        except SurfaceError as exc:
            log.info("discord thread not saved with its message: %s", exc)
        return found


def fitted(form: Form) -> tuple[Form, dict[str, str]]:
    """Leave the last fields out that are optional and filled already, until a modal holds the rest.

    Return the form and the values of what was left out.
    """
    surplus = len(form.fields) - _FIELDS
    spare = [one for one in form.fields if one.optional and one.value and not one.choices]
    dropped = {one.name: one.value for one in spare[-surplus:]} if surplus > 0 else {}
    return replace(form, fields=tuple(one for one in form.fields if one.name not in dropped)), dropped


def _action(custom_id: str) -> FormAction:
    return "save" if custom_id.removeprefix(FORM) == "save" else "add"


def _quoted(message: Mapping[str, Any]) -> Quoted:
    author = message.get("author", {})
    return Quoted(
        author=str(author.get("global_name") or author.get("username") or ""),
        text=events.message_text(message, names=names(message)),
        at=_seconds(str(message.get("timestamp", ""))),
    )


def _seconds(timestamp: str) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return 0.0
