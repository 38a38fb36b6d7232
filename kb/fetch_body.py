"""Bodies of answers: read and unpacked piece by piece, and no further than a limit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable

PACKINGS = "gzip, deflate"
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_PIECES_AT_A_TIME = 256
# Below these averages a body costs more work than it can be worth.
_LEAST_A_PIECE, _PIECES_FREE = 32, 4096
_LEAST_A_MEMBER, _MEMBERS_FREE = 256, 1024


class BodyTooLarge(Exception):
    """There is more than the limit."""


class BodyBroken(Exception):
    """What came cannot be unpacked; the text says why."""


async def read_body(
    pieces: AsyncIterable[bytes], *, packing: str, limit: int, announced: int | None = None
) -> bytes:
    """Return the unpacked body. Raise `BodyTooLarge` as soon as it is over `limit`, `BodyBroken`.

    `announced` is how long it says to be, packed.
    """
    body = Body(packing=packing, limit=limit)
    if announced is not None and announced > body.most:
        raise BodyTooLarge
    came = count = 0
    async for piece in pieces:
        body.add(piece)
        came, count = came + len(piece), count + 1
        if count > _PIECES_FREE and came < count * _LEAST_A_PIECE:
            raise BodyBroken("it comes in crumbs")
        if count % _PIECES_AT_A_TIME == 0:
            # One read may hold hundreds of pieces; others must get their turn between them.
            await asyncio.sleep(0)
    return body.finish()


class Body:
    """A body that is being unpacked. It never holds more than `limit` bytes and one piece."""

    def __init__(self, *, packing: str, limit: int) -> None:
        self._packing = _known(packing)
        self._limit = limit
        # What cannot be made smaller grows a little when it is packed.
        self.most = limit + (limit // 100 + 1024 if self._packing else 0)
        self._came = 0
        self._held = b""
        self._unpacked = bytearray()
        self._stream: zlib._Decompress | None = None
        self._members = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece; raise `BodyTooLarge` or `BodyBroken`."""
        self._came += len(piece)
        if self._came > self.most:
            raise BodyTooLarge
        if not self._packing:
            self._unpacked += piece
            return
        data = self._held + piece
        if self._stream is None and len(data) < 2:
            self._held = data
            return
        self._held = b""
        self._unpack(data)

    def finish(self) -> bytes:
        """Return the whole; raise `BodyBroken` when its end is missing."""
        if self._held or (self._stream is not None and not self._stream.eof):
            raise BodyBroken("it breaks off")
        return bytes(self._unpacked)

    def _unpack(self, data: bytes) -> None:
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data))
            elif self._stream.eof:
                data = self._next_member(data)
                continue
            try:
                self._unpacked += self._stream.decompress(data, self._limit - len(self._unpacked) + 1)
            except zlib.error as exc:
                raise BodyBroken(f"it is no {self._packing}: {exc}") from exc
            if len(self._unpacked) > self._limit:
                raise BodyTooLarge
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _next_member(self, data: bytes) -> bytes:
        """Begin the next member of a gzip body, and drop padding after the last."""
        rest = data.lstrip(b"\0") if self._packing == "gzip" else b""
        if rest:
            self._stream = zlib.decompressobj(_GZIP)
            self._members += 1
        if self._members > _MEMBERS_FREE and len(self._unpacked) < self._members * _LEAST_A_MEMBER:
            raise BodyBroken("it is packed in crumbs")
        return rest

    def _window(self, data: bytes) -> int:
        if self._packing == "gzip":
            return _GZIP
        # "deflate" means the zlib format, yet some servers send the bare stream: RFC 1950's header tells.
        has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
        return _ZLIB if has_header else _RAW


def _known(packing: str) -> str:
    name = packing.strip().lower().removeprefix("x-")
    if name not in {"", "identity", "gzip", "deflate"}:
        raise BodyBroken(f"it is packed as {packing[:40]!r}, which was not asked for")
    return "" if name == "identity" else name
