"""The address of a git repository: what is accepted, how it is shown, where its pages are.

Accepted: a local path, `file:///path`, `https://host/path`, `ssh://[user@]host[:port]/path` and
`[user@]host:path`. An address never holds a password: https credentials come from `~/.netrc`, ssh keys from
the agent or `~/.ssh`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from kb.connectors.rooted import kind_of
from kb.connectors.uris import link_path
from kb.errors import SourceInvalid
from kb.public_hosts import is_local_name, is_public, literal_address

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^]]*\]|[^/:\[\]]{2,}):(?P<path>(?!//).+)", re.DOTALL)
_SECRET = re.compile(r"(?<=://).*@|[?#].*")

_FORMS = "Use a local path, https://host/path, ssh://host/path or user@host:path."

_BLOB_PAGES = {
    "github.com": "{repository}/blob/{branch}/{path}",
    "gitlab.com": "{repository}/-/blob/{branch}/{path}",
    "bitbucket.org": "{repository}/src/{branch}/{path}",
    "codeberg.org": "{repository}/src/branch/{branch}/{path}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. `url` is what git gets; `protocol` the only one it may speak."""

    url: str
    protocol: Literal["file", "https", "ssh"]
    host: str = ""
    port: int = 0
    path: str = ""

    def page(self, branch: str, path: bytes) -> str | None:
        """Return the web page of a file where the host is known to have one."""
        form = _BLOB_PAGES.get(self.host)
        repository = link_path(self.path.strip("/").removesuffix(".git").encode())
        if not form or "/" not in repository:
            return None
        page = form.format(
            repository=repository, branch=link_path((branch or "HEAD").encode()), path=link_path(path)
        )
        return f"https://{self.host}/{page}"

    @property
    def is_private(self) -> bool:
        """Say whether the host, as written, is of this machine or of a private network."""
        if self.protocol == "file":
            return False
        address = literal_address(self.host)
        return is_local_name(self.host) or (address is not None and not is_public(address))


def shown(location: str) -> str:
    """Return a location fit for messages: on one line, without user, password and query."""
    printable = "".join(character if character.isprintable() else "\ufffd" for character in location)
    if not _SCHEME.match(printable):
        return printable[:200]
    return _SECRET.sub(lambda found: "***@" if found[0].endswith("@") else "?***", printable)[:200]


def is_repository(path: Path) -> bool:
    """Say whether a local folder is a git repository, bare or with a working tree."""
    return bool(kind_of(path / ".git")) or (
        kind_of(path / "HEAD") == "file" and kind_of(path / "objects") == "folder"
    )


def parse_address(location: str) -> Address:
    """Check an address; raise SourceInvalid when git must not or could not use it."""
    if location.startswith("-") or _HELPER.match(location) or not location.strip() or "\0" in location:
        raise _refused(location, f"is not a git address. {_FORMS}")
    scheme = _SCHEME.match(location)
    if scheme:
        return _parse_url(location, scheme[1].lower())
    found = _SCP.fullmatch(location)
    if found and not kind_of(Path(location)):
        return _parse_scp(location, found)
    return _local(location, location)


def _refused(location: str, why: str) -> SourceInvalid:
    return SourceInvalid(f"The git address {shown(location)!r} {why}")


def _parse_url(location: str, scheme: str) -> Address:
    if scheme not in {"file", "https", "ssh"}:
        raise _refused(location, f"begins with {scheme}://, which is not supported. {_FORMS}")
    if not location.isascii() or any(character.isspace() or ord(character) < 32 for character in location):
        raise _refused(location, "has spaces, control or non-ASCII characters. Write them percent-encoded.")
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError as exc:
        raise _refused(location, f"is malformed. {_FORMS}") from exc
    if parts.query or parts.fragment:
        raise _refused(location, "has a query or a fragment. Leave out what follows '?' or '#'.")
    if scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise _refused(location, "names a host. Write file:///path.")
        return _local(location, unquote(parts.path, errors="surrogateescape"))
    if parts.password is not None or (scheme == "https" and parts.username is not None):
        raise _refused(location, "holds credentials. Put them into ~/.netrc, or use an ssh address.")
    host = _checked_host(location, parts.hostname or "", parts.username)
    if not parts.path.strip("/") or parts.path.startswith(("/-", "//")):
        raise _refused(location, f"names no repository. {_FORMS}")
    default = 443 if scheme == "https" else 22
    return Address(
        url=location,
        protocol="https" if scheme == "https" else "ssh",
        host=host,
        port=port or default,
        path=parts.path,
    )


def _parse_scp(location: str, found: re.Match[str]) -> Address:
    if any(character.isspace() or not character.isprintable() for character in location):
        raise _refused(location, "has spaces or control characters. Leave them out.")
    host = _checked_host(location, found["host"].strip("[]"), found["user"])
    if found["path"].startswith("-"):
        raise _refused(location, f"names no repository. {_FORMS}")
    return Address(url=location, protocol="ssh", host=host, port=22, path=found["path"])


def _checked_host(location: str, host: str, user: str | None) -> str:
    if not _HOST.fullmatch(host) and literal_address(host) is None:
        raise _refused(location, "has no valid host name. Correct it.")
    if user is not None and not _USER.fullmatch(user):
        raise _refused(location, "has no valid user name. Correct it.")
    return host.lower()


def _local(location: str, path: str) -> Address:
    if not path or "\0" in path:
        raise _refused(location, f"names no folder. {_FORMS}")
    try:
        absolute = str(Path(path).expanduser().absolute())
    except RuntimeError as exc:
        raise _refused(location, "is in the home of a user that does not exist. Correct it.") from exc
    return Address(url=absolute, protocol="file", path=absolute)
