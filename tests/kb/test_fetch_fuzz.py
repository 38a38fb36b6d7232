from __future__ import annotations

import gzip
import random
from ipaddress import IPv4Address, IPv6Address

import httpcore

from kb.errors import FetchError
from kb.fetch import Fetched, Fetcher
from kb.settings import FetchSettings
from tests.emulators.internet import Internet, Posing

PAGE = b"<p>Some words.</p>" * 20
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: text/html\r\n\r\n" % len(PAGE) + PAGE,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" + PAGE[:18] + b"\r\n0\r\nX-A: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(PAGE),
    b"HTTP/1.0 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + PAGE,
    b"HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
)
SPICE = (
    b"\r\n", b"\n", b"\x00", b"\xff", b": ", b"Content-Length: 5\r\n",
    b"Content-Length: " + b"9" * 5000 + b"\r\n",
    b"Transfer-Encoding: gzip\r\n", b"Location: //[x\r\n", b"Location: \xff\xfe\r\n", b"ffffffffffffffff\r\n",
    b"Content-Encoding: \xc3\xbc\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b" folded\r\n", b"0\r\n\r\n",
)  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    answer = bytearray(chance.choice(ANSWERS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(answer))
        if chance.random() < 0.4:
            answer[at:at] = chance.choice(SPICE)
        elif chance.random() < 0.5:
            del answer[at : at + chance.randint(1, 30)]
        else:
            answer[at] = chance.randrange(256)
        answer = answer or bytearray(b"x")
    return bytes(answer)


async def test_any_answer_is_a_page_or_an_error() -> None:
    """Whatever bytes a host sends, a fetch returns or raises its own error, in one line."""
    chance = random.Random(24)

    async def dial(address: IPv4Address | IPv6Address, port: int) -> httpcore.AsyncNetworkStream:
        answer = mutated(chance)
        cuts = sorted(chance.sample(range(len(answer) + 1), min(3, len(answer))))
        parts = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
        return Posing(httpcore.AsyncMockStream([part for part in parts if part]), str(address), port)

    gate = Fetcher(FetchSettings(seconds=10, redirects=2), lookup=Internet(http=0).lookup, dial=dial)
    came: list[Fetched | str] = []
    for _ in range(600):
        try:
            came.append(await gate.fetch("http://a.example/"))
        except FetchError as exc:
            came.append(str(exc))
        await gate.close()
    errors = [one for one in came if isinstance(one, str)]
    assert 50 < len(errors) < 550
    assert [error for error in errors if not error.isprintable()] == []
