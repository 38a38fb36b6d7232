"""File names as document uris: unique, reversible and printable.

A file name is any string of bytes; a uri is text that reports, links and databases can hold. Names stay as
they are, save for what cannot be shown: bytes that are not UTF-8, control characters, line separators and
marks that turn the writing direction become `%XX` for each byte, and a `%` that would read as such a mark
becomes `%25`.
"""

from __future__ import annotations

import re
from urllib.parse import quote

_AWKWARD = re.compile(
    "%(?=[0-9A-Fa-f]{2})|[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]"
)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
# Most names: they are their own uri and link.
_PLAIN = re.compile(rb"[A-Za-z0-9_./~-]*")


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))


def uri_of(path: bytes) -> str:
    """Return the uri of a path with `/` separators; two paths never share one."""
    if _PLAIN.fullmatch(path):
        return path.decode("ascii")
    return _AWKWARD.sub(_escape, path.decode("utf-8", "surrogateescape"))


def path_of(uri: str) -> bytes | None:
    """Return the path that `uri_of` made this uri from, or None when it made no such uri."""
    path = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), uri.encode("utf-8", "surrogatepass"))
    return path if uri_of(path) == uri else None


def link_path(path: bytes) -> str:
    """Return a path as it stands in a link, percent-encoded."""
    return path.decode("ascii") if _PLAIN.fullmatch(path) else quote(path, safe="/~")
