from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kb.errors import FetchFailed, FetchRefused
from kb.fetch import Fetcher
from kb.settings import FetchSettings
from tests.emulators.certificates import tls_pair
from tests.emulators.forward_proxy import ForwardProxy, forward_proxy
from tests.emulators.hostile import PAGE, hostile
from tests.emulators.internet import Internet


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[tuple[Fetcher, ForwardProxy]]:
    server_side, client_side = tls_pair(tmp_path, ["docs.example"])
    async with (
        hostile() as plain,
        hostile(tls=server_side) as secure,
        forward_proxy(http=plain.port, https=secure.port) as proxy,
    ):
        settings = FetchSettings(
            proxy=f"http://127.0.0.1:{proxy.port}", private_hosts=("wiki.corp", "10.0.0.0/8")
        )
        gate = Fetcher(settings, tls=client_side)
        yield gate, proxy
        await gate.close()


async def test_everything_goes_through_the_proxy(proxied: tuple[Fetcher, ForwardProxy]) -> None:
    """Plain pages are asked of the proxy, TLS goes through a tunnel of it; no name is looked up here."""
    gate, proxy = proxied
    assert (await gate.fetch("http://docs.example/page")).body == PAGE
    assert (await gate.fetch("https://docs.example/page")).body == PAGE
    assert proxy.asked == ["GET http://docs.example/page", "CONNECT docs.example:443"]


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/", "http://router/", "http://a.internal/",
     "http://a.local/", "https://[::1]/", "https://[2606:4700::1]/", "http://192.168.0.1/",
     "http://docs.example/redirect/302?to=http://127.0.0.1/"],
)  # fmt: skip
async def test_a_proxy_is_not_asked_for_private_hosts(
    proxied: tuple[Fetcher, ForwardProxy], url: str
) -> None:
    """Literal addresses and names that can only be private are refused, also behind a redirect."""
    gate, proxy = proxied
    with pytest.raises(FetchRefused):
        await gate.fetch(url)
    assert [line for line in proxy.asked if "docs.example" not in line] == []


async def test_allowed_hosts_are_asked_of_the_proxy(proxied: tuple[Fetcher, ForwardProxy]) -> None:
    """What `private_hosts` allows is read through the proxy too."""
    gate, _ = proxied
    for url in ("http://wiki.corp/page", "http://10.1.2.3/page"):
        assert (await gate.fetch(url)).body == PAGE


async def test_a_proxy_that_refuses_is_an_error(proxied: tuple[Fetcher, ForwardProxy]) -> None:
    """A tunnel that the proxy does not open is a failure of that address."""
    gate, proxy = proxied
    proxy.refuse = True
    with pytest.raises(FetchFailed, match="403 Not Here"):
        await gate.fetch("https://docs.example/page")


async def test_a_proxy_that_is_no_address_is_named() -> None:
    """A proxy setting that cannot be read is an error that names the setting."""
    gate = Fetcher(FetchSettings(proxy="proxy:3128"))
    with pytest.raises(FetchRefused, match=r"\[fetch\] proxy"):
        await gate.fetch("http://docs.example/")


async def test_other_libraries_do_not_ask_the_proxy() -> None:
    """The host of an endpoint is looked up here, proxy or not."""
    internet = Internet(http=0, names={"store.example": [["10.0.0.1"]]})
    gate = Fetcher(FetchSettings(proxy="http://127.0.0.1:3128"), lookup=internet.lookup)
    with pytest.raises(FetchRefused, match=r"10\.0\.0\.1"):
        await gate.check_host("https://store.example/")
