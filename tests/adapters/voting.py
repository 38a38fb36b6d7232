"""What stands behind a blind vote in tests of the platforms: an assistant of two faces, and the commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels import ChannelRules
from bot.chat import Surface
from bot.chat_commands import ChatCommands
from bot.messages import Answer, Question, Voice
from bot.persona_commands import PersonaCommands
from bot.persona_guard import PersonaGuard
from bot.persona_settings import PersonaSettings
from bot.personas import Personas
from bot.vote_commands import ChannelVotes, VoteCommands
from bot.voting import BlindVotes

Commanding = Callable[[AsyncEngine, ChannelRules, Callable[[str], Surface]], ChatCommands]

QUESTION = "How many digits has a printer PIN?"
PLAIN, VOICED = "Printer PINs have 6 digits.", "Arr, printer PINs have six digits!"
_SETTINGS = PersonaSettings(
    enabled=True,
    name="pirate",
    description="Captain Jo",
    model="ft:jolly-roger",
    base_url="http://127.0.0.1:1/v1",
)


class TwoFaced:
    """Answers in the voice where one is asked for, so many times over; `asked` is what it was asked."""

    def __init__(self, long: int, asked: list[Question]) -> None:
        self._long = long
        self._asked = asked

    async def answer(self, question: Question) -> Answer:
        self._asked.append(question)
        text, voice = (VOICED, Voice(name="pirate", verdict="kept")) if question.persona else (PLAIN, None)
        whole = "\n\n".join([text] * self._long)
        return Answer(question=question.text, answered=True, text=whole, confidence=1.0, voice=voice)


def commands(*, long: int = 1, asked: list[Question] | None = None, on: bool = True) -> Commanding:
    """Return what puts the commands about voices together as the program does; not `on`, there are none."""

    def made(engine: AsyncEngine, rules: ChannelRules, surface: Callable[[str], Surface]) -> ChatCommands:
        known, unused = Personas(settings=_SETTINGS), cast("Any", None)
        assistant = cast("Any", TwoFaced(long, [] if asked is None else asked))
        votes = VoteCommands(BlindVotes(engine), assistant, known, rules.platforms, rules=rules)
        personas = PersonaCommands(
            known, PersonaGuard(engine, _SETTINGS), rules.platforms, vote=ChannelVotes(votes, surface).run
        )
        personas_now = personas if on else None
        return ChatCommands(unused, unused, rules.platforms, rules=rules, personas=personas_now)

    return made


def blind(ballot: str, identifiers: list[str]) -> bool:
    """Tell whether neither a ballot's text nor the ids of its buttons say which answer is in the voice."""
    told = re.search(r"\b[AB]\b[^.]*\bvoice", ballot)
    return not told and not re.search(r"pirate|Jo\b|jolly|voice", " ".join(identifiers))
