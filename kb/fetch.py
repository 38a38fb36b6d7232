"""The fetch gate: the only code that opens a connection to a host that a user named.

An address is read strictly, its host resolved here, every address of it checked, one of those dialled, and
each redirect goes through the same. The proxies of the environment are not used, cookies are not kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Literal

import httpcore
from pydantic import SecretStr

from kb.errors import FetchFailed, FetchRefused
from kb.fetch_address import WebAddress, follow, parse_address, shown
from kb.fetch_body import BodyBroken, BodyTooLarge, read_body
from kb.fetch_connect import Dial, Door, dial, open_pool
from kb.fetch_headers import cleaned, for_another_origin, received, to_send
from kb.fetch_lookup import Lookups
from kb.fetch_stream import MeteredStream
from kb.public_hosts import AllowedHosts, Resolve, resolve
from kb.settings import FetchSettings

Method = Literal["GET", "POST", "HEAD"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODILESS = frozenset({204, 304})
_BROKEN = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    OSError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer, whatever its status. Header names are in lower case; `url` is where redirects ended.

    `body` is unpacked.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is asked of one address, and within which limits."""

    method: Method
    address: WebAddress
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    private: bool
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Redirect:
    status: int
    location: str


class Fetcher:
    """Reads addresses within the limits of `[fetch]`, and only those of hosts that may be reached.

    `tls` is made of the trusted certificates of the machine when the first connection is opened.
    """

    def __init__(
        self,
        settings: FetchSettings | None = None,
        *,
        lookup: Resolve = resolve,
        dial: Dial = dial,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings or FetchSettings()
        self._allowed = AllowedHosts.parse(self.settings.private_hosts)
        self._lookup = Lookups(lookup)
        self._dial = dial
        self._tls = tls
        self._opening = asyncio.Lock()
        self._pools: dict[tuple[str, bool], httpcore.AsyncConnectionPool] = {}

    async def fetch(
        self,
        url: str,
        *,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        authorization: SecretStr | None = None,
        private_hosts: bool = False,
        max_bytes: int | None = None,
        redirects: int | None = None,
    ) -> Fetched:
        """Return what the address answers; a status such as 404 or 304 is no error.

        `authorization` goes to the address's own origin alone, never along a redirect to another.
        `private_hosts` lets this call reach hosts that are not public. `max_bytes` and `redirects` are the
        limits of the settings unless given. Raise `FetchRefused` when the address may not be read,
        `FetchFailed` when the host does not answer or goes over a limit; both name the address or its host.
        """
        request = _Request(
            method=method,
            address=parse_address(url),
            headers=cleaned(headers or {}, self.settings.user_agent),
            body=body,
            private=private_hosts,
            limit=max_bytes if max_bytes is not None else int(self.settings.max_mb * 1_000_000),
        )
        hops = redirects if redirects is not None else self.settings.redirects
        seconds = self.settings.seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._followed(request, authorization, hops)
        except TimeoutError:
            raise FetchFailed(
                f"{shown(url)!r} is not read: it took over {seconds:g} s ([fetch] seconds)."
            ) from None

    async def check_host(self, url: str, *, private_hosts: bool = False) -> None:
        """Check the host of an address that another library is going to contact.

        Raise `FetchRefused` when it may not be reached, `FetchFailed` when it cannot be found.
        """
        address = parse_address(url)
        # That library does not ask our proxy, so what counts is what is found here.
        door = replace(self._door(private_hosts), proxied=False)
        await door.addresses(address.host, address.port)

    async def close(self) -> None:
        """Close idle connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    async def _followed(self, first: _Request, authorization: SecretStr | None, hops: int) -> Fetched:
        request = first
        for _ in range(hops + 1):
            secret = authorization if request.address.origin == first.address.origin else None
            answer = await self._answer(request, secret)
            if isinstance(answer, Fetched):
                return answer
            request = _redirected(request, answer)
        raise FetchFailed(f"{shown(first.address.url)!r} redirects more than {hops} times.")

    async def _answer(self, request: _Request, secret: SecretStr | None) -> Fetched | _Redirect:
        name = shown(request.address.url)
        try:
            return await self._exchange(request, secret)
        except BodyTooLarge:
            raise FetchFailed(f"{name!r} is not read: it is over {_size(request.limit)}.") from None
        except BodyBroken as exc:
            raise FetchFailed(f"{name!r} cannot be read: {exc}.") from exc
        except httpcore.LocalProtocolError:
            # The text of the cause would quote the header, and with it a secret.
            raise FetchRefused(f"{name!r} is not read: what would be sent is not valid HTTP.") from None
        except _BROKEN as exc:
            raise FetchFailed(f"{name!r} did not answer as it should: {_one_line(exc)}.") from exc

    async def _exchange(self, request: _Request, secret: SecretStr | None) -> Fetched | _Redirect:
        self._door(request.private).check_name(request.address.host)
        async with AsyncExitStack() as exchange:
            response = await self._begin(exchange, request, secret)
            stream = response.extensions["network_stream"]
            if isinstance(stream, MeteredStream):
                stream.begin_body()
            headers = received(response.headers)
            if response.status in _REDIRECTS and "location" in headers:
                return _Redirect(status=response.status, location=headers["location"])
            body = await _body(request, response, headers)
        return Fetched(url=request.address.url, status=response.status, headers=headers, body=body)

    async def _begin(
        self, exchange: AsyncExitStack, request: _Request, secret: SecretStr | None
    ) -> httpcore.Response:
        """Return the response with its body still to be read.

        An idle connection may turn out to be closed by the host; then the question is asked once more.
        """
        address = request.address
        pool = await self._pool(address.scheme, request.private)
        url = httpcore.URL(
            scheme=address.scheme, host=address.host, port=address.explicit_port, target=address.target
        )
        headers = to_send(request.headers, address.authority, secret)
        may_be_stale = request.method != "POST" and any(
            connection.is_idle() and connection.can_handle_request(url.origin)
            for connection in pool.connections
        )
        try:
            return await exchange.enter_async_context(
                pool.stream(request.method, url, headers=headers, content=request.body)
            )
        except (httpcore.ReadError, httpcore.RemoteProtocolError):
            if not may_be_stale:
                raise
        return await exchange.enter_async_context(pool.stream(request.method, url, headers=headers))

    def _door(self, private: bool) -> Door:
        return Door(
            allowed=self._allowed,
            private=private,
            proxied=bool(self.settings.proxy),
            lookup=self._lookup.addresses,
        )

    async def _pool(self, scheme: str, private: bool) -> httpcore.AsyncConnectionPool:
        """Return the pool; calls that may reach private hosts have their own, so none is lent to others."""
        proxy = self.settings.proxy
        async with self._opening:
            if self._tls is None and "https" in {scheme, proxy.partition(":")[0].lower()}:
                # It reads some hundred certificates, which takes a while.
                self._tls = await asyncio.to_thread(httpcore.default_ssl_context)
            key = scheme, private
            if key not in self._pools:
                self._pools[key] = open_pool(self._door(private), self._dial, self._tls, proxy)
            return self._pools[key]


def _redirected(request: _Request, redirect: _Redirect) -> _Request:
    """Return the request that a redirect asks for; raise `FetchRefused` when it may not be followed."""
    name = shown(request.address.url)
    try:
        there = follow(request.address, redirect.location)
    except FetchRefused as exc:
        raise FetchRefused(f"{name!r} redirects: {exc}") from exc
    if _becomes_get(redirect.status, request.method):
        request = replace(request, method="GET", body=None)
    if there.origin == request.address.origin:
        return replace(request, address=there)
    if request.body is not None:
        raise FetchRefused(f"{name!r} redirects what was sent to it to another host, {there.host!r}.")
    return replace(request, address=there, headers=for_another_origin(request.headers))


def _becomes_get(status: int, method: Method) -> bool:
    return (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST")


async def _body(request: _Request, response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
    if request.method == "HEAD" or response.status in _BODILESS:
        return b""
    length = headers.get("content-length", "")
    return await read_body(
        response.aiter_stream(),
        packing=headers.get("content-encoding", ""),
        limit=request.limit,
        announced=int(length) if length.isdecimal() and len(length) < 20 else None,
    )


def _size(limit: int) -> str:
    return f"{limit / 1_000_000:g} MB" if limit >= 100_000 else f"{limit:,} bytes"


def _one_line(exc: Exception) -> str:
    return " ".join(str(exc).split())[:200].rstrip(".") or type(exc).__name__
