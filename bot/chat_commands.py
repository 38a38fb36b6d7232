"""The commands about the knowledge as they are typed in a chat, once for every platform."""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.adding import check_location, check_new, check_typed, defined, form_for_adding, options_of, typed_in
from bot.channels import ChannelRules, command_of
from bot.chat import Person, Place
from bot.chat_grammar import CHANGING, Typed, parse, removal
from bot.chat_telling import Reader, reader
from bot.errors import CommandError
from bot.failing import failure_line
from bot.forms import Confirm, Field, FieldError, Form, FormAction, Told
from bot.rights import Platforms, allowed, is_operator, require, settings_of, who_may
from bot.seeing import Seer
from bot.texts import Texts, texts
from kb.documents import Audience
from kb.errors import FetchError, KnowledgeBaseError, SourceInvalid, SourceUnavailable, SyncRefused
from kb.reports import Progress, SyncReport

if TYPE_CHECKING:
    from bot.commands import Commands, SourceOverview
    from bot.curated import Curated
    from bot.persona_commands import PersonaCommands
    from kb.sources import AnySource

__all__ = ["ChatCommands", "Confirm", "Field", "FieldError", "Form", "Told"]

PROGRESS_SECONDS = 1.0
SUGGESTIONS = 25
_WAIT = 60.0
_WAIT_STEP = 0.5

log = logging.getLogger(__name__)


class ChatCommands:
    """Carries out what is typed behind the command about the knowledge, and what its forms send back.

    `names` are those of the models that embed and write. A platform whose settings have a `command` is shown
    that, others `/kb`. "persona …" goes to the `personas`; None tells that they are switched off.
    """

    def __init__(
        self,
        commands: Commands,
        curated: Curated,
        platforms: Platforms,
        names: tuple[str, str] = ("", ""),
        *,
        rules: ChannelRules | None = None,
        personas: PersonaCommands | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._commands = commands
        self._curated = curated
        self._platforms = platforms
        self._names = names
        self._rules = rules or ChannelRules((), platforms)
        self._clock = clock
        self.personas = personas
        self._syncing: set[asyncio.Task[Any]] = set()

    async def run(
        self, text: str, person: Person, place: Place, *, language: str = "", audience: Audience | None = None
    ) -> AsyncGenerator[Told, None]:
        """Carry out a command. Each `Told` replaces the one before; the last is final.

        Whatever is wrong with it is told, never raised. `audience` is what the person may see, where the
        platform has told; else it is what their id, their groups and this place give them.
        """
        turn = self._turn(person, place, language, audience)
        verb, _, rest = text.strip().partition(" ")
        if verb.lower() == "persona":
            yield await self._persona(rest, person, place, turn)
            return
        try:
            typed = parse(text, platform=person.platform, command=turn.command, words=turn.words)
            if typed.verb in CHANGING:
                require(person, self._platforms, turn.words)
            async with aclosing(self._carry_out(typed, turn)) as steps:
                async for told in steps:
                    yield told
        except (CommandError, KnowledgeBaseError) as exc:
            yield turn.failed(exc)

    async def submit(
        self, form: FormAction, values: Mapping[str, str], person: Person, place: Place, *, language: str = ""
    ) -> Told:
        """Carry out a form that was sent back; raise `FieldError` for what is wrong in one of its fields."""
        turn = self._turn(person, place, language, None)
        try:
            if form == "save":
                language = turn.words.language
                return Told(text=await self._curated.save(values, person, place, language=language))
            require(person, self._platforms, turn.words)
            source = await self._add(typed_in(values, person.platform, turn.words), turn)
        except FieldError as exc:
            raise FieldError(failure_line(exc, turn.words), field=exc.field) from exc
        except (SourceInvalid, SourceUnavailable, FetchError) as exc:
            raise FieldError(failure_line(exc, turn.words, detail=True), field="location") from exc
        except (CommandError, KnowledgeBaseError) as exc:
            return turn.failed(exc)
        self._sync_behind(source)
        return Told(text=turn.words.added.format(name=f"**{source.name}**"))

    async def source_names(
        self,
        prefix: str,
        person: Person | None = None,
        place: Place | None = None,
        *,
        audience: Audience | None = None,
    ) -> list[str]:
        """Return names of sources that begin with a prefix, then those that hold it, at most 25.

        They are those that this person may see; without a person, those that everyone may see.
        """
        seer = Seer.of(person, place, self._rules, audience)
        admin = person is not None and allowed(person, self._platforms)
        wanted = prefix.strip().lower()
        names = [one.name for one in await self._commands.overview() if admin or seer.sees(one.source)]
        found = [name for name in names if wanted in name.lower()]
        return sorted(found, key=lambda name: (not name.lower().startswith(wanted), name))[:SUGGESTIONS]

    async def close(self) -> None:
        """End the syncs that commands and forms have begun; they go on by schedule."""
        for task in self._syncing:
            task.cancel()
        await asyncio.gather(*self._syncing, return_exceptions=True)

    def _turn(self, person: Person, place: Place, language: str, audience: Audience | None) -> _Turn:
        settings = settings_of(person.platform, self._platforms)
        return _Turn(
            person=person,
            place=place,
            reader=reader(
                texts(language or settings.language),
                command=command_of(settings),
                admin=allowed(person, self._platforms),
                now=self._clock(),
            ),
            seer=Seer.of(person, place, self._rules, audience),
        )

    async def _persona(self, text: str, person: Person, place: Place, turn: _Turn) -> Told:
        """Hand on what is typed behind "persona", or what a vote's button stands for."""
        if self.personas is not None:
            return await self.personas.run(text, person, place, language=turn.words.language)
        from bot.persona_texts import persona_texts  # not before somebody asks for a voice

        lines = persona_texts(turn.words.language)
        about_votes = text.split()[:1] == ["vote"]
        return Told(text=lines.votes_off if about_votes else lines.personas_off, failed=True)

    async def _carry_out(self, typed: Typed, turn: _Turn) -> AsyncGenerator[Told, None]:
        """Yield what a command says; the last is final."""
        if typed.verb == "add":
            steps = self._adding(typed, turn)
        elif typed.verb == "sync":
            steps = self._syncs(typed, turn)
        else:
            yield await self._single(typed, turn)
            return
        async with aclosing(steps):
            async for told in steps:
                yield told

    async def _single(self, typed: Typed, turn: _Turn) -> Told:
        """Carry out a command that says one thing."""
        match typed.verb:
            case "list":
                return Told(text=turn.reader.overview(await self._visible(turn)))
            case "status":
                return Told(text=turn.reader.status(await self._visible(turn), *self._names))
            case "show":
                return await self._show(typed.target, turn)
            case "remove":
                return await self._remove(typed, turn)
            case "pause" | "resume":
                return await self._plan(typed, turn)
            case _:
                who = who_may(turn.person.platform, self._platforms, turn.words)
                return Told(text=turn.words.help.format(command=turn.command, who=who))

    async def _show(self, name: str, turn: _Turn) -> Told:
        overview = await self._named(name, turn)
        detail = await self._commands.show(name)
        return Told(text=turn.reader.show(detail, documents=turn.seer.sees(overview.source)))

    async def _remove(self, typed: Typed, turn: _Turn) -> Told:
        await self._named(typed.target, turn)
        detail = await self._commands.removable(typed.target)
        name, state = typed.target, detail.overview.state
        if not typed.confirmed:
            question = turn.words.remove_question.format(
                name=name, what=turn.stored(state.documents, state.nodes)
            )
            confirm = Confirm(
                title=turn.words.remove_title,
                text=question,
                label=turn.words.remove,
                command=removal(name),
            )
            return Told(text=question, confirm=confirm)
        removed = await self._commands.remove(name)
        what = turn.stored(removed.documents, removed.nodes)
        return Told(text=turn.words.removed.format(name=f"**{name}**", what=what))

    async def _plan(self, typed: Typed, turn: _Turn) -> Told:
        await self._named(typed.target, turn)
        words = turn.words
        if typed.verb == "pause":
            await self._commands.pause(typed.target)
            text = words.was_paused
        else:
            text = words.was_resumed if await self._commands.resume(typed.target) else words.was_not_paused
        return Told(text=text.format(name=typed.target, command=turn.command))

    # Adding and syncing

    async def _adding(self, typed: Typed, turn: _Turn) -> AsyncGenerator[Told, None]:
        if not typed.target:
            note = turn.words.which_location.format(command=turn.command)
            yield Told(text=note, form=form_for_adding(turn.words))
            return
        source = await self._add(typed, turn)
        said = turn.words.added.format(name=f"**{source.name}**")
        yield Told(text=said)
        async with aclosing(self._sync(source, turn)) as steps:
            async for told in steps:
                yield Told(text=f"{said}\n{told.text}", failed=told.failed)

    async def _add(self, typed: Typed, turn: _Turn) -> AnySource:
        check_typed(typed, turn.words)
        if not is_operator(turn.person, self._platforms):
            check_location(typed, turn.words, turn.person.platform)
        source = defined(typed)
        taken = [one.name for one in await self._commands.overview()]
        check_new(source, taken, turn.words, command=turn.command)
        await self._curated.check_outside(source, turn.words)
        added = await self._commands.add(typed.target, kind=None, options=options_of(typed))
        return added.source

    async def _syncs(self, typed: Typed, turn: _Turn) -> AsyncGenerator[Told, None]:
        """Sync the named source, or all one after the other, with a line for each."""
        if typed.target:
            await self._named(typed.target, turn)
        sources = await self._commands.select([typed.target] if typed.target else [])
        if not sources:
            yield Told(text=turn.words.no_sources_yet.format(command=turn.command))
        ended: list[Told] = []
        for source in sources:
            last = Told(text="")
            async with aclosing(self._sync(source, turn, allow_deletes=typed.allow_deletes)) as steps:
                async for last in steps:
                    yield _joined([*ended, last])
            ended.append(last)

    async def _sync(
        self, source: AnySource, turn: _Turn, *, allow_deletes: bool = False
    ) -> AsyncGenerator[Told, None]:
        """Sync one source; what goes wrong with it is told, so that the others go on."""
        moments = _Moments()
        running = asyncio.create_task(self._once_free(source, turn, moments, allow_deletes=allow_deletes))
        self._keep(running)
        try:
            while not running.done():
                yield Told(text=moments.waiting or turn.reader.progress(source.name, moments.latest))
                await asyncio.wait({running}, timeout=PROGRESS_SECONDS)
            if running.cancelled():  # the program ends
                return
            report = await running
            yield Told(text=turn.reader.report(report), failed=report.status == "failed")
        except (CommandError, KnowledgeBaseError) as exc:
            yield Told(text=turn.words.labelled(source.name, turn.failed(exc).text), failed=True)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _once_free(
        self, source: AnySource, turn: _Turn, moments: _Moments, *, allow_deletes: bool
    ) -> SyncReport:
        """Sync a source as soon as no other run holds it; raise `CommandError` when that takes too long."""
        deadline = asyncio.get_running_loop().time() + _WAIT
        while True:
            try:
                return await self._commands.sync(source, allow_deletes=allow_deletes, progress=moments.tell)
            except SyncRefused:
                schedule = (await self._commands.show(source.name)).overview.schedule
                if schedule is not None and schedule.held_at:
                    told = turn.words.held_back.format(name=source.name, command=turn.command)
                    raise CommandError(told) from None
                if asyncio.get_running_loop().time() > deadline:
                    told = turn.words.sync_elsewhere.format(name=source.name, command=turn.command)
                    raise CommandError(told) from None
            moments.waiting = turn.words.sync_waiting.format(name=source.name)
            await asyncio.sleep(_WAIT_STEP)
            moments.waiting = ""

    def _sync_behind(self, source: AnySource) -> None:
        """Sync a source without anybody waiting for it; the schedule goes on with what fails."""
        self._keep(asyncio.create_task(self._try_sync(source), name=f"first sync {source.name}"))

    def _keep(self, task: asyncio.Task[Any]) -> None:
        """Keep a sync in mind until it ends: the program does not end without it."""
        self._syncing.add(task)
        task.add_done_callback(self._syncing.discard)

    async def _try_sync(self, source: AnySource) -> None:
        try:
            report = await self._commands.sync(source)
            log.info("first sync ended source=%s status=%s", source.name, report.status)
        except SyncRefused:
            log.info("first sync left to another source=%s", source.name)
        except KnowledgeBaseError as exc:
            log.warning("first sync failed source=%s reason=%s", source.name, exc)
        except Exception:  # the edge of a task: nothing above could handle it
            log.exception("first sync broke source=%s", source.name)

    # What a person may know of

    async def _visible(self, turn: _Turn) -> list[SourceOverview]:
        found = await self._commands.overview()
        return [one for one in found if turn.reader.admin or turn.seer.sees(one.source)]

    async def _named(self, name: str, turn: _Turn) -> SourceOverview:
        """Return a source; one that this person may not know of is as unknown as one that is not there."""
        visible = {one.name: one for one in await self._visible(turn)}
        if name in visible:
            return visible[name]
        text = turn.words.source_unknown.format(name=name, command=turn.command)
        if close := difflib.get_close_matches(name, visible, n=1):
            text = f"{text} {turn.words.did_you_mean.format(command=close[0])}"
        raise CommandError(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One command: who typed it where, and how they are answered."""

    person: Person
    place: Place
    reader: Reader
    seer: Seer

    @property
    def words(self) -> Texts:
        return self.reader.words

    @property
    def command(self) -> str:
        return self.reader.command

    def failed(self, error: Exception) -> Told:
        """Return what is told of an error; what a system said of it is for those who may change things."""
        return Told(text=failure_line(error, self.words, detail=self.reader.admin), failed=True)

    def stored(self, documents: int, nodes: int) -> str:
        """Return how much is stored of a source."""
        words = self.words
        return words.stored.format(
            documents=words.count(documents, words.document), nodes=words.count(nodes, words.node)
        )


@dataclass(slots=True)
class _Moments:
    """Where a sync is, as it was told last; `waiting` while another run holds its source."""

    latest: Progress | None = None
    waiting: str = ""

    def tell(self, moment: Progress) -> None:
        self.latest = moment


def _joined(lines: Sequence[Told]) -> Told:
    shown = "\n".join(told.text for told in lines)
    return Told(text=shown, failed=any(told.failed for told in lines))
