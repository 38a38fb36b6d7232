"""The lines about voices in the reader's language, and lines that were told in English put into it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.languages import persona_de, persona_en, persona_es, persona_fr
from bot.persona_wording import PersonaTexts
from bot.texts import retold, texts

__all__ = ["COMMAND", "ENGLISH", "LANGUAGES", "PersonaTexts", "persona_texts", "translated"]

ENGLISH = persona_en.TEXTS
LANGUAGES: Mapping[str, PersonaTexts] = {
    one.language: one for one in (persona_en.TEXTS, persona_de.TEXTS, persona_fr.TEXTS, persona_es.TEXTS)
}
COMMAND = "/persona"  # where a platform's settings have no other name for it

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
    """Return an English line about voices in another language; every other text stays as it is."""
    return retold(line, ENGLISH, words, _TOLD_IN_ENGLISH, command=command)
