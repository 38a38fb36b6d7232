"""What is said about voices in any language: one field a line, no word of any language.

`{name}` in a text is filled in with `str.format`; `{command}` is what the platform calls the command. The
words that are typed, such as `on` and `vote`, are the same in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaTexts:
    """The lines about voices in one language. Mappings go by scope, mode or vote."""

    language: str

    # The commands
    usage: str
    personas: str
    unknown_command: str
    wrong_word: str
    which_persona: str
    voice_line: str
    modes: Mapping[str, str]
    switched_off: str
    chosen: Mapping[str, str]
    off: str
    now_on: Mapping[str, str]
    now_off: Mapping[str, str]
    forgotten: Mapping[str, str]

    # Why nobody speaks; told in English by what decides it
    personas_off: str
    votes_off: str
    none_asked: str
    unknown: str
    no_model: str
    untrained: str
    unusable: str
    disliked: str

    # Under an answer
    in_the_voice: str
    not_on_here: str
    plain_instead: str
    too_slow: str
    facts_changed: str
    model_failed: str

    # Blind votes
    vote_usage: str
    votes: str
    voted: str
    voted_already: str
    picks: Mapping[str, str]
    no_vote: str
    vote_needs_channel: str
    question_too_long: str
    vote_standing: str
    vote_begun: str
    vote_ended: str
    which_answer: str
    how_to_vote: str
    ended: str
    side_told: str
    counted: str

    # Why a vote cannot be; told in English by what decides it
    bad_pick: str
    vote_over: str
    vote_unknown: str
    nothing_found: str
    may_not_speak: str
    not_said: str
    both_same: str
