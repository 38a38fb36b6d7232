"""The bot's own words in every language."""

from __future__ import annotations

import ast
import inspect
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import fields

import pytest

from bot import assistant, checking, errors, llms
from bot.texts import ENGLISH, LANGUAGES, Texts, texts, translated

OTHERS = sorted(set(LANGUAGES) - {"en"})
BUTTONS = (
    "helpful", "not_helpful", "sources", "person", "resolved", "share", "approve", "discard", "ask", "add",
    "save", "remove", "cancel", "close", "send", "refresh", "sync", "stop", "open",
)  # fmt: skip


def parts(value: object) -> Iterator[str]:
    """Yield each text of a field."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from parts(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from parts(one)


def blanks(value: object) -> list[set[str | None]]:
    """Return the names of the blanks in each text of a field."""
    return [
        {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        for text in parts(value)
    ]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_whole(language: str) -> None:
    """A translation has the same keys and blanks as the English text, and is not left empty or in English."""
    words = texts(language)
    alike = []
    for field in fields(ENGLISH):
        theirs, ours = getattr(words, field.name), getattr(ENGLISH, field.name)
        assert blanks(theirs) == blanks(ours) or field.name == "loading", field.name
        assert all(parts(theirs)), field.name
        if isinstance(ours, Mapping):
            assert list(theirs) == list(ours), field.name
        if theirs == ours:
            alike.append(field.name)
    assert len(alike) < 15, alike


def test_every_failure_of_a_model_is_translated() -> None:
    """Each reason that the code gives for a model's failure has its line, and there is no other line."""
    texts_in = [
        node.value
        for module in (assistant, checking, errors, llms)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    reasons = {text for text in texts_in if re.fullmatch(r"the (model|question)\b[^.{}\n]*[^ ]", text)}
    assert reasons == set(ENGLISH.model_failures)
    assert all(text == reason for reason, text in ENGLISH.model_failures.items())


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_labels_fit(words: Texts) -> None:
    """Labels keep the limits of both platforms, such as 75 characters a button."""
    assert all(len(getattr(words, name)) <= 40 for name in BUTTONS)
    assert all(
        len(getattr(words, name)) <= 32
        for name in ("ask_about", "save_message", "remove_title", "add_source")
    )
    assert all(
        len(text) <= 100 for text in (words.command_ask, words.command_kb, *words.subcommands.values())
    )
    options = (
        "option_question",
        "option_persona",
        "option_private",
        "option_location",
        "option_source",
        "option_file",
    )
    assert all(len(getattr(words, name)) <= 100 for name in (*options, "allow_deletes", "comment_hint"))
    assert all(
        len(getattr(words, name)) <= 45 for name in ("title", "text", "link", "author", "review", "seen_by")
    )
    assert len(words.loading) <= 10
    assert all(len(text) <= 50 for text in words.loading)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de", "de"),
        ("de-DE", "de"),
        ("es-419", "es"),
        ("fr_CA", "fr"),
        ("EN-us", "en"),
        ("", "en"),
        ("tlh", "en"),
    ],
)
def test_a_locale_finds_its_language(asked: str, spoken: str) -> None:
    """Locales of both platforms are understood; a language that is not spoken is English."""
    assert texts(asked).language == spoken


def test_lines_of_the_assistant_are_translated() -> None:
    """What the assistant says itself is said in the reader's language; all else stays as it is."""
    said = (assistant.NOT_FOUND, assistant.NO_DOCUMENTS, assistant.CANNOT_SEARCH, assistant.NO_QUESTION)
    assert [translated(line, "en") for line in said] == list(said)
    for language in OTHERS:
        assert not {translated(line, language) for line in said} & set(said)
    assert translated("A sentence of a document.", "de") == "A sentence of a document."


def test_times_are_told_in_their_largest_unit() -> None:
    """A moment is told as people tell it, past and to come."""
    day = 86_400.0
    assert ENGLISH.when(0, 3.5 * day) == "3 days ago"
    assert ENGLISH.when(day, 0) == "in 1 day"
    assert ENGLISH.when(0, 30) == "just now"
    assert ENGLISH.when(30, 0) == "in less than a minute"
    assert ENGLISH.when(None, 0) == "never"
    assert texts("de").when(0, 65 * day) == "vor 2 Monaten"
    assert texts("fr").when(0, 800 * day) == "il y a 2 ans"


def test_the_age_of_a_document() -> None:
    """An age is reckoned from ISO 8601 with or without a zone; an unknown or future one is no nonsense."""
    now = 1_800_000_000.0  # 2027-01-15T08:00:00Z
    assert ENGLISH.age("2027-01-12T08:00:00+00:00", now) == "3 days ago"
    assert ENGLISH.age("2027-01-15T06:00:00", now) == "2 hours ago"
    assert ENGLISH.age("2030-01-01", now) == "just now"
    assert ENGLISH.age("", now) == ""
    assert ENGLISH.age("yesterday", now) == ""


def test_numbers_are_grouped() -> None:
    """Large numbers are set apart as the language does it."""
    assert ENGLISH.count(1, ENGLISH.document) == "1 document"
    assert ENGLISH.count(12_345, ENGLISH.document) == "12,345 documents"
    assert texts("de").count(12_345, texts("de").document) == "12.345 Dokumente"
