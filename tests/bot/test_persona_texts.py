"""The lines about voices in every language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from bot.persona_texts import ENGLISH, LANGUAGES, PersonaTexts, persona_texts, translated
from bot.texts import LANGUAGES as SPOKEN
from tests.bot.test_texts import blanks, parts

OTHERS = sorted(set(LANGUAGES) - {"en"})
BOT = Path(__file__).resolve().parents[2] / "bot"


def test_every_language_has_them() -> None:
    """They are there in each language that the bot speaks."""
    assert set(LANGUAGES) == set(SPOKEN)
    assert persona_texts("de-DE").language == "de"
    assert persona_texts("tlh") is ENGLISH


@pytest.mark.parametrize("language", OTHERS)
def test_every_line_is_translated_whole(language: str) -> None:
    """A translation has the same keys and blanks as the English line, and is neither empty nor English."""
    words = LANGUAGES[language]
    for field in fields(ENGLISH):
        theirs, ours = getattr(words, field.name), getattr(ENGLISH, field.name)
        assert blanks(theirs) == blanks(ours), field.name
        assert all(parts(theirs)), field.name
        if isinstance(ours, Mapping):
            assert list(theirs) == list(ours), field.name
        assert theirs != ours, field.name


@pytest.mark.parametrize("language", OTHERS)
def test_typed_words_stay(language: str) -> None:
    """What is typed is the same in every language."""
    for typed in ("{command} on ", "[here|everywhere]", "{command} auto", "{command} vote "):
        assert typed in LANGUAGES[language].usage
    for typed in ("vote A`", "vote B`", "vote same`"):
        assert typed in LANGUAGES[language].how_to_vote


def test_lines_told_in_english() -> None:
    """A line that was filled in comes out in the other language with the same in its blanks."""
    said = ENGLISH.unknown.format(name="'elf'", known="'bard', 'pirate'")
    german = persona_texts("de")
    assert translated(said, german) == german.unknown.format(name="'elf'", known="'bard', 'pirate'")
    assert translated("Something else.", german) == "Something else."
    assert translated(said, ENGLISH) == said


def test_a_line_within_a_line() -> None:
    """What fills a blank is translated too, and the command is what the platform calls it."""
    spanish = persona_texts("es")
    said = ENGLISH.not_said.format(reason=ENGLISH.facts_changed)
    assert translated(said, spanish) == spanish.not_said.format(reason=spanish.facts_changed)
    over = translated(ENGLISH.vote_over.format(command="/persona"), spanish, command="/voz")
    assert over == spanish.vote_over.format(command="/voz")


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_line_is_used(words: PersonaTexts) -> None:
    """No line is kept that nobody says, and each can be filled in."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in BOT.glob("*.py"))
    for field in fields(words):
        assert f".{field.name}" in code, field.name
        values = getattr(words, field.name)
        for text, names in zip(parts(values), blanks(values), strict=True):
            assert "{" not in text.format(**dict.fromkeys(map(str, names), "x"))
