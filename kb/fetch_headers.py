"""Headers of requests and answers: what may be sent to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import SecretStr

from kb.errors import FetchRefused
from kb.fetch_body import PACKINGS

# What another origin may be told; all else that a caller sends may be a credential.
_HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "user-agent", "if-none-match", "if-modified-since"}
)
# What the gate alone decides.
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)


def cleaned(headers: Mapping[str, str], user_agent: str) -> dict[str, str]:
    """Return the headers to send, less those that only the gate may set, with names in lower case."""
    kept = {name.lower(): value for name, value in headers.items() if name.lower() not in _OURS}
    return {"user-agent": user_agent, "accept": "*/*", "accept-encoding": PACKINGS} | kept


def for_another_origin(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of the headers that a redirect may take along to another origin."""
    return {name: value for name, value in headers.items() if name in _HARMLESS}


def to_send(
    headers: Mapping[str, str], authority: str, authorization: SecretStr | None
) -> list[tuple[bytes, bytes]]:
    """Return the headers as bytes; raise `FetchRefused`, without the value, for one that HTTP cannot hold."""
    values = {"host": authority, **headers}
    if authorization is not None:
        values["authorization"] = authorization.get_secret_value()
    return [(name.encode("ascii", "replace"), _bytes(name, value)) for name, value in values.items()]


def received(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an answer by lower-case name; those that came more than once are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        if name not in found:
            found[name] = value
        elif name != "location":
            # Two places would be joined to nonsense.
            found[name] += f", {value}"
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _bytes(name: str, value: str) -> bytes:
    if value.isascii() and value.isprintable():
        return value.strip().encode("ascii")
    raise FetchRefused(f"header {name!r} cannot be sent: it holds characters that HTTP does not allow.")
