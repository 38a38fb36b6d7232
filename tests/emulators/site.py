"""A web site on loopback whose pages a test changes, with validators, redirects and failures."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

LAST_MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    body: bytes = b""
    media_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: bool = True
    modified: str = LAST_MODIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    path: str
    headers: Mapping[str, str]
    status: int


class Site:
    """Serves `pages` by path and query. `override`, when set, answers everything."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.override: Page | None = None
        self.requests: list[Request] = []
        self.busy = 0
        self.busiest = 0
        # When set, each request takes one of it before it is answered.
        self.turnstile: asyncio.Semaphore | None = None
        self._change = asyncio.Condition()
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def put(self, path: str, body: str | bytes = "", **options: object) -> None:
        """Put a page at a path; options are fields of `Page`."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = Page(body=data, **options)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.put(path, status=status, headers={"Location": to}, etag=False, modified="")

    def asked(self, *, since: int = 0) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [request.path for request in self.requests[since:]]

    def statuses(self, *, since: int = 0) -> list[int]:
        return [request.status for request in self.requests[since:]]

    async def _answer(self, request: web.Request) -> web.Response:
        await self._count(1)
        try:
            if self.turnstile is not None:
                await self.turnstile.acquire()
            path = request.raw_path
            page = self.override or self.pages.get(path) or Page(body=b"no such page", status=404, etag=False)
            status, body = self._conditional(request, page)
            headers = self._headers(page)
            self.requests.append(Request(path=path, headers=dict(request.headers), status=status))
            return web.Response(status=status, body=body, headers=headers)
        finally:
            await self._count(-1)

    async def _count(self, more: int) -> None:
        async with self._change:
            self.busy += more
            self.busiest = max(self.busiest, self.busy)
            self._change.notify_all()

    async def until_busy(self, requests: int) -> None:
        """Wait until so many requests are in hand."""
        async with self._change:
            await self._change.wait_for(lambda: self.busy >= requests)

    @staticmethod
    def _headers(page: Page) -> dict[str, str]:
        headers = dict(page.headers)
        if page.media_type:
            headers.setdefault("Content-Type", page.media_type)
        if page.etag:
            headers.setdefault("ETag", _etag(page))
        if page.modified:
            headers.setdefault("Last-Modified", page.modified)
        return headers

    @staticmethod
    def _conditional(request: web.Request, page: Page) -> tuple[int, bytes | None]:
        if page.status == 200:
            if page.etag and "If-None-Match" in request.headers:
                fresh = request.headers["If-None-Match"] == _etag(page)
            else:
                fresh = bool(page.modified) and request.headers.get("If-Modified-Since") == page.modified
            if fresh:
                return 304, None
        return page.status, page.body


def _etag(page: Page) -> str:
    return f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'


def html(*links: str, head: str = "", text: str = "Text.") -> str:
    """Return a page that links to others."""
    anchors = "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
    return f"<!doctype html><html><head>{head}</head><body><p>{text}</p>{anchors}</body></html>"
