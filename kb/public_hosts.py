"""Which hosts of the internet may be reached: none whose address is of a private or special network."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

IPAddress = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[IPAddress]]]

# IANA's special-purpose registry, multicast and the reserved rest; 100.64/10 and 192.0.0/24 hold the
# metadata services of two clouds, 168.63.129.16 is that of a third.
_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Only global unicast is public, less Teredo and its neighbours, documentation and 6to4, which wraps IPv4.
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# What organisations use on their own. Link-local and the rest of the special networks are not among it.
_PRIVATE = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
        "::1/128", "fc00::/7",
    )
)  # fmt: skip
# Services in private networks that hand out the credentials of the machine.
_METADATA = frozenset(map(ip_address, ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))

_LOCAL_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback", "broadcasthost"}
)
_PRIVATE_SUFFIXES = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")
_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def is_public(address: IPAddress) -> bool:
    """Say whether an address belongs to the public internet."""
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)
    return not any(address in network for network in _SPECIAL_V4)


def is_private(address: IPAddress) -> bool:
    """Say whether an address is of this machine or of a network that an organisation has to itself.

    An address that is neither public nor private is never meant: link-local, metadata services, multicast.
    """
    return any(address in network for network in _PRIVATE) and address not in _METADATA


def literal_address(host: str) -> IPAddress | None:
    """Return the address that a host spells out, in every form that resolvers take, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_local_name(host: str) -> bool:
    """Say whether a name means this machine."""
    name = host.lower().rstrip(".")
    return name in _LOCAL_NAMES or name.endswith(".localhost")


def is_private_name(host: str) -> bool:
    """Say whether a name can only mean this machine or one of a private network, whatever it resolves to."""
    name = host.lower().rstrip(".")
    return name in _LOCAL_NAMES or name.endswith(_PRIVATE_SUFFIXES)


async def resolve(host: str, port: int) -> list[IPAddress]:
    """Return the addresses of a host, in the resolver's order; raise OSError when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ip_address(text) for text in texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHosts:
    """The hosts that are not public and that the administrator lets be reached."""

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read names, `*.suffix`, addresses and networks; raise ValueError for what is none of them."""
        names, suffixes, networks = set[str](), list[str](), list[IPv4Network | IPv6Network]()
        for entry in entries:
            network = _network(entry)
            if network is not None:
                networks.append(network)
            elif entry.startswith("*."):
                suffixes.append(_checked_name(entry)[1:])
            else:
                names.add(_checked_name(entry))
        return cls(names=frozenset(names), suffixes=tuple(suffixes), networks=tuple(networks))

    def has_name(self, host: str) -> bool:
        """Say whether the name itself was allowed."""
        return host in self.names or host.endswith(self.suffixes)

    def has_address(self, address: IPAddress) -> bool:
        """Say whether the address is of a network that was allowed."""
        return any(address in network for network in self.networks)


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry)
    except ValueError:
        return None


def _checked_name(entry: str) -> str:
    name = entry.lower().rstrip(".")
    if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        raise ValueError(
            f"{entry!r} is no host, address or network. Write wiki.corp, *.corp, 10.1.2.3 or 10.0.0.0/8."
        )
    return name
