"""The blind vote as it is run in a channel: `vote QUESTION`, `vote A`, `vote B`, `vote same`, `vote close`.

Neutral: what is said goes to the person alone or into the channel, and the platform's adapter carries it
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.chat import Person, Place, Surface
from bot.errors import CommandError, SurfaceError
from bot.forms import Told
from bot.messages import Asker, Question
from bot.output_gate import defang, defang_line
from bot.personas import choose_model
from bot.rights import Platforms, require, settings_of
from bot.texts import texts
from bot.voting import Ballot, BlindVotes, Counted, Pick
from kb.errors import StoreError

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.personas import Personas
    from kb.documents import Audience

USAGE = "`vote QUESTION` begins one, `vote A`, `vote B` or `vote same` votes, `vote close` ends it"
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
_SHOWN: dict[Pick, str] = {"first": "A", "second": "B", "neither": "no difference"}
_PLAIN_ASKER = "persona-vote"  # no person has this id: nobody chose a voice for it


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteTold:
    """What a vote says: `told` to the person alone, `post` to the channel, in Markdown, where there is any.

    `ballot` is the id of the ballot that was posted; buttons under it call `VoteCommands.cast` with it.
    """

    told: Told
    post: str = ""
    ballot: str = ""


class ChannelVotes:
    """Carries what a vote says to where it belongs; `surface` finds a platform by its name."""

    def __init__(self, votes: VoteCommands, surface: Callable[[str], Surface]) -> None:
        self._votes = votes
        self._surface = surface

    async def run(self, text: str, person: Person, place: Place, language: str) -> Told:
        """Carry out what stands behind `vote`; the channel sees the answers, the person what is returned."""
        try:
            surface = self._surface(place.platform)
            audience = await surface.audience(place, person.id, private=False)
            said = await self._votes.run(text, person, place, audience=audience, language=language)
            if said.post:
                await surface.notify(place.workspace, place.channel, said.post)
        except SurfaceError as exc:
            return _failed(exc)
        return said.told


class VoteCommands:
    """Runs blind votes in channels. Whoever may change settings begins and ends them; all may vote."""

    def __init__(
        self, votes: BlindVotes, assistant: Assistant, personas: Personas, platforms: Platforms
    ) -> None:
        self._votes = votes
        self._assistant = assistant
        self._personas = personas
        self._platforms = platforms

    async def run(
        self, text: str, person: Person, place: Place, *, audience: Audience, language: str = ""
    ) -> VoteTold:
        """Carry out what stands behind `vote`; whatever is wrong with it is told, never raised.

        `audience` is what every member of the place may see: the answers are posted there.
        """
        wanted = " ".join(text.split())
        word = wanted.lower()
        try:
            if pick := _PICKS.get(word):
                return VoteTold(told=await self._cast_here(pick, person, place))
            if word in {"", "help"}:
                return VoteTold(told=Told(text=f"Blind votes: {USAGE}."))
            words = texts(language or settings_of(person.platform, self._platforms).language)
            require(person, self._platforms, words)
            if word in {"close", "end"}:
                return await self._close(place)
            return await self._begin(wanted, person, place, audience)
        except (CommandError, StoreError) as exc:
            return VoteTold(told=_failed(exc))

    async def cast(self, ballot: str, pick: Pick, person: Person) -> Told:
        """Keep the vote of who pressed a button; the line is for them alone."""
        try:
            before = await self._votes.cast(ballot, _voter(person), pick)
        except (CommandError, StoreError) as exc:
            return _failed(exc)
        if before == pick:
            return Told(text=f"You had voted {_SHOWN[pick]} already.")
        return Told(text=f"Your vote is {_SHOWN[pick]}. You may change it until the vote ends.")

    async def _cast_here(self, pick: Pick, person: Person, place: Place) -> Told:
        return await self.cast((await self._standing(place)).id, pick, person)

    async def _standing(self, place: Place) -> Ballot:
        ballot = await self._votes.latest(place.key)
        if ballot is None:
            raise CommandError(f"Nothing is voted on here. {USAGE}.")
        return ballot

    async def _close(self, place: Place) -> VoteTold:
        ballot = await self._standing(place)
        counted = await self._votes.close(ballot.id)
        return VoteTold(
            told=Told(text="The vote has ended."), post=self._result(ballot, counted), ballot=ballot.id
        )

    async def _begin(self, question: str, person: Person, place: Place, audience: Audience) -> VoteTold:
        if place.kind == "direct":
            raise CommandError("A vote needs a channel. Begin it where others can vote.")
        if len(question) > LONGEST_QUESTION:
            raise CommandError(f"The question is too long. Use at most {LONGEST_QUESTION} characters.")
        if await self._votes.latest(place.key) is not None:
            raise CommandError("A vote is under way here. End it first: `vote close`.")
        name, wanted = self._named(question)
        asked = Question(text=wanted, asker=person.asker(audience), persona=name, place=place.key)
        nobody = Asker(id=_PLAIN_ASKER, audience=audience)
        plain, voiced = await asyncio.gather(
            self._assistant.answer(replace(asked, asker=nobody, persona=None, place="")),
            self._assistant.answer(asked),
        )
        ballot = await self._votes.open(wanted, plain=plain, voiced=voiced, place=place.key)
        return VoteTold(told=Told(text="The vote has begun."), post=self._posted(ballot), ballot=ballot.id)

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

    def _posted(self, ballot: Ballot) -> str:
        return "\n\n".join(
            (
                "**Which answer do you prefer?** One is plain, one is in the voice of "
                f"{self._shown(ballot)}; which is which is told at the end.",
                f"**{defang_line(ballot.question)}**",
                f"**A**\n{defang(ballot.first)}",
                f"**B**\n{defang(ballot.second)}",
                "_Only you see your vote: `vote A`, `vote B` or `vote same`._",
            )
        )

    def _result(self, ballot: Ballot, counted: Counted) -> str:
        side = "A" if ballot.voiced == "first" else "B"
        return "\n".join(
            (
                f"**The vote has ended:** {defang_line(ballot.question)}",
                f"{side} was in the voice of {self._shown(ballot)}.",
                f"For the voice: {counted.voiced} · for the plain answer: {counted.plain} · "
                f"no difference: {counted.neither}",
            )
        )

    def _shown(self, ballot: Ballot) -> str:
        return defang_line(choose_model(ballot.persona, self._personas).shown or ballot.persona)


def _voter(person: Person) -> str:
    return f"{person.platform}:{person.workspace}:{person.id}"


def _failed(error: Exception) -> Told:
    return Told(text=defang_line(str(error)), failed=True)
