"""What the worlds of chat histories share: a channel of an emulated platform and what is written there."""

from __future__ import annotations

import time
from abc import abstractmethod
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.documents import Content
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from tests.contracts.world import World


class HistoryWorld(World):
    """Every other document is a thread, whose reply holds the text."""

    paths = False
    globs = False
    keeps_listed = True
    refusals = (401, 403, 404, 429, 500, 503)
    channel: str
    no_channel: str
    token: str

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._opened = AsyncExitStack()
        self._fetcher = Fetcher()
        self._memory = BorrowedMemory()
        self._uris: dict[str, str] = {}
        self._written = 0

    async def close(self) -> None:
        await self._opened.aclose()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        settings = {"location": self.channel, "include": include, "exclude": exclude}
        return self._connector(settings, self._resources(max_bytes))

    def invalid(self) -> Connector:
        return self._connector({"location": self.no_channel}, self._resources())

    @abstractmethod
    def _connector(self, settings: dict[str, Any], resources: Resources) -> Connector:
        """Return a connector with these settings."""

    def _resources(self, max_bytes: int = 1 << 20) -> Resources:
        return Resources(
            data=self.folder,
            fetcher=self._fetcher,
            memory=self._memory,
            secret=lambda _: SecretStr(self.token),
            max_bytes=max_bytes,
        )

    def _next(self) -> tuple[float, bool]:
        """Return when the next document is written, and whether it is a thread."""
        self._written += 1
        return time.time() - 20 * 86400 + self._written * 3600, self._written % 2 == 0

    def uri(self, path: str) -> str:
        return self._uris[path]

    def shows(self, content: Content, data: bytes) -> bool:
        return content.data.decode().rstrip().endswith(f":\n{data.decode().strip()}")

    def forget(self) -> None:
        self._memory = BorrowedMemory()


async def at_once(_seconds: float) -> None:
    """Stand in for `asyncio.sleep`."""
    return
