from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore
import pytest

from kb.errors import FetchFailed, FetchRefused
from kb.fetch import Fetcher
from kb.fetch_lookup import Lookups
from kb.settings import FetchSettings
from tests.emulators.hostile import Hostile, hostile
from tests.emulators.internet import PUBLIC, Internet, Posing
from tests.soak.hosts import URLS, Case, Place, listed_cases, place, tried

Made = Callable[..., tuple[Fetcher, Internet]]


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with hostile() as running:
        yield running


@pytest.fixture
async def make(server: Hostile) -> AsyncIterator[Made]:
    gates: list[Fetcher] = []

    def made(
        names: dict[str, list[list[str]]], *private: str, dead: frozenset[str] = frozenset()
    ) -> tuple[Fetcher, Internet]:
        internet = Internet(http=server.port, names=names, dead=dead)
        gate = Fetcher(FetchSettings(private_hosts=private), lookup=internet.lookup, dial=internet.dial)
        gates.append(gate)
        return gate, internet

    yield made
    for gate in gates:
        await gate.close()


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    async with place() as running:
        yield running


@pytest.mark.trust
@pytest.mark.skipif(not URLS.exists(), reason="shared data is absent")
@pytest.mark.parametrize("case", listed_cases() if URLS.exists() else [], ids=lambda case: repr(case.url))
async def test_bad_urls_reach_no_host_that_is_not_public(case: Case, here: Place) -> None:
    """Each bad URL of the shared data fails with no connection to a host that is not public."""
    count = await tried([case], here)
    assert (count.reached, count.read) == ([], [])


async def test_every_address_of_a_name_is_checked(make: Made) -> None:
    """A name with one private address among public ones is refused, and nothing is dialled."""
    gate, internet = make({"mixed.test": [[PUBLIC, "10.0.0.1"]]})
    with pytest.raises(FetchRefused, match=r"'mixed\.test' \(10\.0\.0\.1\) is not public"):
        await gate.fetch("http://mixed.test/")
    assert internet.dialled == []


async def test_the_checked_address_is_dialled(make: Made) -> None:
    """A name is looked up once for a connection, which then goes to that answer and no other."""
    gate, internet = make({"rebind.test": [[PUBLIC], ["127.0.0.1"]]})
    await gate.fetch("http://rebind.test/")
    assert internet.looked_up == ["rebind.test"]
    assert internet.dialled == [(PUBLIC, 80)]


async def test_a_name_that_turns_private_is_refused(make: Made) -> None:
    """The next connection looks the name up anew and checks the new answer."""
    gate, internet = make({"rebind.test": [[PUBLIC], ["127.0.0.1"]]})
    await gate.fetch("http://rebind.test/status/200")
    await gate.close()
    with pytest.raises(FetchRefused):
        await gate.fetch("http://rebind.test/")
    assert internet.not_public == []


async def test_the_other_end_is_checked(server: Hostile) -> None:
    """A connection whose other end is not who was dialled is closed before anything is sent."""

    async def elsewhere(address: IPv4Address | IPv6Address, port: int) -> httpcore.AsyncNetworkStream:
        stream = await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", server.port)
        return Posing(stream, "10.0.0.1", port)

    async def lookup(host: str, port: int) -> list[IPv4Address | IPv6Address]:
        return [ip_address(PUBLIC)]

    gate = Fetcher(lookup=lookup, dial=elsewhere)
    with pytest.raises(FetchRefused, match="not public"):
        await gate.fetch("http://some.test/")
    assert server.asked == []
    await gate.close()


async def test_a_dead_address_is_passed_over(make: Made) -> None:
    """The next address of a name is tried when one takes no connection."""
    gate, internet = make({"two.test": [["2606:4700::1", PUBLIC]]}, dead=frozenset({"2606:4700::1"}))
    assert (await gate.fetch("http://two.test/")).status == 200
    assert [peer for peer, _ in internet.dialled] == ["2606:4700::1", PUBLIC]


async def test_a_name_without_address_is_named(make: Made) -> None:
    """A name that cannot be looked up fails in one line that names it."""
    gate, _ = make({"gone.test": [[]]})
    with pytest.raises(FetchFailed, match=r"'gone\.test' was not found: Name or service not known"):
        await gate.fetch("http://gone.test/")


async def test_redirects_are_checked_again(server: Hostile, make: Made) -> None:
    """A redirect to a private host is refused, and the line names both addresses."""
    gate, internet = make({"inside.test": [["192.168.0.9"]]})
    with pytest.raises(FetchRefused, match=r"inside\.test"):
        await gate.fetch("http://outside.test/redirect/302?to=http://inside.test/")
    assert internet.not_public == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("allowed", "host", "address"),
    [
        ("wiki.corp", "wiki.corp", "10.0.0.9"),
        ("WIKI.corp.", "wiki.corp", "10.0.0.9"),
        ("*.corp", "wiki.corp", "10.0.0.9"),
        ("10.0.0.0/8", "wiki.corp", "10.0.0.9"),
        ("10.0.0.9", "wiki.corp", "10.0.0.9"),
        ("fd00::/16", "wiki.corp", "fd00::9"),
        ("wiki.internal", "wiki.internal", "10.0.0.9"),
        ("10.0.0.0/8", "wiki.internal", "10.0.0.9"),
        ("127.0.0.0/8", "localhost", "127.0.0.1"),
    ],
)
async def test_private_hosts_may_be_allowed(make: Made, allowed: str, host: str, address: str) -> None:
    """`[fetch] private_hosts` lets a name, a suffix, an address or a network be reached."""
    gate, _ = make({host: [[address]]}, allowed)
    await gate.check_host(f"http://{host}/")


@pytest.mark.parametrize(
    ("allowed", "host", "address"),
    [
        ("wiki.corp", "other.corp", "10.0.0.9"),
        ("wiki.corp", "a.wiki.corp", "10.0.0.9"),
        ("*.corp", "corp", "10.0.0.9"),
        ("*.corp", "wikicorp", "10.0.0.9"),
        ("10.0.0.0/8", "wiki.corp", "192.168.0.1"),
        ("10.0.0.9", "10.0.0.8", "10.0.0.8"),
        ("127.0.0.0/8", "localhost", "::1"),
        ("10.0.0.0/8", "[::ffff:10.0.0.1]", "::ffff:10.0.0.1"),
    ],
)
async def test_only_what_was_allowed_is_reached(make: Made, allowed: str, host: str, address: str) -> None:
    """Its neighbours in name and network stay closed."""
    gate, _ = make({host: [[address]]}, allowed)
    with pytest.raises(FetchRefused):
        await gate.check_host(f"http://{host}/")


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "172.16.0.1", "192.168.1.1", "::1", "fd12::1"])
async def test_a_source_may_be_private(make: Made, address: str) -> None:
    """With `private_hosts` a call reaches private networks and this machine."""
    gate, _ = make({"wiki": [[address]]})
    await gate.check_host("http://wiki/", private_hosts=True)
    with pytest.raises(FetchRefused):
        await gate.check_host("http://wiki/")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fe80::1",
     "224.0.0.1", "0.0.0.1", "255.255.255.255", "::ffff:169.254.169.254", "::ffff:10.0.0.1"],
)  # fmt: skip
async def test_a_private_source_reaches_no_metadata(make: Made, address: str) -> None:
    """Services that hand out a machine's credentials stay closed unless they are named in the settings."""
    gate, _ = make({"wiki": [[address]]})
    with pytest.raises(FetchRefused):
        await gate.check_host("http://wiki/", private_hosts=True)
    named, _ = make({"wiki": [[address]]}, address)
    await named.check_host("http://wiki/")


async def test_names_are_looked_up_by_the_system(server: Hostile) -> None:
    """By default the resolver of the machine is asked, and its answer dialled."""
    gate = Fetcher()
    url = f"http://localhost:{server.port}/page"
    assert (await gate.fetch(url, private_hosts=True)).url == url
    await gate.close()


async def test_connections_to_private_hosts_are_not_lent(server: Hostile) -> None:
    """A call without `private_hosts` is refused though another has left a connection to that host open."""
    gate = Fetcher()
    await gate.fetch(server.url("page"), private_hosts=True)
    with pytest.raises(FetchRefused):
        await gate.fetch(server.url("page"))
    assert len(server.asked) == 1
    await gate.close()


async def test_nonsense_is_no_private_host() -> None:
    """An entry of `private_hosts` that is neither name nor network is an error of the settings."""
    for entry in ("10.0.0.0/33", "http://wiki.corp", "wiki corp", "*", "*.*", "", "10.0.0"):
        with pytest.raises(ValueError, match="is no host"):
            FetchSettings(private_hosts=(entry,))


async def test_slow_name_servers_do_not_take_all_threads() -> None:
    """Few names are looked up at once, those included whose caller has given up."""
    release, running = asyncio.Event(), 0

    async def slow(host: str, port: int) -> list[IPv4Address | IPv6Address]:
        nonlocal running
        running += 1
        await release.wait()
        return [ip_address(PUBLIC)]

    lookups = Lookups(slow)
    tasks = [asyncio.create_task(lookups.addresses(f"{number}.test", 80)) for number in range(6)]
    given_up = asyncio.create_task(lookups.addresses("late.test", 80))
    while running < 3:
        await asyncio.wait(tasks, timeout=0)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    assert running == 3
    given_up.cancel()
    release.set()
    assert await asyncio.gather(*tasks[1:]) == [[ip_address(PUBLIC)]] * 5
