"""What the worlds of repository hosts share: an emulated host, and what stands beside a repository there."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.documents import Content
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from tests.contracts.world import World
from tests.emulators.repository_host import Refusal, RepositoryHost


class RepositoryWorld(World):
    """One repository, found by `location` and read with `token`."""

    paths = globs = False
    keeps_listed = True
    refusals = (401, 403, 404, 429, 500, 502, 503)
    emulator: RepositoryHost
    location: str
    token: str

    def __init__(self, folder: Path, emulator: RepositoryHost) -> None:
        super().__init__(folder)
        self.emulator = emulator
        self.memory = BorrowedMemory()
        self.fetcher = Fetcher()
        self.uris: dict[str, str] = {}

    async def open(self) -> None:
        await self.emulator.start()

    async def close(self) -> None:
        await self.fetcher.close()
        await self.emulator.stop()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        return self._connector(self.location, self._resources(max_bytes))

    def invalid(self) -> Connector:
        return self._connector("no repository", self._resources())

    @abstractmethod
    def _connector(self, location: str, resources: Resources) -> Connector:
        """Return a connector to a location."""

    def _resources(self, max_bytes: int = 1 << 20) -> Resources:
        return Resources(
            data=self.folder / "data",
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _variable: SecretStr(self.token),
            max_bytes=max_bytes,
        )

    def break_source(self) -> None:
        self.refuse(502)

    def refuse(self, status: int) -> None:
        self.emulator.script = lambda _request: Refusal(status=status)

    def uri(self, path: str) -> str:
        return self.uris[path]

    def shows(self, content: Content, data: bytes) -> bool:
        return content.data.startswith(b"# ") and content.data.endswith(data.strip() + b"\n")

    def forget(self) -> None:
        self.memory = BorrowedMemory()
