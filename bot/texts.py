"""The bot's own words in the reader's language: every label, status and line that it says itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache

from bot.languages import de, en, es, fr
from bot.wording import Texts

__all__ = ["ENGLISH", "LANGUAGES", "Texts", "speaks", "texts", "translated"]

ENGLISH = en.TEXTS
LANGUAGES: Mapping[str, Texts] = {
    language.language: language for language in (en.TEXTS, de.TEXTS, fr.TEXTS, es.TEXTS)
}
_FILLED = frozenset({"no_documents_from"})  # of the lines that the assistant says itself, those with blanks


def texts(language: str = "") -> Texts:
    """Return the words in a language such as `de`, `de-DE` or `es_419`; English if it is not spoken."""
    return LANGUAGES.get(language.strip().replace("_", "-").partition("-")[0].lower(), ENGLISH)


def speaks(language: str) -> bool:
    """Tell whether the bot has words in a language."""
    return texts(language) is not ENGLISH or language.strip().lower().startswith("en")


def translated(line: str, language: str) -> str:
    """Return an English line of the bot's own in another language; every other text stays as it is."""
    wanted = texts(language)
    if wanted is not ENGLISH:
        for field in fields(ENGLISH):
            ours = getattr(ENGLISH, field.name)
            if ours == line:
                return str(getattr(wanted, field.name))
            if field.name in _FILLED and (found := _pattern(ours).fullmatch(line)):
                return str(getattr(wanted, field.name)).format(**found.groupdict())
    return line


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return what matches a text whatever its blanks are filled with."""
    parts = re.split(r"\{(\w+)\}", text)
    return re.compile("".join(f"(?P<{one}>.*)" if at % 2 else re.escape(one) for at, one in enumerate(parts)))
