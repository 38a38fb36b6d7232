"""The blind vote as it is run in a channel: `vote QUESTION`, its three buttons, `vote close`.

Neutral: what is said goes to the person alone or into the channel, and the platform's adapter carries it
there. Who has no use for buttons types `vote A`, `vote B` or `vote same`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.channels import ChannelRules
from bot.chat import Choice, Person, Place, Surface
from bot.errors import CommandError, SurfaceError
from bot.failing import failure_line
from bot.forms import Told
from bot.messages import Asker, Question
from bot.output_gate import defang, defang_line
from bot.persona_commands import Speech
from bot.personas import choose_model
from bot.rights import Platforms, require
from bot.texts import texts
from bot.voting import Ballot, BlindVotes, Counted, Pick
from kb.errors import StoreError

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.persona_texts import PersonaTexts
    from bot.personas import Personas
    from kb.documents import Audience

log = logging.getLogger(__name__)

LONGEST_QUESTION = 500
_PICKS: dict[str, Pick] = {
    "a": "first",
    "1": "first",
    "first": "first",
    "b": "second",
    "2": "second",
    "second": "second",
    "same": "neither",
    "equal": "neither",
    "neither": "neither",
    "=": "neither",
}
_BUTTONS: Mapping[Pick, str] = {"first": "a", "second": "b", "neither": "same"}
_BALLOT = re.compile(r"[0-9a-f]{32}")
_PLAIN_ASKER = "persona-vote"  # no person has this id: nobody chose a voice for it


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteTold:
    """What a vote says: `told` to the person alone, `post` to the channel, in Markdown, where there is any.

    `ballot` is the id of the ballot that was posted, `choices` the buttons under it: what they stand for
    comes back to `VoteCommands.run`, whichever process runs it then.
    """

    told: Told
    post: str = ""
    ballot: str = ""
    choices: tuple[Choice, ...] = ()


class ChannelVotes:
    """Carries what a vote says to where it belongs; `surface` finds a platform by its name."""

    def __init__(self, votes: VoteCommands, surface: Callable[[str], Surface]) -> None:
        self._votes = votes
        self._surface = surface

    async def run(self, text: str, person: Person, place: Place, language: str) -> Told:
        """Carry out what stands behind `vote`; the channel sees the answers, the person what is returned."""
        # All of the channel sees it, also where a thread of a few is the place of who typed.
        place = replace(place, thread="", room="")
        said = VoteTold(told=Told(text=""))
        try:
            surface = self._surface(place.platform)
            audience = await surface.audience(place, person.id, private=False)
            said = await self._votes.run(text, person, place, audience=audience, language=language)
            if said.post:
                await surface.notify(place.workspace, place.channel, said.post, said.choices)
        except SurfaceError as exc:
            if said.choices:
                await self._votes.abandon(said.ballot)
            return Told(text=failure_line(exc, texts(language)), failed=True)
        return said.told


class VoteCommands:
    """Runs blind votes in channels. Whoever may change settings begins and ends them; all may vote."""

    def __init__(
        self,
        votes: BlindVotes,
        assistant: Assistant,
        personas: Personas,
        platforms: Platforms,
        *,
        rules: ChannelRules | None = None,
    ) -> None:
        """Make it; `rules` tell which language a channel reads."""
        self._votes = votes
        self._assistant = assistant
        self._personas = personas
        self._platforms = platforms
        self._rules = rules or ChannelRules((), platforms)

    async def run(
        self, text: str, person: Person, place: Place, *, audience: Audience, language: str = ""
    ) -> VoteTold:
        """Carry out what stands behind `vote`; whatever is wrong with it is told, never raised.

        `audience` is what every member of the place may see: the answers are posted there.
        """
        speech = Speech.to(person, self._platforms, language)
        wanted = " ".join(text.split())
        word = wanted.lower()
        picked, _, named = word.partition(" ")
        try:
            if (pick := _PICKS.get(picked)) and (not named or _BALLOT.fullmatch(named)):
                ballot = named or (await self._standing(place, speech)).id
                return VoteTold(told=await self.cast(ballot, pick, person, language=language))
            if word in {"", "help"}:
                return VoteTold(told=Told(text=speech.lines.votes.format(usage=_usage(speech))))
            require(person, self._platforms, speech.words)
            if word in {"close", "end"}:
                return await self._close(person, place, speech)
            return await self._begin(wanted, person, place, audience, speech)
        except (CommandError, StoreError) as exc:
            return VoteTold(told=speech.failed(exc))

    async def cast(self, ballot: str, pick: Pick, person: Person, *, language: str = "") -> Told:
        """Keep a person's vote, in place of the one that they gave before; the line is for them alone."""
        speech = Speech.to(person, self._platforms, language)
        try:
            before = await self._votes.cast(ballot, _voter(person), pick)
        except (CommandError, StoreError) as exc:
            return speech.failed(exc)
        lines = speech.lines
        said = lines.voted_already if before == pick else lines.voted
        return Told(text=said.format(pick=lines.picks[pick]))

    async def abandon(self, ballot: str) -> None:
        """End a ballot that nobody has seen."""
        try:
            await self._votes.close(ballot)
        except (CommandError, StoreError) as exc:
            log.warning("ballot %s: not ended: %s", ballot[:8], exc)

    async def _standing(self, place: Place, speech: Speech) -> Ballot:
        ballot = await self._votes.latest(place.key)
        if ballot is None:
            raise CommandError(speech.lines.no_vote.format(usage=_usage(speech)))
        return ballot

    async def _close(self, person: Person, place: Place, speech: Speech) -> VoteTold:
        ballot = await self._standing(place, speech)
        counted = await self._votes.close(ballot.id)
        lines = self._to_all(person, place, speech).lines
        return VoteTold(
            told=Told(text=speech.lines.vote_ended),
            post=result_text(ballot, counted, self._shown(ballot), lines),
            ballot=ballot.id,
        )

    async def _begin(
        self, question: str, person: Person, place: Place, audience: Audience, speech: Speech
    ) -> VoteTold:
        lines = speech.lines
        if place.kind == "direct":
            raise CommandError(lines.vote_needs_channel)
        if len(question) > LONGEST_QUESTION:
            raise CommandError(lines.question_too_long.format(most=LONGEST_QUESTION))
        if await self._votes.latest(place.key) is not None:
            raise CommandError(speech.line(lines.vote_standing))
        name, wanted = self._named(question)
        # Whoever begins a vote may switch voices on here: this one is on for it, unless all are off.
        asked = Question(
            text=wanted,
            asker=person.asker(audience),
            persona=name,
            place_persona=name,
            place=place.key,
            language=self._to_all(person, place, speech).lines.language,
        )
        nobody = Asker(id=_PLAIN_ASKER, audience=audience)
        plain, voiced = await asyncio.gather(
            self._assistant.answer(replace(asked, asker=nobody, persona=None, place_persona=None, place="")),
            self._assistant.answer(asked),
        )
        ballot = await self._votes.open(wanted, plain=plain, voiced=voiced, place=place.key)
        to_all = self._to_all(person, place, speech)
        return VoteTold(
            told=Told(text=lines.vote_begun),
            post=ballot_text(ballot, self._shown(ballot), to_all),
            ballot=ballot.id,
            choices=ballot_choices(ballot, to_all.lines),
        )

    def _to_all(self, person: Person, place: Place, speech: Speech) -> Speech:
        """Return the words for all who read a place; without a language of its own, those of who typed."""
        language = self._rules.of(place).language or speech.lines.language
        return Speech.to(person, self._platforms, language)

    def _named(self, question: str) -> tuple[str, str]:
        """Return the persona and the question; `NAME: question` picks a persona."""
        head, colon, rest = question.partition(":")
        if colon and rest.strip() and self._personas.voice(head.strip()) is not None:
            name, question = head.strip(), rest.strip()
        else:
            name = next(iter(self._personas.names), "")
        choice = choose_model(name, self._personas)
        if choice.voice is None:
            raise CommandError(choice.reason)
        return choice.name, question

    def _shown(self, ballot: Ballot) -> str:
        return defang_line(choose_model(ballot.persona, self._personas).shown or ballot.persona)


def ballot_text(ballot: Ballot, who: str, speech: Speech) -> str:
    """Return what all read of a ballot, whose voice is `who`: Markdown that went through the output gate."""
    return "\n\n".join(
        (
            speech.lines.which_answer.format(who=who),
            f"**{defang_line(ballot.question)}**",
            f"**A**\n{defang(ballot.first)}",
            f"**B**\n{defang(ballot.second)}",
            f"_{speech.line(speech.lines.how_to_vote)}_",
        )
    )


def result_text(ballot: Ballot, counted: Counted, who: str, lines: PersonaTexts) -> str:
    """Return what all read when a vote has ended, as Markdown that went through the output gate."""
    side = "A" if ballot.voiced == "first" else "B"
    return "\n".join(
        (
            lines.ended.format(question=defang_line(ballot.question)),
            lines.side_told.format(side=side, who=who),
            lines.counted.format(voiced=counted.voiced, plain=counted.plain, neither=counted.neither),
        )
    )


def ballot_choices(ballot: Ballot, lines: PersonaTexts) -> tuple[Choice, ...]:
    """Return the buttons under a ballot; nothing in them tells the sides apart but their order."""
    return tuple(
        Choice(
            label=lines.picks[pick][:1].upper() + lines.picks[pick][1:],
            command=f"persona vote {word} {ballot.id}",
        )
        for pick, word in _BUTTONS.items()
    )


def _voter(person: Person) -> str:
    return f"{person.platform}:{person.workspace}:{person.id}"


def _usage(speech: Speech) -> str:
    return speech.line(speech.lines.vote_usage)
