"""Web addresses, read strictly: what two programs could read in two ways is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna

from kb.errors import FetchRefused
from kb.public_hosts import literal_address

LONGEST = 8192
_PORTS = {"http": 80, "https": 443}
_PARTS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:@]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_KEPT = "/?:@!$&'()*+,;=-._~%[]|"
# Services that an HTTP request could be made to speak to: the "bad ports" of https://fetch.spec.whatwg.org.
_OTHER_SERVICES = frozenset(
    {
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
        104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513,
        514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719,
        1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669,
        6679, 6697, 10080, 11211,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """A checked address. `host` is ASCII in lower case, without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def explicit_port(self) -> int | None:
        """Return the port unless it is the scheme's own."""
        return None if self.port == _PORTS[self.scheme] else self.port

    @property
    def authority(self) -> str:
        """Return the host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.explicit_port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what two addresses must share to be of one owner."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """Return the whole address."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_address(url: str) -> WebAddress:
    """Read an address; raise `FetchRefused` that says why it is none that may be read."""
    found = _PARTS.match(url)
    if len(url) > LONGEST or _UNSAFE.search(url.partition("#")[0]):
        raise _refusal(url, f"it holds spaces or control characters, or is over {LONGEST} characters")
    if found is None or found["scheme"].lower() not in _PORTS:
        raise _refusal(url, "it does not begin with https:// or http://")
    if "@" in found["authority"]:
        raise _refusal(url, "it holds a user name or password; give credentials in the source's settings")
    parts = _AUTHORITY.fullmatch(found["authority"])
    if parts is None:
        raise _refusal(url, "its host cannot be read")
    scheme = found["scheme"].lower()
    port = int(parts["port"] or _PORTS[scheme])
    if not 0 < port < 65536 or port in _OTHER_SERVICES:
        raise _refusal(url, f"port {port} is not one of the web")
    return WebAddress(scheme=scheme, host=_host(url, parts["host"]), port=port, target=_target(found["rest"]))


def follow(address: WebAddress, location: str) -> WebAddress:
    """Return where a redirect leads; raise `FetchRefused` unless it may be read.

    A redirect from https to http is refused, since anyone on the way could have put in what comes next. To
    the same host it is followed by https: such hosts only do not know that TLS ends before them.
    """
    place = location.strip(" \t").replace(" ", "%20")
    try:
        there = parse_address(urljoin(address.url, place))
    except ValueError:
        raise _refusal(place, "it cannot be read") from None
    if (address.scheme, there.scheme) != ("https", "http"):
        return there
    if (there.host, there.explicit_port) == (address.host, address.explicit_port):
        return replace(there, scheme="https", port=address.port)
    raise _refusal(there.url, "an https address leads there. Give the address that it should end at")


def shown(url: str) -> str:
    """Return an address for messages: short, and without password and query, which may be secret."""
    found = _PARTS.match(url)
    if "@" in url and (found is None or not _AUTHORITY.fullmatch(found["authority"])):
        url = "…@" + url.rpartition("@")[2]
    bare, query, _ = url.partition("#")[0].partition("?")
    return (bare if len(bare) <= 200 else f"{bare[:200]}…") + ("?…" if query else "")


def _host(url: str, text: str) -> str:
    if text.startswith("["):
        return _literal(url, text[1:-1])
    name = _ascii(url, text.lower()).removesuffix(".")
    address = literal_address(name)
    if isinstance(address, IPv4Address) and name != str(address):
        raise _refusal(url, f"it spells the address {address} in another way")
    labels = name.split(".")
    if address is None and (
        len(name) > 253 or _NUMBER.fullmatch(labels[-1]) or not all(map(_is_label, labels))
    ):
        raise _refusal(url, f"{text!r} is no host name")
    return name


def _literal(url: str, text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise _refusal(url, f"{text!r} is no address") from None


def _ascii(url: str, name: str) -> str:
    """Return a name as it stands in DNS. Letters that only look like others are refused, not mapped."""
    if name.isascii():
        return name
    try:
        return idna.encode(name, strict=True).decode("ascii")
    except idna.IDNAError:
        raise _refusal(url, f"{name!r} is no host name") from None


def _is_label(label: str) -> bool:
    return _LABEL.fullmatch(label) is not None


def _target(rest: str) -> str:
    return quote(rest if rest.startswith("/") else f"/{rest}", safe=_KEPT)


def _refusal(url: str, why: str) -> FetchRefused:
    return FetchRefused(f"{shown(url)!r} is not read: {why}.")
