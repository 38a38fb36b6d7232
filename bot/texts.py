"""The bot's own words in the reader's language: every label, status and line that it says itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache

from bot.languages import de, en, es, fr
from bot.wording import Texts

__all__ = ["ENGLISH", "LANGUAGES", "Texts", "retold", "speaks", "texts", "translated"]

ENGLISH = en.TEXTS
LANGUAGES: Mapping[str, Texts] = {
    language.language: language for language in (en.TEXTS, de.TEXTS, fr.TEXTS, es.TEXTS)
}
_BLANK = re.compile(r"\{(\w+)[^}]*\}")

# What is decided where no reader is known is told in English: by any line without blanks, and by these.
_TOLD_IN_ENGLISH = (
    *("no_documents_from", "busy", "failed", "person_called", "person_called_already", "not_asker"),
    *("in_settings", "file_too_large", "file_elsewhere", "file_refused", "file_not_fetched"),
)


def texts(language: str = "") -> Texts:
    """Return the words in a language such as `de`, `de-DE` or `es_419`; English if it is not spoken."""
    return LANGUAGES.get(language.strip().replace("_", "-").partition("-")[0].lower(), ENGLISH)


def speaks(language: str) -> bool:
    """Tell whether the bot has words in a language."""
    return texts(language) is not ENGLISH or language.strip().lower().startswith("en")


def translated(line: str, language: str) -> str:
    """Return an English line of the bot's own in another language; every other text stays as it is."""
    wanted = texts(language)
    if wanted is ENGLISH:
        return line
    known = _without_blanks().get(line)
    return retold(line, ENGLISH, wanted, (known,) if known else _TOLD_IN_ENGLISH)


def retold(line: str, ours: object, theirs: object, names: Sequence[str], **instead: str) -> str:
    """Return a line that was told in `ours` in the words of `theirs`; every other text stays as it is.

    `names` are those of the lines that it may be. What stood in a line's blanks is put into the blanks of the
    other, retold too where it is such a line; `instead` holds what is put there whatever stood there.
    """
    for name in names:
        if found := _pattern(getattr(ours, name)).fullmatch(line):
            filled = {
                blank: retold(text, ours, theirs, names, **instead)
                for blank, text in found.groupdict().items()
            }
            filled |= instead
            return _BLANK.sub(lambda blank: filled[blank[1]], getattr(theirs, name))  # noqa: B023 - used at once
    return line


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return what finds a text whatever its blanks were filled with, with a group for each blank."""
    parts, at = [], 0
    for blank in _BLANK.finditer(text):
        parts += [re.escape(text[at : blank.start()]), f"(?P<{blank[1]}>.+)"]
        at = blank.end()
    return re.compile("".join([*parts, re.escape(text[at:])]), re.DOTALL)


@cache
def _without_blanks() -> Mapping[str, str]:
    """Return the names of the English lines that say the same whoever reads them."""
    lines = {field.name: getattr(ENGLISH, field.name) for field in fields(ENGLISH)}
    return {line: name for name, line in lines.items() if isinstance(line, str) and not _BLANK.search(line)}
