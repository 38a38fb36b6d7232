"""The commands about personas as typed in a chat: on and off for oneself, a channel, everywhere."""

from __future__ import annotations

import difflib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat import Person, Place
from bot.errors import CommandError
from bot.failing import failure_line
from bot.forms import Told
from bot.output_gate import defang_line
from bot.persona_guard import EVERYWHERE, Scope
from bot.persona_texts import COMMAND, PersonaTexts, persona_texts, translated
from bot.personas import choose_model
from bot.rights import Platforms, require, settings_of
from bot.texts import Texts, texts
from kb.documents import EVERYONE
from kb.errors import StoreError

if TYPE_CHECKING:
    from bot.persona_guard import PersonaGuard
    from bot.personas import Personas

_VERBS = ("list", "on", "off", "auto", "help")
_SCOPES: dict[str, Scope] = {"me": "person", "here": "channel", "everywhere": "all"}


# What stands behind `vote`, who typed it, where and in which language; see `bot.vote_commands.ChannelVotes`.
Vote = Callable[[str, Person, Place, str], Awaitable[Told]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """A command as it was meant."""

    verb: str
    name: str = ""
    scope: Scope = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How whoever typed a command is answered: in which words, and what they call the command."""

    words: Texts
    lines: PersonaTexts
    command: str

    @classmethod
    def to(cls, person: Person, platforms: Platforms, language: str) -> Speech:
        """Return it for a person; without a language it is that of their platform."""
        settings = settings_of(person.platform, platforms)
        spoken = language or settings.language
        command = str(getattr(settings, "persona_command", COMMAND))
        return cls(words=texts(spoken), lines=persona_texts(spoken), command=command)

    def line(self, text: str, **blanks: object) -> str:
        """Fill in a line of `lines`."""
        return text.format(command=self.command, **blanks)

    def failed(self, error: Exception) -> Told:
        """Return what is told of an error."""
        if not isinstance(error, CommandError):
            return Told(text=failure_line(error, self.words), failed=True)
        said = translated(str(error), self.lines, command=self.command)
        return Told(text=defang_line(said), failed=True)


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
        speech = Speech.to(person, self._platforms, language)
        verb, _, rest = text.strip().partition(" ")
        if verb.lower() == "vote" and self._vote is not None:
            return await self._vote(rest, person, place, language)
        try:
            typed = _parse(text, speech)
            if typed.scope != "person":
                require(person, self._platforms, speech.words)
            match typed.verb:
                case "list":
                    return Told(text=await self._list(person, place, speech))
                case "on":
                    return Told(text=await self._on(typed, person, place, speech))
                case "off" | "auto":
                    return Told(text=await self._off(typed, person, place, speech))
                case _:
                    return Told(text=speech.line(speech.lines.personas, usage=_usage(speech)))
        except (CommandError, StoreError) as exc:
            return speech.failed(exc)

    def names(self, prefix: str) -> list[str]:
        """Return the names of personas that begin with a prefix, for completion."""
        return [name for name in self._personas.names if name.lower().startswith(prefix.strip().lower())][:25]

    async def _list(self, person: Person, place: Place, speech: Speech) -> str:
        lines = speech.lines
        if not self._personas.settings.enabled:
            return lines.personas_off
        told = [await self._line(name, speech) for name in self._personas.names]
        chosen = await self._guard.chosen(_person(person), place.key)
        for scope, name in zip(("person", "channel", "all"), chosen, strict=True):
            if name is not None:
                what = f"**{defang_line(name)}**" if name else lines.off
                told.append(f"_{lines.chosen[scope].format(what=what)}_")
        return "\n".join(told)

    async def _line(self, name: str, speech: Speech) -> str:
        choice = choose_model(name, self._personas)
        shown, lines = f"**{defang_line(name)}**", speech.lines
        if choice.voice is None:
            reason = defang_line(translated(choice.reason, lines))
            return f"- {speech.words.labelled(shown, reason)}"
        who, mode = defang_line(choice.shown), lines.modes[choice.mode]
        told = f"- {lines.voice_line.format(name=shown, who=who, mode=mode)}"
        if (pause := await self._guard.pause_of(name)) is not None:
            when = speech.words.when(pause.until, self._clock())
            reason = translated(pause.reason, lines)
            told += f" - {lines.switched_off.format(when=when, reason=reason)}"
        return told

    async def _on(self, typed: _Typed, person: Person, place: Place, speech: Speech) -> str:
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
        name, who = f"**{defang_line(choice.name)}**", defang_line(choice.shown)
        return speech.line(speech.lines.now_on[typed.scope], name=name, who=who)

    async def _off(self, typed: _Typed, person: Person, place: Place, speech: Speech) -> str:
        chosen = "" if typed.verb == "off" else None
        await self._guard.choose(
            typed.scope, self._key(typed.scope, person, place), chosen, by=_person(person)
        )
        done = speech.lines.forgotten if chosen is None else speech.lines.now_off
        return speech.line(done[typed.scope])

    def _key(self, scope: Scope, person: Person, place: Place) -> str:
        keys: dict[Scope, str] = {"person": _person(person), "channel": place.key, "all": EVERYWHERE}
        return keys[scope]


def _person(person: Person) -> str:
    """Return the id under which the assistant knows a person."""
    return person.asker(EVERYONE).id


def _usage(speech: Speech) -> str:
    return speech.line(speech.lines.usage)


def _parse(text: str, speech: Speech) -> _Typed:
    words, lines = text.split(), speech.lines
    verb = words[0].lower() if words else "list"
    if verb not in _VERBS:
        close = difflib.get_close_matches(verb, _VERBS, n=1, cutoff=0.5)
        hint = " " + speech.words.did_you_mean.format(command=f"{speech.command} {close[0]}") if close else ""
        raise CommandError(lines.unknown_command.format(word=verb, usage=_usage(speech)) + hint)
    rest = words[1:]
    scope: Scope = "person"
    if verb in {"on", "off", "auto"} and rest and rest[-1].lower() in _SCOPES:
        scope = _SCOPES[rest.pop().lower()]
    name = rest.pop(0) if verb == "on" and rest else ""
    if rest:
        raise CommandError(lines.wrong_word.format(word=rest[0], usage=_usage(speech)))
    if verb == "on" and not name:
        raise CommandError(speech.line(lines.which_persona))
    return _Typed(verb=verb, name=name, scope=scope)
