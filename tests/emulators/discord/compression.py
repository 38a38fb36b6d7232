"""The gateway's transport compression."""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Protocol


class Packer(Protocol):
    """Makes the frame of one payload; frames of a compressed stream need the ones before."""

    def __call__(self, text: str) -> str | bytes: ...


def packer(compress: str) -> Packer | None:
    """Return what makes frames of the transport compression that a client asks for."""
    if not compress:
        return lambda text: text
    if compress == "zlib-stream":
        deflate = zlib.compressobj()
        return lambda text: deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    if compress == "zstd-stream":
        return _zstd()
    return None


def _zstd() -> Packer | None:
    """Return a packer of zstd frames where Python or a library can make them; the client asks only then."""
    for name in ("compression.zstd", "zstandard"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        stream: Any = module.ZstdCompressor()
        if name == "zstandard":
            stream = stream.compressobj()
            block = module.COMPRESSOBJ_FLUSH_BLOCK
            return lambda text: bytes(stream.compress(text.encode()) + stream.flush(block))
        return lambda text: bytes(stream.compress(text.encode(), mode=stream.FLUSH_BLOCK))
    return None
