from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector, Resources
from kb.connectors.github import GithubConnector
from kb.connectors.repository_api import Pace
from kb.documents import Content
from kb.sources import GithubSource
from tests.contracts.repository import RepositoryWorld
from tests.emulators.github import FULL_NAME, TOKEN, GithubEmulator
from tests.kb.connectors.repository import Repository


class GithubWorld(RepositoryWorld):
    """The issues of a repository at GitHub."""

    emulator: GithubEmulator
    location, token = FULL_NAME, TOKEN
    outside: tuple[str, ...] = (
        "issues/0",
        "issues/../../x",
        "issues/1/comments",
        "issues/99999",
        "issues/\uff11",
        "pulls/1",
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, GithubEmulator())
        self.emulator.has_discussions = True

    def _connector(self, location: str, resources: Resources) -> Connector:
        source = GithubSource(
            name="world", location=location, base_url=self.emulator.address, private_hosts=True
        )
        wiki = str(self.folder / "wiki")
        return GithubConnector(source, resources, pace=Pace(patience=0), wiki=wiki)

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            held = self.uris.get(name)
            issue = self.emulator.issues.get(int(held.rpartition("/")[2])) if held else None
            if issue is not None:
                self.emulator.edit(issue, body=data.decode())
            else:
                self.uris[name] = f"issues/{self.emulator.open_issue(name, data.decode()).number}"

    def remove(self, path: str) -> None:
        del self.emulator.issues[int(self.uris[path].rpartition("/")[2])]


class GithubDiscussionsWorld(GithubWorld):
    """Its discussions."""

    keeps_listed = False
    outside: tuple[str, ...] = ("discussions/0", "discussions/../x", "discussions/99999", "discussions/")

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            held = self.uris.get(name)
            found = self.emulator.discussions.get(int(held.rpartition("/")[2])) if held else None
            if found is not None:
                self.emulator.edit(found, body=data.decode())
            else:
                self.uris[name] = f"discussions/{self.emulator.discuss(name, data.decode()).number}"

    def remove(self, path: str) -> None:
        del self.emulator.discussions[int(self.uris[path].rpartition("/")[2])]


class GithubReleasesWorld(GithubWorld):
    """Its releases."""

    outside: tuple[str, ...] = (
        "releases/",
        "releases/..",
        "releases/../../octo/other",
        "releases/v9",
        "releases/a/../b",
    )

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self.emulator.release(name, data.decode())

    def remove(self, path: str) -> None:
        del self.emulator.releases[path]

    def uri(self, path: str) -> str:
        return f"releases/{path}"


class GithubWikiWorld(GithubWorld):
    """Its wiki."""

    outside: tuple[str, ...] = ("wiki/", "wiki/../a", "wiki/_Sidebar", "wiki/a.md", "wiki/script.sh")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.emulator.has_wiki = True
        self.repository = Repository(folder / "wiki")
        self.repository.write({"_Sidebar.md": b"[Home](Home)", "script.sh": b"true"})

    def write(self, files: Mapping[str, bytes]) -> None:
        self.repository.write(files)

    def remove(self, path: str) -> None:
        (self.repository.path / path).unlink()
        self.repository.commit()

    def uri(self, path: str) -> str:
        return f"wiki/{path.removesuffix('.md')}"

    def shows(self, content: Content, data: bytes) -> bool:
        return content.data.startswith(b"# ") and content.data.endswith(data)
