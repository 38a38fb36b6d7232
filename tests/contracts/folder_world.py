from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector
from kb.connectors.folder import FolderConnector
from kb.sources import FolderSource
from tests.contracts.world import World


class FolderWorld(World):
    """A folder on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "root"
        self.root.mkdir()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = FolderSource(name="world", location=str(self.root), include=include, exclude=exclude)
        return FolderConnector(source, max_bytes=max_bytes)

    def invalid(self) -> Connector:
        return FolderConnector(FolderSource(name="world", location="a\0b"))

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            os.utime(file, (1_700_000_000, 1_700_000_000))

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def link(self, links: Mapping[str, str]) -> None:
        for path, target in links.items():
            (self.root / path).symlink_to(target)

    def break_source(self) -> None:
        self.root.rename(self.folder / "elsewhere")
