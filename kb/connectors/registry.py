"""Which connector reads a source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.connectors.base import MAX_BYTES, Connector, Resources
from kb.memory import BorrowedMemory, SourceMemory
from kb.settings import ReadersSettings
from kb.sources import AnySource, FolderSource, GitSource

if TYPE_CHECKING:
    from kb.fetch import Fetcher

# Imported when such a source is opened: most programs have sources of one or two types. Each class takes
# its settings and `Resources`.
_CONNECTORS = {
    "web": "kb.connectors.web:WebConnector",
    "sitemap": "kb.connectors.sitemap:SitemapConnector",
    "feed": "kb.connectors.feed:FeedConnector",
    "github": "kb.connectors.github:GithubConnector",
    "gitlab": "kb.connectors.gitlab:GitlabConnector",
    "slack_history": "kb.connectors.slack_history:SlackHistoryConnector",
    "discord_history": "kb.connectors.discord_history:DiscordHistoryConnector",
    "object_store": "kb.connectors.object_store:ObjectStoreConnector",
    "reader": "kb.connectors.reader:ReaderConnector",
}


def _new_fetcher() -> Fetcher:
    from kb.fetch import Fetcher

    return Fetcher()


def _no_secret(_variable: str) -> SecretStr | None:
    return None


class Connectors:
    """Opens connectors with what they share. `fetcher` is called when a source on the network is opened."""

    def __init__(
        self,
        engine: AsyncEngine,
        data: Path,
        *,
        fetcher: Callable[[], Fetcher] = _new_fetcher,
        secret: Callable[[str], SecretStr | None] = _no_secret,
        readers: ReadersSettings | None = None,
    ) -> None:
        self._engine = engine
        self._data = data
        self._new_fetcher = fetcher
        self._secret = secret
        self._readers = readers or ReadersSettings()

    def __call__(self, settings: AnySource, *, max_bytes: int = MAX_BYTES, dry: bool = False) -> Connector:
        """Return the connector of a source; a `dry` one remembers nothing of what it sees."""
        if isinstance(settings, FolderSource):
            from kb.connectors.folder import FolderConnector

            return FolderConnector(settings, max_bytes=max_bytes)
        if isinstance(settings, GitSource):
            from kb.connectors.git import GitConnector

            return GitConnector(settings, data=self._data, max_bytes=max_bytes)
        memory = SourceMemory(self._engine, settings.name)
        resources = Resources(
            data=self._data,
            fetcher=self._fetcher,
            memory=BorrowedMemory(memory) if dry else memory,
            secret=self._secret,
            readers=self._readers,
            max_bytes=max_bytes,
        )
        module, _, name = _CONNECTORS[settings.type].partition(":")
        return cast("Connector", getattr(import_module(module), name)(settings, resources))

    @cached_property
    def _fetcher(self) -> Fetcher:
        return self._new_fetcher()
