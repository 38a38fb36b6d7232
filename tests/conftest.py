"""What holds for every test: no network but loopback, no keys and settings of the person who runs them.

Tests wait half as long again as they work, so there is one worker more than there are processors. The files
that take the longest go first, lest one of them be left to a single worker at the end.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.migrated import quick_new_databases

_PERSONAL = re.compile(r"LOREKEEPER_|.*(API_KEY|_TOKEN|_SECRET)$|(HTTPS?|ALL)_PROXY$", re.IGNORECASE)


_MOST_WORKERS = 4
# In tests/, from about 15 s of work and waiting upwards.
_LONGEST = (
    "contracts/test_connectors",
    "kb/test_kills",
    "adapters/slack/test_serve",
    "adapters/test_serving",
    "kb/test_backup",
    "adapters/test_cli",
    "adapters/test_persona_cli",
    "adapters/discord/test_draft_output",
    "kb/test_streaming",
    "adapters/discord/test_faults",
    "bot/test_style",
    "bot/test_persona",
    "contracts/test_audience",
    "adapters/discord/test_faults_desk",
    "soak/test_replicas",
    "bot/test_fact_lock",
    "adapters/slack/test_outgoing",
    "adapters/slack/test_web_api",
    "adapters/test_caring",
    "kb/test_sync",
    "adapters/discord/test_faults_model",
    "adapters/slack/test_faults",
    "soak/test_slack",
    "soak/test_discord",
    "adapters/slack/test_failing",
    "adapters/discord/test_serve",
    "adapters/slack/test_render",
    "bot/test_home",
    "adapters/slack/test_starting",
    "soak/test_power",
    "contracts/test_one_process",
    "contracts/test_chat_adapters",
    "kb/test_store_cleanup",
    "bot/test_fine_tuning",
    "adapters/discord/test_faults_blocked",
    "bot/test_chat_commands",
    "test_architecture",
    "adapters/test_persona_comparing",
)


class NetworkForbidden(AssertionError):
    """A test tried to leave the machine."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` has."""
    return min(_MOST_WORKERS, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; `--no-loadscope-reorder` keeps the order."""
    places = {f"tests/{name}.py": place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(autouse=True, scope="session")
def _quick_new_databases() -> Iterator[None]:
    with quick_new_databases():
        yield


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
