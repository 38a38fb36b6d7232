"""A pretend internet: names with addresses, where every public address leads to servers of this machine.

It imports nothing of ours. What is dialled is recorded; an address that is not public is dialled for real.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore

PUBLIC = "93.184.215.14"
_TLS_PORTS = frozenset({443, 8443})


@dataclass(slots=True, kw_only=True)
class Internet:
    """`names` holds the answers of each name in turn, of which the last stays; others mean `PUBLIC`."""

    http: int
    https: int = 0
    names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()
    looked_up: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    async def lookup(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """Return the addresses of a name."""
        answers = self.names.get(host, [[PUBLIC]])
        answer = answers[min(self.looked_up.count(host), len(answers) - 1)]
        self.looked_up.append(host)
        if not answer:
            raise OSError(-2, "Name or service not known")
        return [ip_address(text) for text in answer]

    async def dial(self, address: IPv4Address | IPv6Address, port: int) -> httpcore.AsyncNetworkStream:
        """Connect to the server that stands for a public address."""
        self.dialled.append((str(address), port))
        if str(address) in self.dead:
            raise httpcore.ConnectError("Connection refused")
        if not address.is_global:
            return await httpcore.AnyIOBackend().connect_tcp(str(address), port, timeout=1)
        stream = await httpcore.AnyIOBackend().connect_tcp(
            "127.0.0.1", self.https if port in _TLS_PORTS else self.http
        )
        return Posing(stream, str(address), port)

    @property
    def not_public(self) -> list[tuple[str, int]]:
        """What was dialled and should not have been."""
        return [peer for peer in self.dialled if not ip_address(peer[0]).is_global]


class Posing(httpcore.AsyncNetworkStream):
    """A connection that says its other end is somewhere else."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, address: str, port: int) -> None:
        self._stream = stream
        self._peer = (address, port)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return await self._stream.start_tls(ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> object:
        return self._peer if info == "server_addr" else self._stream.get_extra_info(info)
