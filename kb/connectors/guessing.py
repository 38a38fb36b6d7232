"""Which source a location means."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import TypeAdapter, ValidationError

from kb.connectors.git_address import is_repository, parse_address, shown
from kb.connectors.rooted import kind_of
from kb.connectors.web_address import page_address
from kb.errors import SourceInvalid
from kb.sources import AnySource

_SUPPORTED = (
    "Supported are a folder (./handbook), a git repository (https://host/path.git, user@host:path), a web "
    "page or the pages below one (https://host/guide/), a sitemap, a feed, github:owner/name, "
    "gitlab:group/name, slack://C0123ABCD, discord://CHANNEL and s3://bucket/prefix."
)
_GIT_HOSTS = re.compile(
    r"https://(?:(?:github\.com|bitbucket\.org|codeberg\.org)/[^/]+/[^/]+|gitlab\.com(?:/(?!-/)[^/]+){2,})/?"
)
_SCP = re.compile(r"[^@/:\s]+@[^/:\s]+:.+|[^/:\s]{2,}:.+\.git/?")
_FORGE = re.compile(r"(?P<type>github|gitlab):(?P<path>[^/\s:]+(?:/[^/\s:]+)+)/?")
# What stands beside a repository's files, as its host's addresses name it.
_FORGE_PAGES = re.compile(
    r"https://(?:www\.)?(?P<host>github|gitlab)\.com/(?P<path>[^?#\s]+?)/(?:-/)?"
    r"(?P<part>issues|pulls|discussions|wiki|wikis|releases|merge_requests)/?"
)
_PARTS = {"wikis": "wiki", "merge_requests": "pulls"}
_CHANNELS = {"slack": "slack_history", "discord": "discord_history"}
_STORES = frozenset({"s3", "gs", "gcs", "az", "abfs", "abfss", "adl"})
_SITEMAP = re.compile(
    r"(?:.*[/._-])?sitemap(?:[._-]?index)?(?:[._-][^/]*)?\.(?:xml|txt)(?:\.gz)?", re.IGNORECASE
)
_FEED = re.compile(r".*\.(?:rss|atom)|(?:.*/)?(?:feed|rss|atom|index\.rdf)(?:\.xml)?/?", re.IGNORECASE)
_SOURCES: TypeAdapter[AnySource] = TypeAdapter(AnySource)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guess:
    """A type, the location as its settings hold it, what a name is made of, and other settings."""

    type: str
    location: str
    named: str
    settings: Mapping[str, object] = field(default_factory=dict)


def guess_source(
    location: str,
    *,
    name: str | None = None,
    type: str | None = None,  # noqa: A002 - the key's name in the settings
    every: str | None = None,
    audience: Sequence[str] = (),
) -> AnySource:
    """Return the settings of the source that a location means.

    The type is guessed unless given, the name is made from the location, and a local path becomes absolute.
    Raises SourceInvalid with one line when the location can be no source.
    """
    guess = _guess(location, type)
    fields: dict[str, object] = {
        "type": guess.type,
        "location": guess.location,
        "name": name or _name(guess.named, guess.type),
        "audience": tuple(audience),
        **guess.settings,
    }
    if every is not None:
        fields["every"] = every
    try:
        return _SOURCES.validate_python(fields)
    except ValidationError as exc:
        raise SourceInvalid(_first_problem(location, exc)) from exc


def _first_problem(location: str, exc: ValidationError) -> str:
    problem = exc.errors(include_url=False)[0]
    if problem["type"] == "union_tag_invalid":
        return f"The source {shown(location)!r}: its type is not supported. {_SUPPORTED}"
    key = ".".join(str(part) for part in problem["loc"][1:])
    reason = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if (key, problem["type"]) == ("name", "string_pattern_mismatch"):
        reason = "write up to 64 letters, digits, '.', '_' and '-', without spaces"
    return f"The source {shown(location)!r}: {key} {problem.get('input')!r} is wrong: {reason}."


def _guess(location: str, kind: str | None) -> _Guess:
    if not location.strip():
        raise SourceInvalid(f"The location {location!r} is empty. {_SUPPORTED}")
    if kind in {None, "folder", "git"}:
        return (
            _guess_hosted(location) if kind is None and _is_hosted(location) else _local_guess(location, kind)
        )
    if kind in {"web", "sitemap", "feed"}:
        return _web_guess(location, kind)
    if kind in {"github", "gitlab"}:
        return _forge_guess(location, kind)
    return _named_guess(location, kind or "")


def _is_hosted(location: str) -> bool:
    """Say whether a location is one of a host, and none of a git repository."""
    if _FORGE.fullmatch(location) and not kind_of(Path(location)):
        return True
    scheme = _scheme(location)
    if scheme not in {"http", "https"}:
        return scheme in _CHANNELS or scheme in _STORES
    return not (_is_git(location) or location.rstrip("/").endswith(".git"))


def _scheme(location: str) -> str:
    return location.partition("://")[0].lower() if "://" in location else ""


def _is_git(location: str) -> bool:
    return _GIT_HOSTS.fullmatch(location) is not None


def _guess_hosted(location: str) -> _Guess:
    scheme = _scheme(location)
    if found := _FORGE.fullmatch(location) or _FORGE_PAGES.fullmatch(location):
        return _forge_guess(location, found[1])
    if scheme in _CHANNELS:
        return _named_guess(location, _CHANNELS[scheme])
    if scheme in _STORES:
        return _named_guess(location, "object_store")
    path = unquote(urlsplit(location).path) if page_address(location) else ""
    kind = "sitemap" if _SITEMAP.fullmatch(path) else "feed" if _FEED.fullmatch(path) else "web"
    return _web_guess(location, kind)


def _web_guess(location: str, kind: str) -> _Guess:
    """Return the source of a web address, which stays as it is written."""
    if re.match(r"[A-Za-z]+://[^/?#]*@", location):
        raise SourceInvalid(
            f"The address {shown(location)!r} holds credentials, which are not sent. Leave them out."
        )
    address = page_address(location)
    if address is None or not location.isprintable() or " " in location:
        raise SourceInvalid(f"The location {shown(location)!r} is no web address. {_SUPPORTED}")
    parts = urlsplit(address)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    stem = re.sub(r"(?i)\.(?:html?|xml|gz|rss|atom|txt|pdf|md|php|aspx?)(?=\.|\Z)", "", last)
    host = (parts.hostname or "").removeprefix("www.")
    return _Guess(type=kind, location=location, named=f"{host}-{stem}" if stem else host)


def _forge_guess(location: str, kind: str) -> _Guess:
    """Return the source of a repository's pages; an address that names one part means that part."""
    if found := _FORGE_PAGES.fullmatch(location):
        part = _PARTS.get(found["part"], found["part"])
        path = found["path"].strip("/")
        return _Guess(
            type=kind,
            location=path,
            named=f"{kind}-{path.rpartition('/')[2]}-{part}",
            settings={"parts": (part,)},
        )
    short = _FORGE.fullmatch(location)
    path = short["path"] if short else location.strip()
    last = re.sub(r"/?(?:\.git)?/?\Z", "", path).rpartition("/")[2]
    return _Guess(type=kind, location=path, named=f"{kind}-{last}")


def _named_guess(location: str, kind: str) -> _Guess:
    """Return a source of a type that a location's form does not tell more of: its connector checks it."""
    if not location.strip() or not location.isprintable():
        raise SourceInvalid(f"The location {shown(location)!r} cannot be one. {_SUPPORTED}")
    if kind == "object_store":
        bucket, _, prefix = location.partition("://")[2].strip("/").partition("/")
        return _Guess(type=kind, location=location, named=f"{bucket}-{prefix.rpartition('/')[2]}")
    if kind == "reader":
        return _Guess(type=kind, location=location, named=location.rpartition(".")[2])
    platform = kind.removesuffix("_history")
    channel = location.partition("://")[2] if _scheme(location) == platform else location
    return _Guess(type=kind, location=channel.strip("/"), named=f"{platform}-{channel}")


def _local_guess(location: str, kind: str | None) -> _Guess:
    kind = kind or _guess_local(location)
    settled = _settled(location, kind)
    last = re.split(r"[/:]", re.sub(r"/?\.git$", "", settled.rstrip("/")))[-1]
    return _Guess(type=kind, location=settled, named=last)


def _guess_local(location: str) -> str:
    """Return `git` or `folder`: what is left when a location is none of the other types."""
    scheme = _scheme(location)
    if scheme:
        if scheme not in {"ssh", "file"}:
            # What is wrong with it as a git address comes before what it looks like.
            parse_address(location)
        return "git"
    path = _local(location)
    if path is None or (_SCP.fullmatch(location) and not kind_of(path)):
        return "git"
    bare = is_repository(path) and not kind_of(path / ".git")
    return "git" if bare or path.name.endswith(".git") else "folder"


def _local(location: str) -> Path | None:
    """Return the absolute path that a location means, None when it can be no path."""
    if (
        not location.strip()
        or location.startswith("-")
        or "\0" in location
        or re.match(r"[\w+.-]+::", location)
    ):
        return None
    try:
        return Path(location).expanduser().absolute()
    except RuntimeError:
        return None


def _settled(location: str, kind: str) -> str:
    """Check a location against what is there, and make a local one absolute."""
    if kind == "git":
        address = parse_address(location)
        if address.protocol != "file":
            return location
        if not is_repository(Path(address.path)):
            raise SourceInvalid(f"The location {shown(location)!r} is no git repository. {_SUPPORTED}")
        return os.path.normpath(address.path)
    path = _local(location)
    if path is None or "://" in location:
        raise SourceInvalid(f"The location {shown(location)!r} is no path. {_SUPPORTED}")
    there = kind_of(path)
    if there != "folder":
        what = "is a file" if there else "does not exist"
        raise SourceInvalid(f"The folder {shown(location)!r} {what}. Give the path of a folder.")
    return os.path.normpath(path)


def _name(text: str, kind: str) -> str:
    """Return a name for a source, made of a text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:64] or kind
