"""The bot's own words in the reader's language: every label, status and line that it says itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bot.languages import de, en, es, fr
from bot.wording import Texts

__all__ = ["ENGLISH", "LANGUAGES", "Texts", "texts", "translated"]

ENGLISH = en.TEXTS
LANGUAGES: Mapping[str, Texts] = {
    language.language: language for language in (en.TEXTS, de.TEXTS, fr.TEXTS, es.TEXTS)
}


def texts(language: str = "") -> Texts:
    """Return the words in a language such as `de`, `de-DE` or `es_419`; English if it is not spoken."""
    return LANGUAGES.get(language.strip().replace("_", "-").partition("-")[0].lower(), ENGLISH)


def translated(line: str, language: str) -> str:
    """Return an English line of the bot's own in another language; every other text stays as it is."""
    wanted = texts(language)
    if wanted is not ENGLISH:
        for field in fields(ENGLISH):
            if getattr(ENGLISH, field.name) == line:
                return str(getattr(wanted, field.name))
    return line
