from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from kb.connectors.base import Connector, Resources
from kb.connectors.reader import ReaderConnector
from kb.documents import Content
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.settings import ReadersSettings
from kb.sources import ReaderSource
from tests.contracts.world import World

NOTES = "tests.kb.connectors.readers.NotesReader"


class ReaderWorld(World):
    """A reader in a child process, over a folder of notes that it names by their paths."""

    paths = False
    keeps_listed = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "notes"
        self.root.mkdir()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = ReaderSource(
            name="world",
            location=NOTES,
            arguments={"folder": str(self.root)},
            include=include,
            exclude=exclude,
        )
        return ReaderConnector(source, self._resources(max_bytes))

    def invalid(self) -> Connector:
        source = ReaderSource(name="world", location="os.system")
        return ReaderConnector(source, self._resources(1 << 20))

    def _resources(self, max_bytes: int) -> Resources:
        return Resources(
            data=self.folder / "data",
            fetcher=Fetcher(),
            memory=BorrowedMemory(),
            secret=lambda _variable: None,
            readers=ReadersSettings(allowed=(NOTES,), seconds=60),
            max_bytes=max_bytes,
        )

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def shows(self, content: Content, data: bytes) -> bool:
        return content.data.endswith(data) and content.media_type == "text/markdown"

    def break_source(self) -> None:
        shutil.rmtree(self.root)
