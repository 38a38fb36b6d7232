from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.connectors.gitlab import GitlabConnector
from kb.connectors.repository_api import Pace
from kb.documents import Content
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.sources import GitlabSource
from tests.contracts.world import World
from tests.emulators.gitlab import PATH, GitlabEmulator
from tests.emulators.repository_host import Refusal


class GitlabWorld(World):
    """The issues of a project at GitLab."""

    paths = globs = False
    keeps_listed = True
    refusals = (401, 403, 404, 429, 500, 502, 503)
    outside: tuple[str, ...] = ("issues/0", "issues/../../x", "issues/1/notes", "issues/99999", "pulls/1")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.emulator = GitlabEmulator()
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
        return self._connector(PATH, max_bytes)

    def _connector(self, location: str, max_bytes: int = 1 << 20) -> Connector:
        source = GitlabSource(
            name="world", location=location, base_url=self.emulator.address, private_hosts=True
        )
        resources = Resources(
            data=self.folder / "data",
            fetcher=self.fetcher,
            memory=self.memory,
            secret=lambda _variable: SecretStr(self.emulator.token),
            max_bytes=max_bytes,
        )
        return GitlabConnector(source, resources, pace=Pace(patience=0))

    def invalid(self) -> Connector:
        return self._connector("nothing")

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            held = self.uris.get(name)
            issue = self.emulator.issues.get(int(held.rpartition("/")[2])) if held else None
            if issue is not None:
                self.emulator.edit(issue, description=data.decode())
            else:
                self.uris[name] = f"issues/{self.emulator.open_issue(name, data.decode()).iid}"

    def remove(self, path: str) -> None:
        del self.emulator.issues[int(self.uris[path].rpartition("/")[2])]

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


class GitlabReleasesWorld(GitlabWorld):
    """Its releases."""

    outside: tuple[str, ...] = ("releases/", "releases/..", "releases/../x", "releases/v9", "releases/a/./b")

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self.emulator.release(name, data.decode())

    def remove(self, path: str) -> None:
        del self.emulator.releases[path]

    def uri(self, path: str) -> str:
        return f"releases/{path}"


class GitlabWikiWorld(GitlabWorld):
    """Its wiki."""

    outside: tuple[str, ...] = ("wiki/", "wiki/..", "wiki/../issues", "wiki/nothing")

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self.emulator.page(name, data.decode())

    def remove(self, path: str) -> None:
        del self.emulator.pages[path]

    def uri(self, path: str) -> str:
        return f"wiki/{path}"
