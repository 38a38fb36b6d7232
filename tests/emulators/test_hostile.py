"""The emulators of the fetch gate's tests, met with a plain socket."""

from __future__ import annotations

import asyncio
import zlib
from ipaddress import ip_address

import pytest

from tests.emulators.forward_proxy import forward_proxy
from tests.emulators.hostile import PAGE, Hostile, hostile
from tests.emulators.internet import PUBLIC, Internet


async def asked(port: int, request: bytes, most: int = 1 << 20) -> bytes:
    """Send bytes and return what comes until the other end closes or `most` has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    came = b""
    while len(came) < most and (data := await reader.read(65536)):
        came += data
    writer.transport.abort()
    await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
    return came


async def get(server: Hostile, path: str, most: int = 1 << 20) -> bytes:
    request = f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\nGET /no_answer HTTP/1.1\r\n\r\n"
    return await asked(server.port, request.encode(), most)


async def test_a_page_is_served_and_the_connection_kept() -> None:
    """A page comes whole, and the next request on the connection is read too."""
    async with hostile() as server:
        answer = await get(server, "page")
        assert answer.endswith(b"\r\n\r\n" + PAGE)
        assert [one.target for one in server.asked] == ["/page", "/no_answer"]
        assert server.connections == 1


async def test_redirects_say_where_to() -> None:
    """The status is that of the path and the place that of the query."""
    async with hostile() as server:
        answer = await get(server, "redirect/307?to=http%3A%2F%2Fb.example%2F")
        assert answer.startswith(b"HTTP/1.1 307 ")
        assert b"Location: http://b.example/\r\n" in answer


@pytest.mark.parametrize(
    "path", ["endless_body", "endless_header", "endless_interim", "crumbs", "huge_length"]
)
async def test_endless_answers_go_on(path: str) -> None:
    """An endless answer fills whatever room there is."""
    async with hostile() as server:
        assert len(await get(server, path, most=1 << 20)) >= 1 << 20


async def test_a_bomb_unpacks_to_a_thousandfold() -> None:
    """Some 100 kB of gzip hold 100 MB, and the endless one never ends."""
    async with hostile() as server:
        bomb = (await get(server, "bomb/gzip")).partition(b"\r\n\r\n")[2]
        assert len(bomb) < 200_000
        assert len(zlib.decompress(bomb, zlib.MAX_WBITS | 16)) == 100_000_000
        endless = (await get(server, "endless_bomb", most=1 << 18)).partition(b"\r\n\r\n")[2]
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
        assert len(unpacking.decompress(endless, 50_000_000)) == 50_000_000
        assert not unpacking.eof


async def test_the_proxy_passes_on() -> None:
    """Plain requests lose the host of their target, tunnels pass bytes as they are."""
    async with hostile() as server, forward_proxy(http=server.port, https=server.port) as proxy:
        plain = await asked(
            proxy.port, b"GET http://a.example/short_body HTTP/1.1\r\nHost: a.example\r\n\r\n"
        )
        assert plain.endswith(b"half")
        assert proxy.asked == ["GET http://a.example/short_body"]
        assert server.asked[0].target == "/short_body"


async def test_names_of_the_pretend_internet_change() -> None:
    """A name gives its answers in turn and keeps to the last; others are public."""
    internet = Internet(http=0, names={"a.test": [["10.0.0.1"], ["10.0.0.2"]]})
    answers = [await internet.lookup("a.test", 80) for _ in range(3)]
    assert answers == [[ip_address(f"10.0.0.{last}")] for last in (1, 2, 2)]
    assert await internet.lookup("b.test", 80) == [ip_address(PUBLIC)]
