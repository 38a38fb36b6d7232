from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.connectors.base import Connector, Resources
from kb.connectors.discord_history import DiscordHistoryConnector
from kb.sources import DiscordHistorySource
from tests.contracts.history import HistoryWorld, at_once
from tests.emulators.discord_history import TOKEN, DiscordServer, Refusal, serve_discord


class DiscordHistoryWorld(HistoryWorld):
    """A channel of an emulated server: every other document is a thread, whose reply holds the text."""

    outside = ("700000000000000001", "9" * 20, "1" * 17, "-1", "@me", "800000000000000001")
    no_channel, token = "general", TOKEN

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server = DiscordServer()
        self.channel = self._server.channel
        self._texts: dict[str, tuple[str, str]] = {}

    async def open(self) -> None:
        await self._opened.enter_async_context(serve_discord(self._server))
        self._opened.push_async_callback(self._fetcher.close)

    def _connector(self, settings: dict[str, Any], resources: Resources) -> Connector:
        given = {"name": "world", "base_url": self._server.url, "private_hosts": True, **settings}
        return DiscordHistoryConnector(DiscordHistorySource.model_validate(given), resources, sleep=at_once)

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            if path in self._texts:
                message, thread = self._texts[path]
                self._server.edit(message, data.decode(), at=time.time(), thread=thread)
            else:
                self._post(path, data.decode())

    def _post(self, path: str, text: str) -> None:
        at, threaded = self._next()
        if not threaded:
            self._uris[path] = self._server.post(at, text)
            self._texts[path] = (self._uris[path], "")
        else:
            message = self._server.post(at, "Who knows?")
            thread = self._uris[path] = self._server.open_thread(at, "A thread", message=message)
            self._texts[path] = (self._server.post(at + 60, text, thread=thread), thread)

    def remove(self, path: str) -> None:
        message, thread = self._texts.pop(path)
        if thread:
            self._server.delete_thread(thread)
        self._server.delete(thread or message)

    def break_source(self) -> None:
        self._server.permissions = 0

    def refuse(self, status: int) -> None:
        self._server.every = Refusal(status=status, body="no")
