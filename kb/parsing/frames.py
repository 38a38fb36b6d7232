"""How parser and child talk: frames of a length and bytes over pipes.

A request is a frame of JSON and a frame with the document; a reply is a frame of JSON. JSON, because the
child reads hostile input: the parent must not run what it sends.
"""

from __future__ import annotations

import struct

REPLY_LIMIT = 256 * 1024 * 1024
_LENGTH = struct.Struct("!I")


def frame(payload: bytes) -> bytes:
    """Return a payload with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


def frame_length(data: bytes | bytearray) -> int | None:
    """Return the length of the payload that the data begins with, or None before it is known."""
    return int(_LENGTH.unpack_from(data)[0]) if len(data) >= _LENGTH.size else None


PREFIX = _LENGTH.size
