"""Addresses of pages: one spelling for each, and which belong to a source."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import idna

from kb.connectors.selection import Selection
from kb.sources import SourceSettings

LONGEST = 2000
_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
# Most addresses are spelled as they should be.
_PLAIN = re.compile(r"https?://[a-z0-9][a-z0-9.-]*/(?:[\w~-][\w.~-]*/)*(?:[\w~-][\w.~-]*)?", re.ASCII)
_CONTROL = re.compile(r"[\t\r\n]")
_TRACKING = re.compile(
    r"(?:utm_\w+|gclid|dclid|fbclid|msclkid|mc_[ce]id|_hs(?:enc|mi)|igshid|yclid|twclid)(?:=|\Z)",
    re.IGNORECASE,
)
# What no reader reads; an address without such an end is asked for, and its media type decides.
_UNREAD = frozenset(
    {
        "png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "ico", "svg", "avif", "heic", "mp3",
        "wav", "flac", "ogg", "oga", "m4a", "aac", "opus", "mp4", "m4v", "mov", "avi", "mkv", "webm",
        "mpg", "mpeg", "wmv", "zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "jar", "war",
        "whl", "deb", "rpm", "iso", "dmg", "exe", "msi", "apk", "bin", "so", "dll", "woff", "woff2",
        "ttf", "otf", "eot", "css", "js", "mjs", "map", "wasm", "rss", "atom", "epub", "mobi",
    }
)  # fmt: skip


def page_address(text: str, base: str = "") -> str | None:
    """Return the one spelling of a page's address, None when it is no web address.

    It is absolute and ASCII, without fragment and tracking parameters; its host is in lower case, its path
    has no dot segments and no escape that is not needed.
    """
    if _PLAIN.fullmatch(text) and len(text) <= LONGEST:
        return text
    text = _CONTROL.sub("", text.strip(" \t\r\n\f\0")).replace("\\", "/")
    try:
        parts = urlsplit(urljoin(base, text) if base else text)
        return _spelled(parts)
    except ValueError:
        return None


def _spelled(parts: SplitResult) -> str | None:
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or "@" in parts.netloc or not parts.hostname:
        return None
    host = _host(parts.hostname)
    port = "" if parts.port in {None, _PORTS[scheme]} else f":{parts.port}"
    query = "&".join(part for part in parts.query.split("&") if part and not _TRACKING.match(part))
    address = f"{scheme}://{host}{port}{_path(parts.path)}"
    address += f"?{_escaped(query, safe='/?:@!$&()*+,;=~%[]|')}" if query else ""
    return address if len(address) <= LONGEST else None


def _host(name: str) -> str:
    if ":" in name:
        return f"[{name}]"
    if name.isascii():
        return name.lower()
    try:
        return idna.encode(name.lower(), strict=True).decode("ascii")
    except idna.IDNAError as exc:
        raise ValueError(name) from exc


def _path(path: str) -> str:
    clean = _escaped(path, safe="/:@!$&()*+,;=~%|")
    kept: list[str] = []
    segments = clean.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _escaped(text: str, *, safe: str) -> str:
    """Escape what must be, and nothing else: `%7e` and `~` are one address."""
    stray = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return _ESCAPE.sub(_unescape, quote(stray, safe=safe))


def _unescape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.match(character) else found[0].upper()


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def is_readable_name(address: str) -> bool:
    """Say whether an address may be that of a document, as far as its end tells."""
    name = urlsplit(address).path.rpartition("/")[2]
    return "." not in name or name.rpartition(".")[2].lower() not in _UNREAD


def _site(address: str) -> tuple[str, int | None]:
    """Return what the addresses of one site share: with `www.` and without, by http and by https."""
    parts = urlsplit(address)
    port = None if parts.port in {None, _PORTS[parts.scheme]} else parts.port
    return (parts.hostname or "").removeprefix("www."), port


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which addresses belong to a source: those of its site below a folder, and all of other origins.

    `folder` is a path that ends in a slash.
    """

    location: str
    folder: str
    taken: Selection
    followed: Selection
    origins: tuple[str, ...] = ()
    # Settings under which a page has other links.
    text: str = ""

    @classmethod
    def of(
        cls, location: str, settings: SourceSettings, *, whole: bool, origins: Sequence[str] = ()
    ) -> Scope:
        """Return the scope of a location: its folder, or with `whole` all of its site.

        Raises SourceInvalid for a glob that is none.
        """
        return cls(
            location=location,
            folder="/" if whole else urlsplit(location).path.rpartition("/")[0] + "/",
            taken=Selection(settings),
            followed=Selection(settings.model_copy(update={"include": ()})),
            origins=tuple(origins),
            text=json.dumps([location, whole, settings.exclude, *origins]),
        )

    def settled(self, text: str, base: str) -> str | None:
        """Return the address that a link means, None when it is none of the source's.

        A site that is read by https is not asked by http for what an old link names.
        """
        address = page_address(text, base)
        if address is None:
            return None
        is_downgrade = address.startswith("http:") and self.location.startswith("https:")
        if is_downgrade and self.is_home(address):
            address = f"https:{address.removeprefix('http:')}"
        return address if self.holds(address) else None

    def is_home(self, address: str) -> bool:
        """Say whether an address is of the location's own site."""
        if address.startswith(f"{origin_of(self.location)}/"):
            return True
        return _site(address) == _site(self.location)

    def holds(self, address: str) -> bool:
        """Say whether an address belongs to the source, whatever include and exclude say."""
        if self.is_home(address):
            return f"{urlsplit(address).path}/".startswith(self.folder)
        return origin_of(address) in self.origins

    def enters(self, address: str) -> bool:
        """Say whether an address is asked for at all: links are followed through pages not included."""
        return is_readable_name(address) and self._passes(self.followed, address)

    def takes(self, address: str) -> bool:
        """Say whether the page at an address, which belongs to the source, is one of its documents."""
        return is_readable_name(address) and self._passes(self.taken, address)

    def _passes(self, selection: Selection, address: str) -> bool:
        """Match the globs with the path below the folder; that of the folder's own page is `index.html`."""
        path = urlsplit(address).path
        below = unquote(path.removeprefix(self.folder) if self.is_home(address) else path[1:])
        return selection.takes(below or "index.html", below.rpartition("/")[2])
