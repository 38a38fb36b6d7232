from __future__ import annotations

from ipaddress import ip_address

import pytest

from kb.public_hosts import (
    AllowedHosts,
    is_local_name,
    is_private,
    is_private_name,
    is_public,
    literal_address,
    resolve,
)

NOT_PUBLIC = [
    "0.1.2.3", "10.1.2.3", "100.100.100.200", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.31.0.1",
    "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001::1", "2002:7f00:1::", "fc00::1", "fe80::1", "fec0::1",
    "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_special_addresses_are_not_public(address: str) -> None:
    """Private, local, metadata, translated and reserved addresses are not public."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "140.82.121.3", "2606:4700::1111", "2a00:1450::1"])
def test_ordinary_addresses_are_public(address: str) -> None:
    """Addresses of the internet are public."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001", "127.0.0.1"])
def test_every_spelling_of_an_address_is_seen(host: str) -> None:
    """Each form of an address that resolvers take is read as that address."""
    assert literal_address(host) == ip_address("127.0.0.1")


def test_names_are_no_addresses() -> None:
    """A host name is no literal address."""
    assert literal_address("github.com") is None


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "a.localhost", "ip6-loopback"])
def test_local_names(host: str) -> None:
    """Names of this machine are known without a look-up."""
    assert is_local_name(host)
    assert not is_local_name("localhost.example.org")


@pytest.mark.parametrize(
    "host", ["localhost", "router.local", "Wiki.Internal.", "nas.home.arpa", "a.localdomain"]
)
def test_private_names(host: str) -> None:
    """Names that are kept for private networks are known without a look-up."""
    assert is_private_name(host)
    assert not is_private_name("local.example.org")


@pytest.mark.parametrize(
    "address", ["10.9.8.7", "127.0.0.1", "100.64.0.1", "172.20.0.1", "192.168.1.1", "fd12::1"]
)
def test_private_addresses(address: str) -> None:
    """Networks that organisations use on their own are private."""
    assert is_private(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "169.254.169.254", "100.100.100.200", "fe80::1", "::ffff:10.0.0.1"]
)
def test_what_is_never_meant_is_not_private(address: str) -> None:
    """Public, link-local, metadata and wrapped addresses are not private."""
    assert not is_private(ip_address(address))


def test_allowed_hosts_are_read() -> None:
    """Names, suffixes, addresses and networks are told apart, in any case."""
    allowed = AllowedHosts.parse(["Wiki.Corp", "*.lan", "10.0.0.0/8", "fd00::1"])
    assert [host for host in ("wiki.corp", "a.lan", "lan", "a.wiki.corp") if allowed.has_name(host)] == [
        "wiki.corp",
        "a.lan",
    ]
    assert allowed.has_address(ip_address("10.1.1.1"))
    assert allowed.has_address(ip_address("fd00::1"))
    assert not allowed.has_address(ip_address("fd00::2"))
    assert not AllowedHosts.parse([]).has_name("wiki.corp")


async def test_resolving_gives_addresses() -> None:
    """A look-up returns each address once."""
    assert await resolve("127.0.0.1", 443) == [ip_address("127.0.0.1")]
