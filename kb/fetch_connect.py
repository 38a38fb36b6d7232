"""Connections to hosts: a name is resolved here, all its addresses checked, and one of those dialled."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address

import httpcore

from kb.errors import FetchFailed, FetchRefused
from kb.fetch_address import parse_address
from kb.fetch_stream import MeteredStream
from kb.public_hosts import (
    AllowedHosts,
    IPAddress,
    Resolve,
    is_private,
    is_private_name,
    is_public,
    literal_address,
)

Dial = Callable[[IPAddress, int], Awaitable[httpcore.AsyncNetworkStream]]

_CONNECTIONS = 64
_IDLE_CONNECTIONS = 8
_IDLE_SECONDS = 5.0
# A host with a dead address must not use up the time of the others.
_SECONDS_AN_ADDRESS = 8.0
_ADDRESSES_TRIED = 4


async def dial(address: IPAddress, port: int) -> httpcore.AsyncNetworkStream:
    """Open a connection to an address."""
    return await httpcore.AnyIOBackend().connect_tcp(str(address), port, timeout=_SECONDS_AN_ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Which hosts are let through: public ones, those that are `allowed`, and with `private` private ones.

    With `proxied` a proxy looks names up, so those that can only be names of its own network are refused.
    """

    allowed: AllowedHosts
    private: bool
    proxied: bool
    lookup: Resolve

    def check_name(self, host: str) -> None:
        """Raise `FetchRefused` when the name or literal address alone says that it may not be reached."""
        address = literal_address(host)
        if self.proxied and isinstance(address, IPv6Address):
            # httpcore would write it without brackets, and a proxy might read another address from that.
            raise FetchRefused(f"host {host!r} is not read through a proxy: it is an IPv6 address.")
        if address is not None:
            self._check_addresses(host, [address])
        elif not (self.private or self.allowed.has_name(host)) and self._is_inside(host):
            raise FetchRefused(_refusal(host))

    def _is_inside(self, host: str) -> bool:
        """Say whether a name is of a private network; where networks are allowed, its addresses decide."""
        if self.proxied:
            return is_private_name(host) or "." not in host
        return is_private_name(host) and not self.allowed.networks

    async def addresses(self, host: str, port: int) -> list[IPAddress]:
        """Return the addresses of a host, all of them checked; raise `FetchRefused` or `FetchFailed`."""
        self.check_name(host)
        literal = literal_address(host)
        if literal is not None:
            return [literal]
        try:
            found = await self.lookup(host, port)
        except OSError as exc:
            raise FetchFailed(f"host {host!r} was not found: {exc.strerror or exc}.") from exc
        if not found:
            raise FetchFailed(f"host {host!r} was not found: it has no address.")
        self._check_addresses(host, found)
        return found

    def _check_addresses(self, host: str, addresses: Iterable[IPAddress]) -> None:
        """Refuse a host with one bad address among good ones: which is dialled would be left to chance."""
        for address in addresses:
            if not (is_public(address) or self._is_let_in(host, address)):
                raise FetchRefused(_refusal(host, address))

    def _is_let_in(self, host: str, address: IPAddress) -> bool:
        listed = self.allowed.has_name(host) or self.allowed.has_address(address)
        return listed or (self.private and is_private(address))


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections for httpcore's pool, which asks by name: its idle ones stay with the name checked."""

    def __init__(self, door: Door, dial: Dial) -> None:
        self._door = door
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first checked address that answers; raise what the door raises."""
        addresses = await self._door.addresses(host, port)
        failure: Exception | None = None
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                stream = await self._dial(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError) as exc:
                failure = exc
            else:
                return await _with_peer(stream, host, address)
        raise FetchFailed(f"host {host!r} does not take connections on port {port}.") from failure


def open_pool(door: Door, dial: Dial, tls: ssl.SSLContext | None, proxy: str) -> httpcore.AsyncConnectionPool:
    """Return a pool whose connections are checked by the door, or all go to the proxy."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        proxy=_proxy(proxy, tls) if proxy else None,
        max_connections=_CONNECTIONS,
        max_keepalive_connections=_IDLE_CONNECTIONS,
        keepalive_expiry=_IDLE_SECONDS,
        network_backend=httpcore.AnyIOBackend() if proxy else CheckedNetwork(door, dial),
    )


def _proxy(url: str, tls: ssl.SSLContext | None) -> httpcore.Proxy:
    try:
        address = parse_address(url)
    except FetchRefused as exc:
        raise FetchRefused(f"[fetch] proxy cannot be used: {exc}") from exc
    return httpcore.Proxy(
        httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target="/"),
        ssl_context=tls if address.scheme == "https" else None,
    )


async def _with_peer(
    stream: httpcore.AsyncNetworkStream, host: str, address: IPAddress
) -> httpcore.AsyncNetworkStream:
    """Return the connection if the other end is who was dialled."""
    peer = stream.get_extra_info("server_addr")
    if peer is not None and literal_address(str(peer[0]).partition("%")[0]) == address:
        return MeteredStream(stream)
    await stream.aclose()
    raise FetchRefused(_refusal(host))


def _refusal(host: str, address: IPAddress | None = None) -> str:
    where = f" ({address})" if address is not None and str(address) != host else ""
    return (
        f"host {host!r}{where} is not public. "
        "If it may be read, set private_hosts of the source or name it under [fetch] private_hosts."
    )
