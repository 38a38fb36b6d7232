"""What the tests of both repository hosts share: connectors to one emulator, a clock, a listing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.documents import DocumentRef
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from tests.emulators.github import GithubEmulator
from tests.emulators.gitlab import GitlabEmulator

NOON = 1_800_000_000.0
Host = TypeVar("Host", GithubEmulator, GitlabEmulator)


class Bench(Generic[Host]):
    """Connectors to one emulator that share a memory, and a clock of their own."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host: Host = host
        self.folder = folder
        self.memory = BorrowedMemory()
        self.fetcher = Fetcher()
        self.now = NOON
        self.token: str | None = host.token

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.host.running():
            yield
            await self.fetcher.close()

    def connector(self, *parts: str, **settings: Any) -> Connector:  # noqa: ANN401 - fields of the settings
        raise NotImplementedError

    def given(self, location: str, parts: tuple[str, ...], settings: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the settings."""
        chosen = {"parts": parts} if parts else {}
        return {
            "location": location,
            "base_url": self.host.address,
            "private_hosts": True,
            **chosen,
            **settings,
        }

    def resources(self, max_bytes: int = 1 << 20) -> Resources:
        return Resources(
            data=self.folder / "data",
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _variable: SecretStr(self.token) if self.token else None,
            max_bytes=max_bytes,
        )

    async def listed(self, *parts: str, **settings: Any) -> dict[str, DocumentRef]:  # noqa: ANN401
        return await listed(self.connector(*parts, **settings))

    async def text(self, uri: str, *parts: str) -> str:
        connector = self.connector(*parts)
        return (await connector.fetch((await listed(connector))[uri])).data.decode()


async def listed(connector: Connector) -> dict[str, DocumentRef]:
    return {ref.uri: ref async for ref in connector.list_documents()}


def fill(host: GithubEmulator | GitlabEmulator, count: int = 130) -> None:
    """Open so many issues, five minutes apart."""
    host.tick = timedelta(minutes=5)
    for number in range(count):
        host.open_issue(f"Issue {number}", "text")
    host.tick = timedelta(seconds=1)
