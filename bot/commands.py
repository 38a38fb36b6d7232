"""What the commands about sources do, once for every adapter; how it looks is the adapters' business."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError

from bot.errors import CommandError
from kb.connectors.registry import guess_source, open_connector
from kb.errors import SourceUnknown
from kb.manifest import Failure, Manifest, Run, SourceState
from kb.reports import Progress, SyncReport
from kb.settings import AnySource, interval_seconds

if TYPE_CHECKING:
    from kb.sync import Synchroniser


_SOURCES: TypeAdapter[AnySource] = TypeAdapter(AnySource)
_NAMED_BY_GUESS = ("name", "every", "audience")

Origin = Literal["settings", "added", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverview:
    """A source and how it stands.

    `origin` tells where it is defined: in the settings file, by a command, or nowhere any more while
    its documents are still stored. `next_run` is when it is due, in seconds since the epoch.
    """

    name: str
    origin: Origin
    source: AnySource | None
    state: SourceState
    next_run: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDetail:
    """All that is known of one source. `failures` are the documents that gave no text."""

    overview: SourceOverview
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A source that was added. `has_documents` tells whether it lists any now."""

    source: AnySource
    has_documents: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A source that was removed, with the documents and nodes that went with it."""

    name: str
    documents: int
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the whole knowledge base stands. `disk` is in bytes."""

    sources: tuple[SourceOverview, ...]
    documents: int
    nodes: int
    failed: int
    disk: int
    data: Path
    embedding: str
    llm: str


class Commands:
    """Carries out the commands about sources.

    `configured` are the sources of the settings file; they go before kept ones of the same name.
    `synchroniser` opens what a sync needs, which is slow and therefore done only by the commands that
    change documents.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        configured: Sequence[AnySource],
        data: Path,
        synchroniser: Callable[[], Awaitable[Synchroniser]],
    ) -> None:
        self._manifest = manifest
        self._configured = {source.name: source for source in configured}
        self._data = data
        self._synchroniser = synchroniser

    async def sources(self) -> list[AnySource]:
        """Return every defined source by name."""
        kept = {source.name: source for source in await self._manifest.list_sources()}
        return sorted((kept | self._configured).values(), key=lambda source: source.name)

    async def select(self, names: Sequence[str]) -> list[AnySource]:
        """Return the named sources, or all; raise `SourceUnknown` for a name that none has."""
        sources = {source.name: source for source in await self.sources()}
        for name in names:
            if name not in sources:
                raise _unknown(name, sources)
        return [sources[name] for name in dict.fromkeys(names)] if names else list(sources.values())

    async def add(self, location: str, *, kind: str | None, options: Mapping[str, Any]) -> Added:
        """Add a source whose documents can be listed now; `options` are keys of its settings."""
        source = _defined(location, kind, options)
        if source.name in self._configured:
            raise CommandError(
                f"The settings file has a source {source.name!r} already. Give this one another --name."
            )
        has_documents = await self.lists(source)
        await self._manifest.add_source(source)
        return Added(source=source, has_documents=has_documents)

    async def overview(self) -> list[SourceOverview]:
        """Return every source that is defined or has documents, by name."""
        defined = {source.name: source for source in await self.sources()}
        states = await self._manifest.states()
        stored = {name for name, state in states.items() if state.documents or name in defined}
        return [
            self._overview(name, defined.get(name), states.get(name) or SourceState(source=name))
            for name in sorted({*defined, *stored})
        ]

    async def show(self, name: str) -> SourceDetail:
        """Return all that is known of one source."""
        overviews = {overview.name: overview for overview in await self.overview()}
        if name not in overviews:
            raise _unknown(name, overviews)
        return SourceDetail(
            overview=overviews[name],
            runs=tuple(await self._manifest.last_runs(name)),
            failures=tuple(await self._manifest.failures(name)),
        )

    async def remove(self, name: str) -> Removed:
        """Remove a source and all that is stored of it."""
        detail = await self.removable(name)
        await (await self._synchroniser()).remove(name)
        state = detail.overview.state
        return Removed(name=name, documents=state.documents, nodes=state.nodes)

    async def removable(self, name: str) -> SourceDetail:
        """Return the source if `remove` may remove it; raise otherwise."""
        detail = await self.show(name)
        if name in self._configured:
            raise CommandError(
                f"Source {name!r} is defined in the settings file. Take its [[sources]] block out there, "
                f"then run this again to remove what is stored of it."
            )
        return detail

    async def sync(
        self,
        source: AnySource,
        *,
        dry_run: bool = False,
        allow_deletes: bool = False,
        reembed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Bring one source's documents up to date."""
        synchroniser = await self._synchroniser()
        return await synchroniser.run(
            source, dry_run=dry_run, allow_deletes=allow_deletes, reembed=reembed, progress=progress
        )

    async def status(self, *, embedding: str, llm: str) -> Status:
        """Return how everything stands; the names of the models are the caller's to know."""
        sources = tuple(await self.overview())
        return Status(
            sources=sources,
            documents=sum(overview.state.documents for overview in sources),
            nodes=sum(overview.state.nodes for overview in sources),
            failed=sum(overview.state.failed for overview in sources),
            disk=await asyncio.to_thread(_disk_usage, self._data),
            data=self._data,
            embedding=embedding,
            llm=llm,
        )

    def _overview(self, name: str, source: AnySource | None, state: SourceState) -> SourceOverview:
        origin: Origin = "settings" if name in self._configured else "added" if source else "gone"
        return SourceOverview(
            name=name, origin=origin, source=source, state=state, next_run=_next_run(source, state)
        )

    async def lists(self, source: AnySource) -> bool:
        """Tell whether a source lists any document; raise when it cannot be listed."""
        listing = open_connector(source, data=self._data).list_documents()
        try:
            return await anext(listing, None) is not None
        finally:
            if isinstance(listing, AsyncGenerator):
                await listing.aclose()


def _defined(location: str, kind: str | None, options: Mapping[str, Any]) -> AnySource:
    named = {key: value for key, value in options.items() if key in _NAMED_BY_GUESS}
    source = guess_source(location, type=kind, **named)
    try:
        return _SOURCES.validate_python({**source.model_dump(), **options})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = next((part for part in reversed(problem["loc"]) if isinstance(part, str)), "location")
        message = problem["msg"].removeprefix("Value error, ").rstrip(".")
        raise CommandError(f"--{key} {problem['input']!r}: {message}.") from None


def _unknown(name: str, known: Iterable[str]) -> SourceUnknown:
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "See: lorekeeper sources list"
    return SourceUnknown(f"There is no source {name!r}. {hint}")


def _next_run(source: AnySource | None, state: SourceState) -> float | None:
    if source is None or state.last_run is None:
        return None
    return state.last_run.started + interval_seconds(source.every)


def _disk_usage(folder: Path) -> int:
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - 10 x as fast as Path here
            except FileNotFoundError:
                continue  # compaction removes files meanwhile
    return total
