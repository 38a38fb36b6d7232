from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector
from kb.connectors.git import GitConnector
from kb.sources import GitSource
from tests.contracts.world import World
from tests.kb.connectors.repository import Repository


class GitWorld(World):
    """A local git repository."""

    keeps_listed = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.repository = Repository(folder / "repository")
        self.repository.commit()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = GitSource(name="world", location=str(self.repository.path), include=include, exclude=exclude)
        return GitConnector(source, data=self.folder / "data", max_bytes=max_bytes)

    def invalid(self) -> Connector:
        return GitConnector(GitSource(name="world", location="ext::sh -c true"), data=self.folder / "data")

    def write(self, files: Mapping[str, bytes]) -> None:
        self.repository.write(files)

    def remove(self, path: str) -> None:
        (self.repository.path / path).unlink()
        self.repository.commit()

    def link(self, links: Mapping[str, str]) -> None:
        for path, target in links.items():
            (self.repository.path / path).symlink_to(target)
        self.repository.commit()

    def break_source(self) -> None:
        self.repository.path.rename(self.folder / "elsewhere")
