"""The commands about personas as typed in a chat: on and off for oneself, a channel, everywhere."""

from __future__ import annotations

import difflib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat import Person, Place
from bot.errors import CommandError
from bot.forms import Told
from bot.output_gate import defang_line
from bot.persona_guard import EVERYWHERE, Scope
from bot.personas import choose_model
from bot.rights import Platforms, require, settings_of
from bot.texts import texts
from kb.documents import EVERYONE
from kb.errors import StoreError

if TYPE_CHECKING:
    from bot.persona_guard import PersonaGuard
    from bot.personas import Personas

USAGE = (
    "`list`, `on NAME [here|everywhere]`, `off [here|everywhere]`, `auto [here|everywhere]` "
    "or `vote QUESTION`"
)
_VERBS = ("list", "on", "off", "auto", "help")
_SCOPES: dict[str, Scope] = {"me": "person", "here": "channel", "everywhere": "all"}
_WHERE: dict[Scope, str] = {"person": "for you", "channel": "in this channel", "all": "everywhere"}


# What stands behind `vote`, who typed it, where and in which language; see `bot.vote_commands.ChannelVotes`.
Vote = Callable[[str, Person, Place, str], Awaitable[Told]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """A command as it was meant."""

    verb: str
    name: str = ""
    scope: Scope = "person"


class PersonaCommands:
    """Carries out what is typed behind `/persona`. Everyone chooses for themselves; admins for others."""

    def __init__(
        self,
        personas: Personas,
        guard: PersonaGuard,
        platforms: Platforms,
        *,
        vote: Vote | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._personas = personas
        self._guard = guard
        self._platforms = platforms
        self._vote = vote
        self._clock = clock

    async def run(self, text: str, person: Person, place: Place, *, language: str = "") -> Told:
        """Carry out a command; whatever is wrong with it is told, never raised."""
        words = texts(language or settings_of(person.platform, self._platforms).language)
        verb, _, rest = text.strip().partition(" ")
        if verb.lower() == "vote" and self._vote is not None:
            return await self._vote(rest, person, place, language)
        try:
            typed = _parse(text)
            if typed.scope != "person":
                require(person, self._platforms, words)
            match typed.verb:
                case "list":
                    return Told(text=await self._list(person, place))
                case "on":
                    return Told(text=await self._on(typed, person, place))
                case "off" | "auto":
                    return Told(text=await self._off(typed, person, place))
                case _:
                    return Told(text=f"Personas: {USAGE}.")
        except (CommandError, StoreError) as exc:
            return Told(text=defang_line(str(exc)), failed=True)

    def names(self, prefix: str) -> list[str]:
        """Return the names of personas that begin with a prefix, for completion."""
        return [name for name in self._personas.names if name.lower().startswith(prefix.strip().lower())][:25]

    async def _list(self, person: Person, place: Place) -> str:
        if not self._personas.settings.enabled:
            return "Personas are switched off. Whoever runs the bot sets `[persona] enabled`."
        lines = [await self._line(name) for name in self._personas.names]
        own, channel, everywhere = await self._guard.chosen(_person(person), place.key)
        chosen: tuple[tuple[Scope, str | None], ...] = (
            ("person", own),
            ("channel", channel),
            ("all", everywhere),
        )
        for scope, name in chosen:
            if name is not None:
                lines.append(
                    f"_{_WHERE[scope].capitalize()}: {f'**{defang_line(name)}**' if name else 'off'}_"
                )
        return "\n".join(lines)

    async def _line(self, name: str) -> str:
        choice = choose_model(name, self._personas)
        told = f"- **{defang_line(name)}**"
        if choice.voice is None:
            return f"{told}: {defang_line(choice.reason)}"
        told += f": in the voice of {defang_line(choice.shown)} ({choice.mode})"
        if (pause := await self._guard.pause_of(name)) is not None:
            hours = max(1, round((pause.until - self._clock()) / 3600))
            told += f" - switched off for about {hours} h: {pause.reason}"
        return told

    async def _on(self, typed: _Typed, person: Person, place: Place) -> str:
        choice = choose_model(typed.name, self._personas)
        if choice.voice is None:
            raise CommandError(choice.reason)
        # To switch a voice on everywhere lifts the stop; places keep what they chose.
        chosen = None if typed.scope == "all" else choice.name
        await self._guard.choose(
            typed.scope, self._key(typed.scope, person, place), chosen, by=_person(person)
        )
        if typed.scope == "all":
            await self._guard.resume(choice.name)
            return f"**{defang_line(choice.name)}** may speak again wherever it is on."
        where = _WHERE[typed.scope]
        return f"Answers {where} are now in the voice of {defang_line(choice.shown)}. To end it: `off`."

    async def _off(self, typed: _Typed, person: Person, place: Place) -> str:
        chosen = "" if typed.verb == "off" else None
        await self._guard.choose(
            typed.scope, self._key(typed.scope, person, place), chosen, by=_person(person)
        )
        where = _WHERE[typed.scope]
        if chosen is None:
            return f"What was chosen {where} is forgotten: the settings count."
        return f"Answers {where} are plain from now on."

    def _key(self, scope: Scope, person: Person, place: Place) -> str:
        keys: dict[Scope, str] = {"person": _person(person), "channel": place.key, "all": EVERYWHERE}
        return keys[scope]


def _person(person: Person) -> str:
    """Return the id under which the assistant knows a person."""
    return person.asker(EVERYONE).id


def _parse(text: str) -> _Typed:
    words = text.split()
    verb = words[0].lower() if words else "list"
    if verb not in _VERBS:
        close = difflib.get_close_matches(verb, _VERBS, n=1, cutoff=0.5)
        hint = f" Did you mean `{close[0]}`?" if close else ""
        raise CommandError(f"There is no command {verb!r}.{hint} There are: {USAGE}.")
    rest = words[1:]
    scope: Scope = "person"
    if verb in {"on", "off", "auto"} and rest and rest[-1].lower() in _SCOPES:
        scope = _SCOPES[rest.pop().lower()]
    name = rest.pop(0) if verb == "on" and rest else ""
    if rest:
        raise CommandError(f"I do not understand {rest[0]!r}. Write {USAGE}.")
    if verb == "on" and not name:
        raise CommandError("Which persona? Write `on NAME`; `list` shows their names.")
    return _Typed(verb=verb, name=name, scope=scope)
