"""Curated documents: what people save from their chats, as Markdown files in folders that are sources.

Whoever may see an answer from such a document is settled when it is saved: everyone, the members of the
channel it was said in, or one person. There is a folder and a source for each of these.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.chat import Person, Place
from bot.chat_telling import unread
from bot.curated_files import Page, check_day, file_name, page_name, write_file
from bot.errors import CommandError
from bot.forms import Field, FieldError, Form
from bot.output_gate import defang_line
from bot.rights import Platforms, require, settings_of
from bot.texts import LANGUAGES, Texts, texts
from kb.connectors.uris import uri_of
from kb.errors import KnowledgeBaseError, SyncRefused
from kb.sources import AnySource, FolderSource, GitSource

if TYPE_CHECKING:
    from bot.commands import Commands
    from kb.reports import SyncReport

FOLDER = "curated"
LONGEST_TITLE = 150
LONGEST_TEXT = 100_000
LONGEST_LINE = 1_000
LONGEST_DRAFT = 3_000  # what one field of a form holds on every platform
LARGEST_FILE = 20_000_000
REVIEW_DAYS = 180
_SYNC_SECONDS = 30.0
_SYNC_STEP = 0.25
_DAY = 86_400

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A message that is to be saved. `at` is in seconds since the epoch, 0 when it is not known."""

    author: str
    text: str
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """A folder of curated documents: its source's name, where it is, and who may see what is in it."""

    name: str
    path: Path
    audience: tuple[str, ...] = ()


class Curated:
    """Keeps curated documents below `data`, and their sources among those added by command."""

    def __init__(
        self,
        commands: Commands,
        data: Path,
        platforms: Platforms,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._commands = commands
        self._data = data.absolute()
        self._platforms = platforms
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}

    def draft(
        self,
        title: str,
        messages: Sequence[Quoted],
        link: str,
        author: str,
        place: Place,
        *,
        language: str = "",
    ) -> Form:
        """Return the form in which what was said is made a document."""
        words = texts(language)
        text = _quotation(messages)
        first = title or next((message.text for message in messages if message.text.strip()), "")
        review = time.strftime("%Y-%m-%d", time.gmtime(self._clock() + REVIEW_DAYS * _DAY))
        seen = _choices(place, words)
        fields = [
            Field(name="title", label=words.title, value=_shortened(first, 80)),
            Field(name="text", label=words.text, value=text, multiline=True),
            Field(name="link", label=words.link, value=link, optional=True),
            Field(name="author", label=words.author, value=_shortened(author, 80), optional=True),
            Field(name="review", label=words.review, value=review, hint=words.review_hint, optional=True),
        ]
        if seen:
            fields.append(Field(name="seen_by", label=words.seen_by, value=seen[0], choices=seen))
        return Form(title=words.save_message, fields=tuple(fields), action="save", note=words.save_note)

    async def save(
        self, values: Mapping[str, str], person: Person, place: Place, *, language: str = ""
    ) -> str:
        """Keep what the form holds as a document and return a line for the person.

        Saving from the same link again replaces the document. Raise `NotAllowed` unless the person may change
        sources, `FieldError` for what is wrong in a field, `CommandError` or `KnowledgeBaseError` when it
        cannot be kept.
        """
        words = self._words(person, language)
        require(person, self._platforms, words)
        page = _page(values, person, words, self._clock())
        everyone = not _choices(place, words) or _wants_everyone(values.get("seen_by", ""))
        shelf = _shelf(self._data / FOLDER, place, person, everyone=everyone)
        name = await asyncio.to_thread(page_name, shelf.path, page)
        return await self._keep(shelf, name, page.markdown().encode(), page.title, words)

    async def add_file(
        self,
        name: str,
        data: bytes,
        person: Person,
        place: Place,
        *,
        everyone: bool = False,
        language: str = "",
    ) -> str:
        """Keep a file as a document and return a line for the person; raise as `save` does.

        A file of the same name takes the old one's place. From a private place only its members get answers
        from it, unless it is for `everyone`.
        """
        words = self._words(person, language)
        require(person, self._platforms, words)
        kept = file_name(name)
        if not kept:
            raise CommandError(words.bad_file_name.format(name=defang_line(name)[:80]))
        if len(data) > LARGEST_FILE:
            raise CommandError(words.file_too_large.format(name=kept, most=LARGEST_FILE // 1_000_000))
        open_place = not _choices(place, words)
        shelf = _shelf(self._data / FOLDER, place, person, everyone=everyone or open_place)
        return await self._keep(shelf, kept, data, kept, words)

    async def check_outside(self, source: AnySource, words: Texts) -> None:
        """Raise `CommandError` for a source inside the bot's own data, which few may see."""
        if not isinstance(source, FolderSource | GitSource) or "://" in source.location:
            return
        if await asyncio.to_thread(_is_inside, source.location, self._data):
            raise CommandError(words.own_data.format(location=source.location))

    def _words(self, person: Person, language: str) -> Texts:
        return texts(language or settings_of(person.platform, self._platforms).language)

    async def _keep(self, shelf: _Shelf, name: str, data: bytes, title: str, words: Texts) -> str:
        """Write a file, see that its folder is a source, sync it, and say how that went."""
        async with self._locks.setdefault(shelf.name, asyncio.Lock()):
            try:
                replaced = await asyncio.to_thread(write_file, shelf.path, name, data)
            except OSError as exc:
                raise CommandError(words.cannot_write.format(name=name, reason=exc.strerror)) from exc
            source = await self._source(shelf)
            log.info("curated document saved source=%s", source.name)
            report = await self._sync(source)
        shown = defang_line(title)
        if report is None or report.status == "failed":
            return words.saved_later.format(title=shown, name=source.name)
        if reason := await self._unread(source, name, words):
            return words.saved_unread.format(title=shown, reason=reason)
        if replaced:
            return words.saved_again.format(title=shown)
        return (words.saved_for_here if shelf.audience else words.saved).format(title=shown)

    async def _source(self, shelf: _Shelf) -> AnySource:
        """Return the source of a shelf's folder, which is added when there is none yet."""
        sources = await self._commands.sources()
        for source in sources:
            if isinstance(source, FolderSource) and Path(source.location) == shelf.path:
                return source
        taken = {source.name for source in sources}
        name = next(one for one in (shelf.name, *_others(shelf.name)) if one not in taken)
        options = {
            "name": name,
            "audience": shelf.audience,
            "watch": True,
            "gitignore": False,
            "links": True,
        }
        return (await self._commands.add(str(shelf.path), kind="folder", options=options)).source

    async def _unread(self, source: AnySource, name: str, words: Texts) -> str:
        """Return why a file gave no text; empty when it did."""
        uri = uri_of(name.encode())
        failures = (await self._commands.show(source.name)).failures
        return next((unread(one, words) for one in failures if one.uri == uri), "")

    async def _sync(self, source: AnySource) -> SyncReport | None:
        """Sync a source, after the run that may hold it; None when it cannot be synced now."""
        deadline = asyncio.get_running_loop().time() + _SYNC_SECONDS
        while True:
            try:
                return await self._commands.sync(source)
            except SyncRefused:
                if asyncio.get_running_loop().time() > deadline:
                    return None
            except KnowledgeBaseError as exc:
                log.warning("curated document not indexed yet source=%s reason=%s", source.name, exc)
                return None
            await asyncio.sleep(_SYNC_STEP)


def _is_inside(location: str, folder: Path) -> bool:
    path, outer = Path(location).expanduser().resolve(), folder.resolve()
    return path == outer or outer in path.parents


def _shelf(root: Path, place: Place, person: Person, *, everyone: bool) -> _Shelf:
    if everyone:
        return _Shelf(name="saved", path=root / "everyone")
    if place.kind == "direct":
        tag, user = f"{person.platform}:user:{person.id}", _plain(person.id)
        return _Shelf(name=f"saved-{user}", path=root / f"{person.platform}-user-{user}", audience=(tag,))
    channel = _plain(place.room or place.channel)
    path = root / f"{place.platform}-{channel}"
    return _Shelf(name=f"saved-{channel}", path=path, audience=(place.seen_by,))


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", name)[:40] or "place"


def _others(name: str) -> list[str]:
    return [f"{name}-{number}" for number in range(2, 100)]


def _choices(place: Place, words: Texts) -> tuple[str, ...]:
    """Return who may be chosen to see what is saved here, the fewest first; nothing where it is everyone."""
    if place.kind == "channel" and not place.shared:
        return ()
    return (words.only_me if place.kind == "direct" else words.only_here, words.everyone)


def _wants_everyone(chosen: str) -> bool:
    return chosen in {words.everyone for words in LANGUAGES.values()}


def _page(values: Mapping[str, str], person: Person, words: Texts, now: float) -> Page:
    given = {key: value.strip() for key, value in values.items()}
    title, text = " ".join(given.get("title", "").split()), given.get("text", "")
    for key, label, value, most in (
        ("title", words.title, title, LONGEST_TITLE),
        ("text", words.text, text, LONGEST_TEXT),
        ("link", words.link, given.get("link", ""), LONGEST_LINE),
        ("author", words.author, given.get("author", ""), LONGEST_LINE),
    ):
        if not value and key in {"title", "text"}:
            raise FieldError(words.field_empty.format(label=label), field=key)
        if len(value) > most:
            raise FieldError(words.too_long.format(label=label, most=words.number(most)), field=key)
    review = given.get("review", "")
    if review and not check_day(review):
        raise FieldError(words.bad_day.format(value=review[:40]), field="review")
    return Page(
        title=title,
        text=text,
        author=" ".join(given.get("author", "").split()),
        link=given.get("link", ""),
        saved=now,
        saved_by=f"{person.platform}:{person.workspace}:{person.id}",
        review=review,
    )


def _quotation(messages: Sequence[Quoted]) -> str:
    """Return what was said as Markdown: one message as it is, several with their authors."""
    said = [message for message in messages if message.text.strip()]
    if len(said) == 1:
        return _shortened_text(said[0].text.strip())
    return _shortened_text("\n\n".join(f"**{message.author}:** {message.text.strip()}" for message in said))


def _shortened_text(text: str) -> str:
    return text if len(text) <= LONGEST_DRAFT else f"{text[: LONGEST_DRAFT - 1].rstrip()}…"


def _shortened(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"
