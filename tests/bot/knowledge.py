"""A small knowledge base with all that is behind the commands: real folders, store and syncs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels import ChannelRules
from bot.chat import Person, Place
from bot.chat_commands import ChatCommands
from bot.chat_settings import PlatformSettings
from bot.commands import Commands
from bot.curated import Curated
from bot.forms import Told
from bot.ledger import Ledger
from kb.connectors.registry import Connectors
from kb.database import open_database
from kb.documents import document_id
from kb.manifest import Manifest
from kb.schedules import Schedules
from kb.settings import SyncSettings
from kb.sources import AnySource
from kb.store import NodeStore
from kb.sync import Synchroniser
from tests.kb.fakes import DIMENSION, HashEmbedder, LineParser
from tests.kb.stored import AT_ONCE

NOW = 1_800_000_000.0
OPERATOR = Person(platform="slack", workspace="T1", id="UOP")  # whom the settings name
ADMIN = Person(platform="slack", workspace="T1", id="UADMIN", admin=True)  # whom the platform makes one
GUEST = Person(platform="slack", workspace="T1", id="UGUEST")
OPEN = Place(platform="slack", workspace="T1", channel="C1")
CLOSED = Place(platform="slack", workspace="T1", channel="C2", kind="private")
DIRECT = Place(platform="slack", workspace="T1", channel="D1", kind="direct")
PLATFORMS = {"slack": PlatformSettings(admins=("UOP",)), "discord": PlatformSettings()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """The parts; `chat` is what is under test most often."""

    engine: AsyncEngine
    store: NodeStore
    manifest: Manifest
    schedules: Schedules
    commands: Commands
    curated: Curated
    chat: ChatCommands
    ledger: Ledger
    data: Path

    async def told(
        self, text: str, person: Person = OPERATOR, place: Place = OPEN, *, language: str = ""
    ) -> list[Told]:
        """Return all that a command says."""
        return [told async for told in self.chat.run(text, person, place, language=language)]

    async def last(
        self, text: str, person: Person = OPERATOR, place: Place = OPEN, *, language: str = ""
    ) -> Told:
        """Return what a command says last."""
        return (await self.told(text, person, place, language=language))[-1]

    async def texts(self, source: str, uri: str) -> list[str]:
        """Return the text of a stored document's nodes."""
        return [node.text for node in await self.store.nodes_of(document_id(source, uri))]


async def open_knowledge(
    stack: AsyncExitStack, folder: Path, configured: Sequence[AnySource] = ()
) -> Knowledge:
    """Open a knowledge base in a folder."""
    data = folder / "data"
    engine = await open_database("", data)
    stack.push_async_callback(engine.dispose)
    store = await NodeStore.open(data / "store", model="hash-16", dimension=DIMENSION, refresh=AT_ONCE)
    stack.push_async_callback(store.close)
    manifest, schedules = Manifest(engine), Schedules(engine)
    connectors = Connectors(engine, data)
    synchroniser = Synchroniser(store, manifest, HashEmbedder(), LineParser(), SyncSettings(), connectors)

    async def opened() -> Synchroniser:
        return synchroniser

    commands = Commands(
        manifest=manifest,
        configured=configured,
        data=data,
        connectors=connectors,
        schedules=schedules,
        synchroniser=opened,
    )
    curated = Curated(commands, data, PLATFORMS, clock=lambda: NOW)
    chat = ChatCommands(commands, curated, PLATFORMS, ("minilm", "none"), rules=ChannelRules((), PLATFORMS))
    stack.push_async_callback(chat.close)
    return Knowledge(
        engine=engine,
        store=store,
        manifest=manifest,
        schedules=schedules,
        commands=commands,
        curated=curated,
        chat=chat,
        ledger=await Ledger.open(engine),
        data=data,
    )
