"""A web server that behaves as badly as its paths say: slow, endless, packed, looping, lying.

It speaks raw bytes over real sockets of the loopback interface and imports nothing of ours. The first part
of a path names the behaviour (`BEHAVIOURS`), what follows is its argument.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = b"<html><head><title>A page</title></head><body><p>Some words.</p></body></html>"
DRIP_SECONDS = 0.05
REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_FOREVER = 10**9


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and the way to answer it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    closing: asyncio.Event

    @property
    def argument(self) -> str:
        """What follows the behaviour's name in the path."""
        return unquote(urlsplit(self.target).path.strip("/").partition("/")[2])

    def query(self, name: str, default: str = "") -> str:
        return parse_qs(urlsplit(self.target).query).get(name, [default])[0]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self) -> None:
        """Let a little time pass, or less when the server stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), DRIP_SECONDS)

    async def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        named = {"Content-Length": str(len(body)), "Content-Type": "text/html; charset=utf-8"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        await self.send(head(status, named) + body)


def head(status: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode()


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Hostile:
    """The server: where it listens, what it was asked, how many connections came."""

    host: str
    port: int
    scheme: str = "http"
    asked: list[Exchange] = field(default_factory=list)
    connections: int = 0
    hang_up_once: bool = False
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/{path.lstrip('/')}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        exchange = Exchange(
            method=method, target=target, headers=headers, body=body, writer=writer, closing=self.closing
        )
        if self.hang_up_once:
            self.hang_up_once = False
            return False
        self.asked.append(exchange)
        name = urlsplit(target).path.strip("/").partition("/")[0]
        await BEHAVIOURS.get(name, redirect if name in REDIRECTS else page)(exchange)
        return name in LASTING


@asynccontextmanager
async def hostile(*, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    """Run the server."""
    found = Hostile(host=host, port=0, scheme="https" if tls else "http")
    tasks = set[asyncio.Task[None]]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await found.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        found.closing.set()
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def page(exchange: Exchange) -> None:
    await exchange.answer("200 OK", PAGE)


async def echo(exchange: Exchange) -> None:
    lines = [f"{exchange.method} {exchange.target}"]
    lines += [f"{name}: {value}" for name, value in sorted(exchange.headers.items())]
    await exchange.answer("200 OK", "\n".join(lines).encode() + b"\n\n" + exchange.body)


async def status(exchange: Exchange) -> None:
    await exchange.answer(f"{exchange.argument} Scripted", b"" if exchange.argument == "304" else PAGE)


async def redirect(exchange: Exchange) -> None:
    """`redirect/302?to=URL` or `302?to=URL`: answer with that status."""
    code = urlsplit(exchange.target).path.rpartition("/")[2]
    await exchange.answer(f"{code} Elsewhere", Location=exchange.query("to"))


async def chain(exchange: Exchange) -> None:
    """`chain?n=50`: redirect that many times."""
    left = int(exchange.query("n", "1"))
    await (exchange.answer("302 Found", Location=f"/chain?n={left - 1}") if left else page(exchange))


async def loop(exchange: Exchange) -> None:
    await exchange.answer("302 Found", Location=exchange.target)


async def growing(exchange: Exchange) -> None:
    """Redirect to an ever longer address."""
    await exchange.answer("302 Found", Location=exchange.target + "/x" * 400)


async def slow_chain(exchange: Exchange) -> None:
    """Redirect again and again, each time after a while."""
    for _ in range(5):
        await exchange.drip()
    await exchange.answer("302 Found", Location=f"/slow_chain/{len(exchange.target)}")


async def meta_refresh(exchange: Exchange) -> None:
    to = exchange.query("to")
    await exchange.answer("200 OK", f'<meta http-equiv="refresh" content="0; url={to}">'.encode(), Refresh=to)


async def silent(exchange: Exchange) -> None:
    await exchange.closing.wait()


async def slow_head(exchange: Exchange) -> None:
    """Send the header a byte at a time."""
    for byte in head("200 OK", {f"X-{number}": "v" for number in range(10_000)}):
        await exchange.send(bytes([byte]))
        await exchange.drip()


async def slow_body(exchange: Exchange) -> None:
    """Send a byte of the body at a time: no single wait is long."""
    await exchange.send(head("200 OK", {"Content-Length": "100000"}))
    for _ in range(100_000):
        await exchange.send(b"x")
        await exchange.drip()


async def stalled_body(exchange: Exchange) -> None:
    await exchange.send(head("200 OK", {"Content-Length": "1000"}) + b"half")
    await exchange.closing.wait()


async def endless_body(exchange: Exchange) -> None:
    await exchange.send(head("200 OK", {"Connection": "close"}))
    for _ in range(_FOREVER):
        await exchange.send(b"x" * 65536)


async def endless_chunks(exchange: Exchange) -> None:
    await exchange.send(head("200 OK", {"Transfer-Encoding": "chunked"}))
    for _ in range(_FOREVER):
        await exchange.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")


async def crumbs(exchange: Exchange) -> None:
    """Send chunks of one byte as fast as they go."""
    await exchange.send(head("200 OK", {"Transfer-Encoding": "chunked"}))
    for _ in range(_FOREVER):
        await exchange.send(b"1\r\nx\r\n" * 10_000)


async def chunk_extensions(exchange: Exchange) -> None:
    """Send chunks of one byte, each with a long extension."""
    await exchange.send(head("200 OK", {"Transfer-Encoding": "chunked"}))
    for _ in range(_FOREVER):
        await exchange.send(b"1;" + b"e" * 8000 + b"\r\nx\r\n")


async def endless_header(exchange: Exchange) -> None:
    """Send a header line that does not end."""
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(_FOREVER):
        await exchange.send(b"x" * 65536)


async def endless_headers(exchange: Exchange) -> None:
    """Send header lines that do not end."""
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    for _ in range(_FOREVER):
        await exchange.send(b"X-More: yes\r\n" * 1000)


async def endless_trailers(exchange: Exchange) -> None:
    """Send trailers that do not end after a good body."""
    await exchange.send(head("200 OK", {"Transfer-Encoding": "chunked"}) + b"1\r\nx\r\n0\r\n")
    for _ in range(_FOREVER):
        await exchange.send(b"X-More: yes\r\n" * 1000)


async def endless_interim(exchange: Exchange) -> None:
    """Say "continue" without end."""
    for _ in range(_FOREVER):
        await exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


async def huge_length(exchange: Exchange) -> None:
    """Announce a terabyte and send it."""
    await exchange.send(head("200 OK", {"Content-Length": str(10**12)}))
    for _ in range(_FOREVER):
        await exchange.send(b"x" * 65536)


async def short_body(exchange: Exchange) -> None:
    """Announce more than comes."""
    await exchange.send(head("200 OK", {"Content-Length": "1000"}) + b"half")


async def no_answer(exchange: Exchange) -> None:
    """Close the connection."""


async def not_http(exchange: Exchange) -> None:
    await exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def switch(exchange: Exchange) -> None:
    await exchange.send(head("101 Switching Protocols", {"Upgrade": "websocket", "Connection": "upgrade"}))
    await exchange.closing.wait()


async def packed(exchange: Exchange) -> None:
    """`packed/gzip`: the page, packed in that way."""
    data, header = _PACKED[exchange.argument]
    await exchange.answer("200 OK", data(), Content_Encoding=header)


async def bomb(exchange: Exchange) -> None:
    """`bomb/gzip`: some 100 kB that unpack to 100 MB."""
    await exchange.answer("200 OK", _bomb(exchange.argument), Content_Encoding=exchange.argument)


async def endless_bomb(exchange: Exchange) -> None:
    """Send a gzip stream of zeros without end."""
    start, more = _endless_gzip()
    await exchange.send(head("200 OK", {"Content-Encoding": "gzip", "Connection": "close"}) + start)
    for _ in range(_FOREVER):
        await exchange.send(more)


async def empty_members(exchange: Exchange) -> None:
    """Send gzip members that hold nothing, without end."""
    await exchange.send(head("200 OK", {"Content-Encoding": "gzip", "Connection": "close"}))
    member = gzip.compress(b"") * 3000
    for _ in range(_FOREVER):
        await exchange.send(member)


@cache
def _endless_gzip() -> tuple[bytes, bytes]:
    """Return the start of a gzip stream, and a part that can follow it any number of times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    start = packer.compress(b"\0") + packer.flush(zlib.Z_FULL_FLUSH)
    return start, (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)) * 64


@cache
def _bomb(packing: str) -> bytes:
    if packing == "gzip":
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb") as packer:
            for _ in range(100):
                packer.write(bytes(1_000_000))
        return out.getvalue()
    return zlib.compress(bytes(100_000_000), 9)


def _raw_deflate() -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(PAGE) + packer.flush()


_PACKED: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip": (lambda: gzip.compress(PAGE), "gzip"),
    "x-gzip": (lambda: gzip.compress(PAGE), "x-gzip"),
    "members": (lambda: gzip.compress(PAGE[:20]) + gzip.compress(PAGE[20:]), "gzip"),
    "padded": (lambda: gzip.compress(PAGE) + bytes(512), "gzip"),
    "deflate": (lambda: zlib.compress(PAGE), "deflate"),
    "raw": (_raw_deflate, "deflate"),
    "identity": (lambda: PAGE, "identity"),
    "broken": (lambda: gzip.compress(PAGE)[:-12], "gzip"),
    "garbage": (lambda: b"this is no gzip at all", "gzip"),
    "followed": (lambda: gzip.compress(PAGE) + b"and more", "gzip"),
    "twice": (lambda: gzip.compress(gzip.compress(PAGE)), "gzip, gzip"),
    "br": (lambda: PAGE, "br"),
}

BEHAVIOURS: dict[str, Behaviour] = {
    "page": page, "echo": echo, "status": status, "redirect": redirect, "chain": chain, "loop": loop,
    "growing": growing, "slow_chain": slow_chain, "meta-refresh": meta_refresh, "silent": silent,
    "slow_head": slow_head, "slow_body": slow_body, "stalled_body": stalled_body,
    "endless_body": endless_body, "endless_chunks": endless_chunks, "crumbs": crumbs,
    "chunk_extensions": chunk_extensions, "endless_header": endless_header,
    "endless_headers": endless_headers, "endless_trailers": endless_trailers,
    "endless_interim": endless_interim, "huge_length": huge_length, "short_body": short_body,
    "no_answer": no_answer, "not_http": not_http, "switch": switch, "packed": packed, "bomb": bomb,
    "endless_bomb": endless_bomb, "empty_members": empty_members,
}  # fmt: skip
# After these the connection may be used again.
LASTING = frozenset({"page", "echo", "status", "redirect", "chain", "loop", "growing", "packed", "bomb"})


async def _main() -> None:
    async with hostile() as server:
        print(server.url(""), flush=True)  # noqa: T201 - whoever starts it reads the address
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
