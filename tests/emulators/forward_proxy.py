"""A forward proxy: plain requests and CONNECT, every host of which is one server of this machine.

It imports nothing of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class ForwardProxy:
    """Where it listens, what it was asked for, and the ports that stand for the internet."""

    http: int
    https: int
    port: int = 0
    asked: list[str] = field(default_factory=list)
    refuse: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode("latin-1").split(" ", 2)
        self.asked.append(f"{method} {target}")
        if self.refuse:
            writer.write(b"HTTP/1.1 403 Not Here\r\nContent-Length: 0\r\n\r\n")
            return
        tunnel = method == "CONNECT"
        back, there = await asyncio.open_connection("127.0.0.1", self.https if tunnel else self.http)
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            path = "/" + target.split("/", 3)[3]
            there.write(head.replace(target.encode("latin-1"), path.encode("latin-1"), 1))
        try:
            await asyncio.gather(_copy(reader, there), _copy(back, writer))
        finally:
            await _hang_up(there)


@asynccontextmanager
async def forward_proxy(*, http: int, https: int) -> AsyncIterator[ForwardProxy]:
    """Run the proxy."""
    proxy = ForwardProxy(http=http, https=https)
    tasks = set[asyncio.Task[None]]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await proxy.serve(reader, writer)
        await _hang_up(writer)
        tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
