"""HTTP mode: the address that Slack calls, which takes nothing that Slack has not signed just now."""

from __future__ import annotations

import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from adapters.errors import AdapterError
from adapters.shown import SHOWN
from adapters.slack.oauth import INSTALL_PATH, REDIRECT_PATH
from kb.errors import StoreError

if TYPE_CHECKING:
    import asyncio

    from pydantic import SecretStr
    from slack_bolt.response import BoltResponse

    from adapters.slack.oauth import OAuth

EVENTS_PATH = "/slack/events"
LARGEST_BODY = 1_000_000
WINDOW_SECONDS = 300
_MOST_REMEMBERED = 200_000
_OK = 200

log = logging.getLogger(__name__)

Dispatch = Callable[[AsyncBoltRequest], Awaitable["BoltResponse"]]


class Signatures:
    """Tells Slack's requests from all others, and a request from its copy."""

    def __init__(self, secret: SecretStr, *, clock: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(secret.get_secret_value())
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def accept(self, body: bytes, stamp: str, signature: str) -> bool:
        """Tell whether Slack signed this in the last five minutes and it was not accepted before."""
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signature.isascii()):
            return False
        now = self._clock()
        if abs(now - int(stamp)) > WINDOW_SECONDS:
            return False
        try:
            expected = self._verifier.generate_signature(timestamp=stamp, body=body) or ""
        except UnicodeDecodeError:
            return False
        if not hmac.compare_digest(expected, signature):
            return False
        self._forget(now)
        if signature in self._seen:
            return False
        self._seen[signature] = now
        return True

    def retract(self, signature: str) -> None:
        """Take the same request again: it could not be seen to, and a proxy may repeat it."""
        self._seen.pop(signature, None)

    def _forget(self, now: float) -> None:
        """Forget what is too old to be accepted by its stamp; a stamp may also lie ahead."""
        while self._seen:
            oldest = next(iter(self._seen))
            if self._seen[oldest] > now - 2 * WINDOW_SECONDS and len(self._seen) < _MOST_REMEMBERED:
                return
            self._seen.popitem(last=False)


class HttpServer:
    """Listens for Slack until it is stopped; with `oauth`, workspaces can install the app there."""

    def __init__(
        self,
        dispatch: Dispatch,
        signatures: Signatures,
        *,
        host: str,
        port: int,
        oauth: OAuth | None = None,
    ) -> None:
        self._dispatch = dispatch
        self._signatures = signatures
        self._host = host
        self._port = port
        self._oauth = oauth

    async def run(
        self, stop: asyncio.Event, *, listening: Callable[[tuple[str, int]], None] = lambda address: None
    ) -> None:
        """Serve until `stop`, and tell `listening` where; raise `AdapterError` when the address is taken."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_post(EVENTS_PATH, self._events)
        if self._oauth is not None:
            application.router.add_get(INSTALL_PATH, self._install)
            application.router.add_get(REDIRECT_PATH, self._redirect)
        # No access log: it would keep the codes of installations.
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port)
            try:
                await site.start()
            except OSError as exc:
                raise AdapterError(
                    f"[slack] port: {self._host}:{self._port} cannot be listened at ({exc.strerror}). "
                    "Choose another, or stop what uses it."
                ) from exc
            host, port = runner.addresses[0][:2]
            log.info("Slack's requests are heard at %s:%d.", host, port, extra=SHOWN)
            listening((host, port))
            await stop.wait()
        finally:
            await runner.cleanup()

    async def _events(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not self._signatures.accept(body, stamp, signature):
            log.info("slack request refused: no valid signature, or a copy")
            return web.Response(status=401)
        reply = await self._dispatch(
            AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=dict(request.headers))
        )
        if reply.status != _OK:
            self._signatures.retract(signature)
        return await to_aiohttp_response(reply)

    async def _install(self, request: web.Request) -> web.Response:
        assert self._oauth is not None
        return await self._page(request, self._oauth.flow.handle_installation)

    async def _redirect(self, request: web.Request) -> web.Response:
        assert self._oauth is not None
        return await self._page(request, self._oauth.flow.handle_callback)

    async def _page(self, request: web.Request, page: Dispatch) -> web.Response:
        bolt = AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))
        try:
            return await to_aiohttp_response(await page(bolt))
        except (aiohttp.ClientError, TimeoutError, StoreError) as exc:
            log.warning("slack installation not possible now reason=%s", type(exc).__name__)
            return web.Response(status=503, text="This is not possible right now. Try again in a minute.")
