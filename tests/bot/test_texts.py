"""The bot's own words in every language."""

from __future__ import annotations

import ast
import inspect
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from bot import assistant, checking, errors, llms
from bot.chat import Attachment
from bot.errors import BotError, CommandError, ModelError, SurfaceBusy, SurfaceGone
from bot.failing import failure_line
from bot.outcomes import adds_files, asks_for_help
from bot.persona_texts import LANGUAGES as VOICES
from bot.texts import ENGLISH, LANGUAGES, Texts, texts, translated
from kb import errors as kb_errors
from kb.errors import DocumentStatus, KnowledgeBaseError, StoreError
from kb.runs import RunStatus
from kb.sources import AnySource
from tests.bot.surface import message

ROOT = Path(__file__).resolve().parents[2]
OTHERS = sorted(set(LANGUAGES) - {"en"})
# What a language writes as English does: a word that is the same in it, a product's name, blanks alone.
SAME = {
    "de": {
        "name",
        "text",
        "link",
        "ahead",
        "sync_done",
        "status_line",
        "stored",
        "pair",
        "types.github",
        "types.gitlab",
    },
    "fr": {
        *("sources", "what_i_know", "document", "node", "source", "question", "minute", "stored"),
        *("types.git", "types.web", "types.sitemap", "types.github", "types.gitlab"),
    },
    "es": {
        *("no", "stored", "pair"),
        *("types.git", "types.web", "types.sitemap", "types.github", "types.gitlab"),
    },
}
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


def lines(words: Texts) -> dict[str, object]:
    """Return each field, and each entry of a mapping under `field.key`."""
    found: dict[str, object] = {}
    for field in fields(words):
        value = getattr(words, field.name)
        mapped = {f"{field.name}.{key}": text for key, text in value.items()} if _mapped(value) else {}
        found |= mapped or {field.name: value}
    return found


def _mapped(value: object) -> bool:
    return isinstance(value, Mapping)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_whole(language: str) -> None:
    """A translation has the same keys and blanks as the English text, and is not left empty or in English."""
    ours, theirs = lines(ENGLISH), lines(texts(language))
    assert list(theirs) == list(ours)
    for name, text in theirs.items():
        assert blanks(text) == blanks(ours[name]) or name == "loading", name
        assert all(parts(text)), name
    alike = {name for name in ours if theirs[name] == ours[name] and name not in ("decimal", "thousands")}
    assert alike == SAME[language]


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_text_is_used_and_can_be_filled_in(words: Texts) -> None:
    """No text is kept that nobody says, and nothing but its blanks stands between braces."""
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for layer in ("bot", "adapters")
        for file in (ROOT / layer).rglob("*.py")
    )
    for field in fields(words):
        value = getattr(words, field.name)
        assert re.search(rf"\.{field.name}\b", code), field.name
        for text, names in zip(parts(value), blanks(value), strict=True):
            assert "{" not in text.format("x", **dict.fromkeys(map(str, names), "x"))


TYPOGRAPHY = {
    "en": r" [:;?!…]|\.\.\.",
    "de": r" [:;?!…]|\w…|\.\.\.|[”«»]",
    "fr": r"[^\u00a0][:;?!»](?=\s|$)| [:;?!…»]|« |\.\.\.|[“”„]",
    "es": r" [:;?!…]|\.\.\.|[“”„]|^[^¿]*\?|^[^¡]*!",
}


def test_marks_stand_as_each_language_sets_them() -> None:
    """No line breaks before a mark that stands apart, in French and German; Spanish opens its questions."""
    for words in (*LANGUAGES.values(), *VOICES.values()):
        wrong = TYPOGRAPHY[words.language]
        for field in fields(words):
            for text in parts(getattr(words, field.name)):
                prose = re.sub(r"`[^`]*`|\{[^}]*\}", "x", text)
                assert not re.search(wrong, prose), (words.language, field.name, text)


def kinds(*roots: type[Exception]) -> Iterator[type[Exception]]:
    """Yield some errors and all of their layer that are kinds of them."""
    for root in roots:
        yield root
        yield from kinds(*(one for one in root.__subclasses__() if one.__module__ == root.__module__))


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_kind_of_error_has_a_line(words: Texts) -> None:
    """Whatever is raised comes to one line in every language, with a log id and not its own words."""
    ours = [one for one in vars(kb_errors).values() if isinstance(one, type)]
    assert {one for one in ours if issubclass(one, Exception)} <= set(kinds(KnowledgeBaseError))
    for kind in {*kinds(KnowledgeBaseError), *kinds(BotError)} - {*kinds(CommandError), *kinds(ModelError)}:
        said = failure_line(kind("The thing 'x' broke."), words)
        line, _, number = said.rpartition(" (")
        assert line in words.failures.values(), kind
        assert re.fullmatch(r"(log|Log|journal|registro) [0-9a-f]{8}\)", number)


def test_an_error_is_told_with_its_own_words_to_those_who_can_help() -> None:
    """With detail a line in the reader's language comes first; in English the error says it all."""
    error = StoreError("The disk of 'x' is slow. Wait.")
    assert failure_line(error, ENGLISH, detail=True) == str(error)
    german = texts("de")
    assert failure_line(error, german, detail=True) == f"{german.failures['StoreError']} {error}"
    assert failure_line(SurfaceGone("Gone."), german).startswith(german.failures["SurfaceGone"])
    assert failure_line(SurfaceBusy("Busy."), german).startswith(german.failures["SurfaceBusy"])


def test_what_the_log_has_is_found_by_the_id(caplog: pytest.LogCaptureFixture) -> None:
    """An error's own words are in the log under the id that its reader was told."""
    said = failure_line(StoreError("The disk of 'x' is slow."), texts("fr"))
    assert f"log={said[-9:-1]} kind=StoreError: The disk of 'x' is slow." in caplog.text


def test_what_is_wrong_with_a_command_is_said_in_the_readers_language() -> None:
    """A command's error keeps what stands in its blanks; one that is translated already stays."""
    english = ENGLISH.file_refused.format(platform="Slack", name="a (b).md", reason="HTTP 404")
    for language in OTHERS:
        words = texts(language)
        told = words.file_refused.format(platform="Slack", name="a (b).md", reason="HTTP 404")
        assert failure_line(CommandError(english), words) == told
        assert failure_line(CommandError(told), words) == told
        assert failure_line(CommandError(told), ENGLISH) == told


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_all_that_the_store_knows_has_a_word(words: Texts) -> None:
    """Each type of source, each end of a run and each way of giving no text is told in every language."""
    types = {one.model_fields["type"].default for one in get_args(get_args(AnySource)[0])}
    assert set(words.types) == types
    assert set(words.statuses) == set(get_args(RunStatus))
    assert set(words.unread) == set(get_args(DocumentStatus)) - {"ok"}


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_the_words_that_keep_a_file_are_understood(words: Texts) -> None:
    """Whoever writes what a reply asks for has the file kept."""
    (wish,) = re.findall(r"[“„«]\s?([^”“»]+?)\s?[”“»]", words.file_unread)
    file = Attachment(id="F1", name="notes.md", media_type="text/markdown")
    assert adds_files(message(1, wish, attachments=(file,)))


@pytest.mark.parametrize("word", ["help", "Hilfe!", "Aide ?", "¿Ayuda?"])
def test_help_is_asked_for_in_every_language(word: str) -> None:
    """The word alone, said to the bot, asks for help; a sentence with it is a question."""
    assert asks_for_help(message(1, word))
    assert not asks_for_help(message(1, word, addressed=False))
    assert not asks_for_help(message(1, f"Who can {word}"))


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
    nothing = ENGLISH.no_documents_from.format(sources="'a', 'b'")
    assert translated(nothing, "de") == "Ich habe keine Dokumente aus 'a', 'b'."
    assert translated(nothing, "en") == nothing


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
