"""The lines about voices in the reader's language, and lines that were told in English put into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from bot.languages import persona_de, persona_en, persona_es, persona_fr
from bot.persona_wording import PersonaTexts
from bot.texts import texts

__all__ = ["COMMAND", "ENGLISH", "LANGUAGES", "PersonaTexts", "persona_texts", "translated"]

ENGLISH = persona_en.TEXTS
LANGUAGES: Mapping[str, PersonaTexts] = {
    one.language: one for one in (persona_en.TEXTS, persona_de.TEXTS, persona_fr.TEXTS, persona_es.TEXTS)
}
COMMAND = "/persona"  # where a platform's settings have no other name for it
_BLANK = re.compile(r"\{(\w+)[^}]*\}")

# What is decided where no reader is known is told in English, by these lines.
_TOLD_IN_ENGLISH = (
    *("personas_off", "none_asked", "unknown", "no_model", "untrained", "unusable", "disliked"),
    *("too_slow", "facts_changed", "bad_pick", "vote_over", "vote_unknown"),
    *("nothing_found", "may_not_speak", "not_said", "both_same"),
)


def persona_texts(language: str = "") -> PersonaTexts:
    """Return the lines in a language such as `de`, `de-DE` or `es_419`; English if it is not spoken."""
    return LANGUAGES[texts(language).language]


def translated(line: str, words: PersonaTexts, *, command: str = COMMAND) -> str:
    """Return an English line about voices in another language; every other text stays as it is.

    What stood in its blanks is put into the blanks of the other, translated too where it is such a line.
    """
    for field in _TOLD_IN_ENGLISH:
        if found := _pattern(field).fullmatch(line):
            filled = {name: translated(text, words) for name, text in found.groupdict().items()}
            filled |= {"command": command}
            return _BLANK.sub(lambda blank: filled[blank[1]], getattr(words, field))  # noqa: B023 - used at once
    return line


@cache
def _pattern(field: str) -> re.Pattern[str]:
    """Return what finds a line of English that was filled in, with a group for each blank."""
    parts, at, line = [], 0, str(getattr(ENGLISH, field))
    for blank in _BLANK.finditer(line):
        parts += [re.escape(line[at : blank.start()]), f"(?P<{blank[1]}>.+)"]
        at = blank.end()
    return re.compile("".join([*parts, re.escape(line[at:])]), re.DOTALL)
