"""A connection that reads little at a time and gives up on headers that do not end."""

from __future__ import annotations

import ssl

import httpcore

# What is read at once is worked on at once, and meanwhile the chat platforms wait.
_READ_BYTES = 16 * 1024
# httpcore bounds one header, not how many "100 Continue" come before it.
_HEAD_BYTES = 256 * 1024


class MeteredStream(httpcore.AsyncNetworkStream):
    """Counts what is read between the sending of a request and `begin_body`."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left: int | None = _HEAD_BYTES

    def begin_body(self) -> None:
        """Count no more: who reads the body bounds it."""
        self._left = None

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> bytes:
        """Return some bytes, none at the end; raise httpcore's errors."""
        data = await self._stream.read(min(max_bytes, _READ_BYTES), timeout)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise httpcore.RemoteProtocolError("its headers do not end")
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> None:
        """Send bytes of a request."""
        self._left = _HEAD_BYTES
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Return the same connection with TLS on it."""
        return MeteredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Return what httpcore asks about the connection."""
        return self._stream.get_extra_info(info)
