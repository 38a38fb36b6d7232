"""What holds for every test: no network but loopback, no keys and settings of the person who runs them."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Iterator

import pytest

_PERSONAL = re.compile(r"LOREKEEPER_|.*(API_KEY|_TOKEN|_SECRET)$|(HTTPS?|ALL)_PROXY$", re.IGNORECASE)


class NetworkForbidden(AssertionError):
    """A test tried to leave the machine."""


@pytest.fixture(autouse=True, scope="session")
def _at_home() -> Iterator[None]:
    """Allow connections to this machine alone, and hide keys and settings from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if _PERSONAL.match(name)]:
            patch.delenv(name)
        patch.setenv("ORT_DISABLE_TELEMETRY", "1")
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", _looked_up_here(socket.getaddrinfo))
        yield


def _guarded(connect: Callable[..., object]) -> Callable[..., object]:
    def checked(self: socket.socket, address: tuple[str, int] | str) -> object:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise NetworkForbidden(f"a test connected to {address[0]!r}; only loopback is allowed")
        return connect(self, address)

    return checked


def _looked_up_here(getaddrinfo: Callable[..., object]) -> Callable[..., object]:
    def checked(host: str | bytes | None, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not _is_loopback(name):
            raise NetworkForbidden(f"a test looked up {name!r}; only loopback is allowed")
        return getaddrinfo(host, *args, **kwargs)

    return checked


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() in {"localhost", "localhost.localdomain"}
