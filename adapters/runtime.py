"""The composition root: the only place that constructs the parts and joins them.

Nothing is opened before a command asks for it, so that `status` loads no model and starts no process.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from adapters.settings import Settings, read_secret, read_variable
from kb.settings import interval_seconds

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.assistant import Assistant
    from bot.commands import Commands
    from bot.ledger import Ledger
    from bot.llms import Model
    from bot.persona import Stylist
    from bot.persona_guard import PersonaGuard
    from bot.personas import Personas
    from bot.settings import LlmSettings
    from kb.connectors.registry import Connectors
    from kb.embedding import Embedder
    from kb.fetch import Fetcher
    from kb.manifest import Manifest
    from kb.retriever import Searcher
    from kb.schedule import Run, Scheduler, Told
    from kb.schedules import Schedules
    from kb.settings import EmbeddingSettings
    from kb.store import NodeStore
    from kb.sync import Synchroniser

Part = TypeVar("Part")

STORE_FOLDER = "store"
CACHE_FOLDER = "cache"
# Slow imports, begun in a thread while the model loads: together they cost less than one by one.
_SLOW_IMPORTS = ("kb.lance", "sqlalchemy.ext.asyncio")
_WRITING_IMPORT = "bot.query_engine"  # with LlamaIndex, only where a model writes


class Runtime:
    """The parts of a running program, each opened once when it is first asked for, closed in reverse.

    With `fresh`, the index is a new one beside the current one, which stays in use until `publish`.
    """

    def __init__(self, settings: Settings, *, fresh: bool = False) -> None:
        self.settings = settings
        self._fresh = fresh
        self.data = settings.data.path
        self._stack = AsyncExitStack()
        self._parts: dict[str, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what was opened, last first."""
        for part in self._parts.values():
            part.cancel()
        await asyncio.gather(*self._parts.values(), return_exceptions=True)
        await self._stack.aclose()

    def preload(self, *, answers: bool = False) -> None:
        """Begin beside the work of the loop what takes long: imports, and the embedded model.

        To load the model needs the interpreter for little, so that next to the imports it costs no time.
        With `answers`, a question will be answered: what a model writes with is imported, too.
        """
        if self.settings.embedding.provider == "minilm":
            self._start("embedder", self._open_embedder)
        writes = answers and self.settings.llm.provider != "none"
        for name in (*_SLOW_IMPORTS, *([_WRITING_IMPORT] if writes else ())):
            self._start(f"import {name}", partial(_imported, name))

    async def engine(self) -> AsyncEngine:
        """Return the SQL database, at this release's version."""
        return await self._once("engine", self._open_engine)

    async def manifest(self) -> Manifest:
        """Return what is stored of each document."""
        from kb.manifest import Manifest

        return Manifest(await self.engine())

    async def embedder(self) -> Embedder:
        """Return the embedding model."""
        return await self._once("embedder", self._open_embedder)

    async def store(self) -> NodeStore:
        """Return the index."""
        return await self._once("store", self._open_store)

    async def searcher(self) -> Searcher:
        """Return what finds passages."""
        return await self._once("searcher", self._open_searcher)

    async def assistant(self) -> Assistant:
        """Return what answers questions."""
        return await self._once("assistant", self._open_assistant)

    async def ledger(self) -> Ledger:
        """Return where answers are kept."""
        return await self._once("ledger", self._open_ledger)

    async def model(self) -> Model | None:
        """Return the model that writes answers, None when sentences are quoted."""
        return await self._once("model", self._open_model)

    async def stylist(self) -> Stylist | None:
        """Return what speaks in the personas, None when they are switched off."""
        return await self._once("stylist", self._open_stylist) if self.settings.persona.enabled else None

    async def personas(self) -> Personas:
        """Return the personas with the models that training gave them."""
        from bot.personas import Personas

        known = Personas(settings=self.settings.persona, others=self.settings.personas, llm=self.settings.llm)
        return known.with_trained(await (await self.persona_guard()).trained())

    async def persona_guard(self) -> PersonaGuard:
        """Return what keeps personas within bounds, with what was chosen for people and channels."""
        return await self._once("persona guard", self._open_persona_guard)

    async def synchroniser(self) -> Synchroniser:
        """Return what brings the index up to date."""
        return await self._once("synchroniser", self._open_synchroniser)

    async def commands(self) -> Commands:
        """Return what carries out the commands about sources."""
        from bot.commands import Commands

        return Commands(
            manifest=await self.manifest(),
            configured=self.settings.sources,
            data=self.data,
            connectors=await self.connectors(),
            schedules=await self.schedules(),
            synchroniser=self.synchroniser,
        )

    async def schedules(self) -> Schedules:
        """Return when each source is due."""
        from kb.schedules import Schedules

        return Schedules(await self.engine(), self.settings.schedule)

    async def scheduler(self, run: Run, told: Told) -> Scheduler:
        """Return what syncs sources by schedule with `run`; `told` hears how each sync ended."""
        from kb.schedule import Scheduler
        from kb.watching import changes

        return Scheduler(
            await self.schedules(),
            self.settings.schedule,
            sources=(await self.commands()).sources,
            run=run,
            told=told,
            changes=changes,
        )

    async def connectors(self) -> Connectors:
        """Return what opens the connector of a source."""
        return await self._once("connectors", self._open_connectors)

    def model_names(self) -> tuple[str, str]:
        """Return what embeds and what writes, for people; no model is loaded for it."""
        return model_names(self.settings)

    async def _once(self, name: str, opener: Callable[[], Awaitable[Part]]) -> Part:
        self._start(name, opener)
        return cast("Part", await asyncio.shield(self._parts[name]))

    def _start(self, name: str, opener: Callable[[], Awaitable[Any]]) -> None:
        if name not in self._parts:
            self._parts[name] = asyncio.ensure_future(opener())

    async def _open_engine(self) -> AsyncEngine:
        module = await _imported("kb.database")
        engine: AsyncEngine = await module.open_database(self.settings.database.url, self.data)
        self._stack.push_async_callback(module.close_database, engine)
        return engine

    async def _open_embedder(self) -> Embedder:
        settings = self.settings.embedding
        open_embedder = (await _imported("kb.embedding")).open_embedder
        secret = read_secret("embedding", settings)
        embedder: Embedder = await open_embedder(settings, self.data / CACHE_FOLDER, secret)
        self._stack.push_async_callback(embedder.close)
        return embedder

    async def _open_store(self) -> NodeStore:
        module, embedder = await asyncio.gather(_imported("kb.store"), self.embedder())
        store: NodeStore = await module.NodeStore.open(
            self.data / STORE_FOLDER,
            model=embedder.identity,
            dimension=embedder.dimension,
            fresh=self._fresh,
            keep=timedelta(seconds=interval_seconds(self.settings.sync.keep_versions)),
            marked=self._marked_versions,
        )
        self._stack.push_async_callback(store.close)
        return store

    async def _marked_versions(self, store: str) -> Collection[int]:
        """Return the versions of the index that syncs name: maintenance keeps them for a rollback."""
        marked_versions = (await _imported("kb.lookback")).marked_versions
        marked: Collection[int] = await marked_versions(await self.engine())(store)
        return marked

    async def _open_searcher(self) -> Searcher:
        module, store = await asyncio.gather(_imported("kb.retriever"), self.store())
        searcher: Searcher = module.Searcher(store, await self.embedder(), self.settings.retrieval)
        return searcher

    async def _open_assistant(self) -> Assistant:
        from bot.assistant import Assistant
        from bot.extractive import Composer

        searcher, ledger = await asyncio.gather(self.searcher(), self.ledger())
        assistant = Assistant(
            searcher,
            Composer(searcher).compose,
            await self.model(),
            ledger,
            self.settings.retrieval,
            await self.stylist(),
        )
        self._stack.push_async_callback(assistant.close)
        return assistant

    async def _open_ledger(self) -> Ledger:
        from bot.ledger import Ledger

        return await Ledger.open(await self.engine())

    async def _open_model(self) -> Model | None:
        settings = self.settings.llm
        if settings.provider == "none":
            return None
        await _imported(_WRITING_IMPORT)  # here, or the first question would wait for it on the loop
        open_model = (await _imported("bot.llms")).open_model
        model: Model | None = open_model(settings, read_secret("llm", settings))
        if model is not None:
            self._stack.push_async_callback(model.close)
        return model

    async def _open_stylist(self) -> Stylist:
        module = await _imported("bot.persona")
        stylist: Stylist = module.Stylist(await self.personas(), read_variable, await self.persona_guard())
        self._stack.push_async_callback(stylist.close)
        return stylist

    async def _open_persona_guard(self) -> PersonaGuard:
        from bot.persona_guard import PersonaGuard

        await self.ledger()  # its tables are of the same layer
        return PersonaGuard(await self.engine(), self.settings.persona)

    async def _open_synchroniser(self) -> Synchroniser:
        from kb.parsing.pool import Parser
        from kb.sync import Synchroniser

        limits = self.settings.sync
        parser = Parser(
            seconds=limits.parse_seconds, memory_mb=limits.parse_memory_mb, workers=_parsing_children()
        )
        self._stack.push_async_callback(parser.close)
        return Synchroniser(
            await self.store(),
            await self.manifest(),
            await self.embedder(),
            parser,
            limits,
            await self.connectors(),
        )

    async def _open_connectors(self) -> Connectors:
        from kb.connectors.registry import Connectors

        return Connectors(
            await self.engine(),
            self.data,
            fetcher=self._open_fetcher,
            secret=read_variable,
            readers=self.settings.readers,
        )

    def _open_fetcher(self) -> Fetcher:
        from kb.fetch import Fetcher

        fetcher = Fetcher(self.settings.fetch)
        self._stack.push_async_callback(fetcher.close)
        return fetcher


async def _imported(name: str) -> ModuleType:
    """Import a module beside the loop: some take half a second."""
    return await asyncio.to_thread(import_module, name)


def _parsing_children() -> int:
    """Leave most of the machine to the embedding, which is the slower part."""
    return max(1, min(4, (os.cpu_count() or 1) // 2))


def model_names(settings: Settings) -> tuple[str, str]:
    """Return what embeds and what writes, for people."""
    embedding, llm = settings.embedding, settings.llm
    embeds = "all-MiniLM-L6-v2, embedded" if embedding.provider == "minilm" else _at(embedding)
    writes = "no model: the best sentences are quoted" if llm.provider == "none" else _at(llm)
    return embeds, writes


def _at(section: EmbeddingSettings | LlmSettings) -> str:
    host = urlsplit(section.base_url).hostname or "OpenAI"
    return f"{section.model or '(no model set)'} at {host}"
