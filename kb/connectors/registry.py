"""Which connector reads a source, and which source a location means."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kb.connectors.base import Connector
from kb.connectors.folder import FolderConnector
from kb.connectors.git import GitConnector
from kb.connectors.git_address import is_repository, parse_address, shown
from kb.connectors.rooted import kind_of
from kb.errors import SourceInvalid
from kb.settings import AnySource, FolderSource

MAX_BYTES = 1 << 30

_SUPPORTED = (
    "Supported are a folder (./handbook) and a git repository (https://host/path.git, user@host:path)."
)
_GIT_HOSTS = re.compile(
    r"https://(?:(?:github\.com|bitbucket\.org|codeberg\.org)/[^/]+/[^/]+|gitlab\.com(?:/(?!-/)[^/]+){2,})/?"
)
_SCP = re.compile(r"[^@/:\s]+@[^/:\s]+:.+|[^/:\s]{2,}:.+\.git/?")
_SOURCES: TypeAdapter[AnySource] = TypeAdapter(AnySource)


def open_connector(settings: AnySource, *, data: Path, max_bytes: int = MAX_BYTES) -> Connector:
    """Return the connector of a source. No work is done yet.

    `data` is the data folder, for mirrors; a document larger than `max_bytes` is not read.
    """
    if isinstance(settings, FolderSource):
        return FolderConnector(settings, max_bytes=max_bytes)
    return GitConnector(settings, data=data, max_bytes=max_bytes)


def guess_source(
    location: str,
    *,
    name: str | None = None,
    type: str | None = None,  # noqa: A002 - the key's name in the settings
    every: str | None = None,
    audience: Sequence[str] = (),
) -> AnySource:
    """Return the settings of the source that a location means.

    The type is guessed unless given, the name is made from the location's last part, and a local path becomes
    absolute. Raises SourceInvalid with one line when the location can be no source.
    """
    kind = type or _guess_type(location)
    settled = _settled(location, kind)
    fields: dict[str, object] = {
        "type": kind,
        "location": settled,
        "name": name or _name(settled, kind),
        "audience": tuple(audience),
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
    return f"The source {shown(location)!r}: {key} {problem.get('input')!r} is wrong: {problem['msg']}."


def _guess_type(location: str) -> str:
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    if scheme in {"ssh", "file"}:
        return "git"
    if scheme == "https" and (_GIT_HOSTS.fullmatch(location) or location.rstrip("/").endswith(".git")):
        return "git"
    if scheme:
        if scheme != "http" or location.rstrip("/").endswith(".git"):
            # What is wrong with it as a git address comes before what it looks like.
            parse_address(location)
        raise SourceInvalid(
            f"The location {shown(location)!r} looks like a web page, which is not supported. {_SUPPORTED} "
            f"If it is a git repository, say so with its type."
        )
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


def _name(location: str, kind: str) -> str:
    """Return a name for a source, made of the last part of its location."""
    last = re.split(r"[/:]", re.sub(r"/?\.git$", "", location.rstrip("/")))[-1]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:64] or kind
