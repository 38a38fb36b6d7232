from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.connectors.discord_history import DiscordHistoryConnector
from kb.documents import Content
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.sources import DiscordHistorySource
from tests.contracts.world import World
from tests.emulators.discord_history import TOKEN, DiscordServer, Refusal, serve_discord


class DiscordHistoryWorld(World):
    """A channel of an emulated server: every other document is a thread, whose reply holds the text."""

    paths = False
    globs = False
    keeps_listed = True
    refusals = (401, 403, 404, 429, 500, 503)
    outside = ("700000000000000001", "9" * 20, "1" * 17, "-1", "@me", "800000000000000001")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._opened = AsyncExitStack()
        self._fetcher = Fetcher()
        self._memory = BorrowedMemory()
        self._server = DiscordServer()
        self._uris: dict[str, str] = {}
        self._texts: dict[str, tuple[str, str]] = {}
        self._written = 0

    async def open(self) -> None:
        await self._opened.enter_async_context(serve_discord(self._server))
        self._opened.push_async_callback(self._fetcher.close)

    async def close(self) -> None:
        await self._opened.aclose()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        return self._connector(self._server.channel, max_bytes, include, exclude)

    def invalid(self) -> Connector:
        return self._connector("general")

    def _connector(
        self,
        location: str,
        max_bytes: int = 1 << 20,
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
    ) -> Connector:
        source = DiscordHistorySource(
            name="world",
            location=location,
            base_url=self._server.url,
            private_hosts=True,
            include=include,
            exclude=exclude,
        )
        resources = Resources(
            data=self.folder,
            fetcher=self._fetcher,
            memory=self._memory,
            secret=lambda _: SecretStr(TOKEN),
            max_bytes=max_bytes,
        )
        return DiscordHistoryConnector(source, resources, sleep=_at_once)

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            if path in self._texts:
                message, thread = self._texts[path]
                self._server.edit(message, data.decode(), at=time.time(), thread=thread)
            else:
                self._post(path, data.decode())

    def _post(self, path: str, text: str) -> None:
        self._written += 1
        at = time.time() - 20 * 86400 + self._written * 3600
        if self._written % 2:
            self._uris[path] = self._server.post(at, text)
            self._texts[path] = (self._uris[path], "")
        else:
            message = self._server.post(at, "Who knows?")
            thread = self._uris[path] = self._server.open_thread(at, "A thread", message=message)
            self._texts[path] = (self._server.post(at + 60, text, thread=thread), thread)

    def remove(self, path: str) -> None:
        message, thread = self._texts.pop(path)
        if thread:
            self._server.delete_thread(thread)
        self._server.delete(thread or message)

    def break_source(self) -> None:
        self._server.permissions = 0

    def uri(self, path: str) -> str:
        return self._uris[path]

    def shows(self, content: Content, data: bytes) -> bool:
        return content.data.decode().rstrip().endswith(f":\n{data.decode().strip()}")

    def forget(self) -> None:
        self._memory = BorrowedMemory()

    def refuse(self, status: int) -> None:
        self._server.every = Refusal(status=status, body="no")


async def _at_once(_seconds: float) -> None:
    return
