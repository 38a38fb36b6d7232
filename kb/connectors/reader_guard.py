"""What code of others may not do in its process: reach hosts that are not public, and start programs.

It holds for all that goes through Python's sockets. A library that opens connections in its own machine code
is not seen: that is why a reader must be named in the settings before it is run.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from kb.public_hosts import AllowedHosts, is_private, is_public, literal_address

_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.startfile"})


class Guard:
    """Refuses, once installed, and remembers the first host that was refused.

    `private` lets hosts of this machine and of private networks through, and programs, which could reach
    them in any case.
    """

    def __init__(self, allowed: AllowedHosts, *, private: bool) -> None:
        self._allowed = allowed
        self._private = private
        self._named: set[IPv4Address | IPv6Address] = set()
        self.refused = ""

    def install(self) -> None:
        """Hold from now to the end of the process."""
        socket.getaddrinfo = self._noticed(socket.getaddrinfo)
        sys.addaudithook(self.check)

    def check(self, event: str, args: Sequence[Any]) -> None:
        """Raise PermissionError for an event of `sys.audit` that may not be."""
        if event in _CONNECTING:
            self._check_peer(args[0], args[1])
        elif event in _PROGRAMS and not self._private:
            raise PermissionError("a reader may not start programs unless its source has private_hosts")

    def _check_peer(self, connection: socket.socket, peer: object) -> None:
        if peer is None:  # a message on a connection that was checked when it was made
            return
        if connection.family not in {socket.AF_INET, socket.AF_INET6}:
            if not self._private:
                self._refuse("a socket of this machine")
            return
        host = str(peer[0]) if isinstance(peer, tuple) and peer else str(peer)
        address = literal_address(host)
        if address is None:
            self._refuse(repr(host))  # it would be looked up after this check
        elif not self._is_open(_unwrapped(address)):
            # A client of a cloud asks there whether it runs in that cloud; nothing it reads comes from it.
            known = is_private(_unwrapped(address))
            self._refuse(repr(host), remember=known)

    def _is_open(self, address: IPv4Address | IPv6Address) -> bool:
        if is_public(address) or self._allowed.has_address(address) or address in self._named:
            return True
        return self._private and is_private(address)

    def _refuse(self, what: str, *, remember: bool = True) -> None:
        if remember:
            self.refused = self.refused or what
        raise PermissionError(f"{what} is not a public address")

    def _noticed(self, look_up: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        """Return the look-up of names, noticing the addresses of those that are allowed by name."""

        def noticed(host: object, *args: Any, **named: Any) -> list[Any]:  # noqa: ANN401
            found = look_up(host, *args, **named)
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
            if self._allowed.has_name(name.lower().rstrip(".")):
                addresses = (literal_address(str(entry[4][0])) for entry in found)
                self._named |= {_unwrapped(each) for each in addresses if each is not None}
            return found

        return noticed


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one wraps for sockets that speak both."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
