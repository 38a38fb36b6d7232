"""What somebody in a chat may add as a source, and the form for it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from bot.chat_grammar import Typed, location_of, tags_of
from bot.defining import define_source
from bot.forms import Field, FieldError, Form
from bot.texts import Texts
from kb.settings import check_schedule
from kb.sources import (
    SOURCE_NAME,
    AnySource,
    DiscordHistorySource,
    FolderSource,
    GitSource,
    ObjectStoreSource,
    ReaderSource,
    SlackHistorySource,
)

_DEFAULT_EVERY = "30m"
_SHOWN = 80  # characters of what cannot be
_OUTSIDE = re.compile(r"(?:https?://|github:|gitlab:|slack://|discord://)", re.IGNORECASE)


def form_for_adding(words: Texts) -> Form:
    """Return the empty form for a new source."""
    return Form(
        title=words.add_source,
        action="add",
        fields=(
            Field(name="location", label=words.location, hint=words.location_hint),
            Field(name="name", label=words.name, hint=words.name_hint, optional=True),
            Field(
                name="every", label=words.every, value=_DEFAULT_EVERY, hint=words.every_hint, optional=True
            ),
            Field(name="audience", label=words.audience, hint=words.audience_hint, optional=True),
        ),
    )


def typed_in(values: Mapping[str, str], platform: str, words: Texts) -> Typed:
    """Return what a form holds as a command; raise `FieldError` without a location."""
    given = {key: value.strip() for key, value in values.items()}
    location = given.get("location", "")
    if not location:
        raise FieldError(words.field_empty.format(label=words.location), field="location")
    return Typed(
        verb="add",
        target=location_of(location, platform),
        name=given.get("name", ""),
        every=given.get("every", ""),
        tags=tags_of(given.get("audience", "")),
    )


def check_typed(typed: Typed, words: Texts) -> None:
    """Raise `FieldError` for a name or an interval that can be none."""
    if typed.name and not re.fullmatch(SOURCE_NAME, typed.name):
        raise FieldError(words.bad_name.format(value=typed.name[:_SHOWN]), field="name")
    try:
        check_schedule(typed.every or _DEFAULT_EVERY)
    except ValueError as exc:
        raise FieldError(words.bad_every.format(value=typed.every[:_SHOWN]), field="every") from exc


def options_of(typed: Typed) -> dict[str, object]:
    """Return what was typed as keys of a source's settings."""
    given = {"name": typed.name, "every": typed.every, "audience": typed.tags}
    return {key: value for key, value in given.items() if value}


def defined(typed: Typed) -> AnySource:
    """Return the source that was typed; raise `CommandError` or `SourceInvalid` when it can be none."""
    return define_source(typed.target, None, options_of(typed))


def check_location(typed: Typed, words: Texts, platform: str) -> None:
    """Raise `CommandError` for what is read with the rights of the bot's machine, before it is looked at.

    Even whether such a place exists is not for everybody to know.
    """
    if not _OUTSIDE.match(typed.target) or _reads_as_machine(defined(typed)):
        raise FieldError(words.own_machine.format(location=typed.target, platform=platform), field="location")


def check_new(source: AnySource, taken: Collection[str], words: Texts, *, command: str) -> None:
    """Raise `CommandError` unless this source may be added in a chat."""
    if source.name in taken:
        raise FieldError(words.name_taken.format(name=source.name, command=command), field="name")
    if isinstance(source, SlackHistorySource | DiscordHistorySource) and source.audience:
        raise FieldError(words.history_audience, field="audience")


def _reads_as_machine(source: AnySource) -> bool:
    """Tell whether the machine's own files, keys or accounts are what opens a source."""
    if isinstance(source, GitSource):
        return not source.location.lower().startswith("https://")
    return isinstance(source, FolderSource | ObjectStoreSource | ReaderSource)
