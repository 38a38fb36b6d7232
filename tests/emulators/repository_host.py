"""What the emulators of repository hosts share: a real socket, recorded requests, scripted refusals, pages.

It imports nothing of ours, so that one misreading of an API cannot pass twice.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from yarl import URL

Body = dict[str, Any]
START = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer given in the place of the real one."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = '{"message": "scripted"}'
    content_type: str = "application/json"


Script = Callable[[Recorded], Refusal | None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RepositoryHost:
    """A server. `script` may refuse a request; each change of what it holds takes `tick` of its time."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.script: Script = lambda _request: None
        self.now = START
        self.tick = timedelta(seconds=1)
        self.address = ""
        self._runner: web.AppRunner | None = None

    def routes(self, app: web.Application) -> None:
        """Add the API's routes."""
        raise NotImplementedError

    def moment(self) -> datetime:
        """Return the time of a change that is made now."""
        self.now += self.tick
        return self.now

    def asked(self, part: str) -> int:
        """Count the requests whose path holds this."""
        return sum(part in request.path for request in self.requests)

    async def start(self) -> None:
        """Serve on a free port."""
        app = web.Application(middlewares=[self._middleware()])
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close the socket and all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Serve until the block ends."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    def _middleware(self) -> Any:  # noqa: ANN401 - aiohttp's own type of middlewares
        @web.middleware
        async def recorded(request: web.Request, handler: Handler) -> web.StreamResponse:
            told = Recorded(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers=dict(request.headers),
                body=await request.text(),
            )
            self.requests.append(told)
            refusal = self.script(told)
            if refusal is not None:
                return web.Response(
                    status=refusal.status,
                    headers=refusal.headers,
                    text=refusal.text,
                    content_type=refusal.content_type,
                )
            return await handler(request)

        return recorded


def page_of(
    request: web.Request, rows: Sequence[Body], *, default: int, last: bool = True
) -> tuple[list[Body], dict[str, str]]:
    """Return the rows of the page that is asked for, and its Link header as these hosts write it."""
    size = min(int(request.query.get("per_page", default)), 100)
    number = int(request.query.get("page", 1))
    count = max(1, math.ceil(len(rows) / size))
    links = []
    if number < count:
        links.append(_link(request.url, number + 1, "next"))
        links += [_link(request.url, count, "last")] if last else []
    if number > 1:
        links += [_link(request.url, 1, "first"), _link(request.url, number - 1, "prev")]
    headers = {"Link": ", ".join(links)} if links else {}
    return list(rows[(number - 1) * size : number * size]), headers


def _link(url: URL, page: int, relation: str) -> str:
    return f'<{url.update_query(page=page)}>; rel="{relation}"'


def zulu(when: datetime | None, *, milliseconds: bool = False) -> str | None:
    """Return a time as these APIs write it."""
    if when is None:
        return None
    text = when.astimezone(UTC).isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """Return the time that a parameter names."""
    return datetime.fromisoformat(text)
