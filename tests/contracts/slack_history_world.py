from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.connectors.base import Connector, Resources
from kb.connectors.slack_history import SlackHistoryConnector
from kb.sources import SlackHistorySource
from tests.contracts.history import HistoryWorld, at_once
from tests.emulators.slack_history import TOKEN, Refusal, SlackServer, serve_slack


class SlackHistoryWorld(HistoryWorld):
    """A channel of an emulated workspace: every other document is a thread, whose reply holds the text."""

    outside = ("1700000000.000000", "1700000000", "9999999999.000000", "C0OTHER", "0.0", "-1", "nan")
    no_channel, token = "#general", TOKEN

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server = SlackServer()
        self.channel = self._server.channel
        self._texts: dict[str, str] = {}

    async def open(self) -> None:
        await self._opened.enter_async_context(serve_slack(self._server))
        self._opened.push_async_callback(self._fetcher.close)
        self._server.person("U1", "Ann")

    def _connector(self, settings: dict[str, Any], resources: Resources) -> Connector:
        given = {"name": "world", "base_url": self._server.url, "private_hosts": True, **settings}
        return SlackHistoryConnector(SlackHistorySource.model_validate(given), resources, sleep=at_once)

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            if path in self._texts:
                self._server.edit(self._texts[path], data.decode(), at=time.time())
            else:
                self._post(path, data.decode())

    def _post(self, path: str, text: str) -> None:
        at, threaded = self._next()
        if not threaded:
            self._uris[path] = self._texts[path] = self._server.post(at, text)
        else:
            self._uris[path] = self._server.post(at, "Who knows?")
            self._texts[path] = self._server.post(at + 60, text, thread=self._uris[path])

    def remove(self, path: str) -> None:
        for ts in dict.fromkeys((self._texts.pop(path), self._uris[path])):
            self._server.delete(ts)

    def break_source(self) -> None:
        self._server.member = False

    def refuse(self, status: int) -> None:
        self._server.every = Refusal(status=status, body="no")
