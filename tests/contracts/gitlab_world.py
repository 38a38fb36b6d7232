from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector, Resources
from kb.connectors.gitlab import GitlabConnector
from kb.connectors.repository_api import Pace
from kb.sources import GitlabSource
from tests.contracts.repository import RepositoryWorld
from tests.emulators.gitlab import PATH, TOKEN, GitlabEmulator


class GitlabWorld(RepositoryWorld):
    """The issues of a project at GitLab."""

    emulator: GitlabEmulator
    location, token = PATH, TOKEN
    outside: tuple[str, ...] = ("issues/0", "issues/../../x", "issues/1/notes", "issues/99999", "pulls/1")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, GitlabEmulator())

    def _connector(self, location: str, resources: Resources) -> Connector:
        source = GitlabSource(
            name="world", location=location, base_url=self.emulator.address, private_hosts=True
        )
        return GitlabConnector(source, resources, pace=Pace(patience=0))

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
