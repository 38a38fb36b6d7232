"""Opening the file system of an object store: which are read, with what options, and at which hosts."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from kb.connectors.base import Resources
from kb.errors import FetchFailed, FetchRefused, SourceInvalid, SourceUnavailable
from kb.fetch import Fetcher
from kb.sources import ObjectStoreSource

# The package that reads a protocol, and what to install for it. `memory` is there for tests. What reads
# files of this machine or addresses of the web is left out: folders and pages have connectors that check
# where a path or a redirect leads.
_PACKAGES = {
    "s3": ("s3fs", "lorekeeper[s3]"),
    "s3a": ("s3fs", "lorekeeper[s3]"),
    "gs": ("gcsfs", "lorekeeper[gcs]"),
    "gcs": ("gcsfs", "lorekeeper[gcs]"),
    "az": ("adlfs", "lorekeeper[azure]"),
    "abfs": ("adlfs", "lorekeeper[azure]"),
    "abfss": ("adlfs", "lorekeeper[azure]"),
    "oss": ("ossfs", "ossfs"),
    "oci": ("ocifs", "ocifs"),
    "memory": ("fsspec", "fsspec"),
}
_OTHER_TYPES = {"http": "web", "https": "web", "file": "folder", "local": "folder", "github": "git"}
# Options that are fsspec's own business: a cached listing or a shared instance would show what was.
_OURS = {"skip_instance_cache": True, "use_listings_cache": False, "asynchronous": False}
_HOST_OPTIONS = frozenset({"endpoint", "endpoint_url", "account_host", "host"})
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s;,'\"]+", re.IGNORECASE)
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,63}")
_SHORTEST_SECRET = 4
_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an object store is, and the words for it.

    `root` is the bucket and the prefix in it, as the file system names them, without slashes at the end.
    """

    source: str
    location: str
    protocol: str
    root: str = ""
    bucket: str = ""
    secrets: tuple[SecretStr, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """The beginning of every message."""
        return f"Source {self.source!r}: the object store {self.location!r}"

    def reason(self, exc: BaseException) -> str:
        """Return what an error of a library says, in one line and without secrets."""
        text = next((line.strip() for line in str(exc).splitlines() if line.strip()), "")
        for secret in self.secrets:
            value = secret.get_secret_value()
            if len(value) >= _SHORTEST_SECRET:
                text = text.replace(value, "***")
        plain = "".join(character for character in text if character.isprintable())
        named = plain if isinstance(exc, OSError) and plain else f"{type(exc).__name__}: {plain}"
        return named[:_REASON_CHARACTERS].rstrip(" :.")

    def missing(self) -> SourceUnavailable:
        """Return the error of a store that is not there."""
        return SourceUnavailable(f"{self.label} does not exist. Create it, or correct its location.")

    def denied(self, exc: BaseException) -> SourceUnavailable:
        """Return the error of a store that refuses us."""
        return SourceUnavailable(
            f"{self.label} refuses access ({self.reason(exc)}). "
            f"Check its credentials, and that they may list and read it."
        )

    def broken(self, exc: BaseException) -> SourceUnavailable:
        """Return the error of a store that does not answer as it should."""
        return SourceUnavailable(
            f"{self.label} cannot be read ({self.reason(exc)}). "
            f"Check its location and options, and that it answers."
        )


def locate(settings: ObjectStoreSource) -> Place:
    """Return the place that the settings mean; raise SourceInvalid when it can be none."""
    protocol, mark, rest = settings.location.partition("://")
    protocol = protocol.lower()
    if not mark or not rest.strip("/") or "::" in settings.location or "\0" in rest:
        raise SourceInvalid(
            f"Source {settings.name!r}: its location is no object store. Write s3://bucket/prefix, gs:// or az://."
        )
    if ":" in rest.partition("@")[0] and "@" in rest:
        raise SourceInvalid(
            f"Source {settings.name!r}: its location holds credentials. Name them in `secrets` instead."
        )
    if protocol not in _PACKAGES:
        known = ", ".join(sorted(_PACKAGES.keys() - {"memory"}))
        other = _OTHER_TYPES.get(protocol)
        advice = f'Use the type "{other}".' if other else f"Use one of {known}."
        raise SourceInvalid(
            f"Source {settings.name!r}: {protocol}:// is not read as an object store. {advice}"
        )
    return Place(source=settings.name, location=settings.location, protocol=protocol)


def _secret_options(
    settings: ObjectStoreSource, secret: Callable[[str], SecretStr | None]
) -> dict[str, SecretStr]:
    values = {}
    for option, variable in settings.secrets.items():
        value = secret(variable)
        if value is None:
            raise SourceInvalid(
                f"Source {settings.name!r}: the environment variable {variable!r} "
                f"of its option {option!r} is not set. Set it."
            )
        values[option] = value
    return values


def _nested(options: Mapping[str, object]) -> dict[str, Any]:
    """Return options with `client_kwargs.region_name` as `{"client_kwargs": {"region_name": …}}`."""
    made: dict[str, Any] = {}
    for key, value in sorted(options.items()):
        *parents, last = key.split(".")
        into = made
        for parent in parents:
            into = into.setdefault(parent, {})
            if not isinstance(into, dict):
                raise TypeError(f"the option {parent!r} is a value and a table")
        into[last] = value
    return made


def _origins(key: str, value: str) -> list[str]:
    """Return the origins that an option's value names, without what may be secret of it."""
    found = _ADDRESS.findall(value)
    if not found and key.rpartition(".")[2] in _HOST_OPTIONS and value:
        found = [f"https://{value}"]
    parts = [urlsplit(address) for address in found]
    return [f"{'http' if each.scheme == 'http' else 'https'}://{each.netloc}/" for each in parts]


async def _check_hosts(place: Place, options: Mapping[str, object], fetcher: Fetcher, private: bool) -> None:
    """Raise unless every host that an option names may be reached."""
    account = options.get("account_name")
    if account is not None and not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise SourceInvalid(f"{place.label}: its account is no account's name. Correct it.")
    for key, value in options.items():
        for origin in _origins(key, value) if isinstance(value, str) else ():
            try:
                await fetcher.check_host(origin, private_hosts=private)
            except FetchRefused as exc:
                raise SourceInvalid(
                    f"{place.label}: its option {key!r} is refused. {exc} "
                    f"If it is yours, set private_hosts of the source."
                ) from exc
            except FetchFailed as exc:
                raise SourceUnavailable(f"{place.label}: {exc}") from exc


def _file_system(place: Place) -> Any:  # noqa: ANN401 - fsspec has no types
    package, install = _PACKAGES[place.protocol]
    # Another package's absence inside this one would read the same.
    if importlib.util.find_spec(package) is None:
        raise SourceInvalid(
            f"{place.label} needs the package {package!r}, which is not installed. "
            f"Install it: pip install '{install}'."
        )
    import fsspec

    return fsspec.get_filesystem_class(place.protocol)


async def open_store(settings: ObjectStoreSource, resources: Resources) -> tuple[Place, Any]:
    """Return the place of a source and its file system, made and not yet asked.

    Raise SourceInvalid when the settings cannot work, SourceUnavailable when a host cannot be looked up.
    """
    secrets = _secret_options(settings, resources.secret)
    place = replace(locate(settings), secrets=tuple(secrets.values()))
    kind = await asyncio.to_thread(_file_system, place)
    told = {
        **kind._get_kwargs_from_urls(settings.location),
        **settings.options,
        **{option: value.get_secret_value() for option, value in secrets.items()},
    }
    await _check_hosts(place, told, resources.fetcher, settings.private_hosts)
    try:
        made = await asyncio.to_thread(lambda: kind(**{**_nested(told), **_OURS}))
    except (TypeError, ValueError, ImportError, OSError) as exc:
        raise SourceInvalid(
            f"{place.label} cannot be opened with its options ({place.reason(exc)}). Correct them."
        ) from exc
    root = str(kind._strip_protocol(settings.location)).rstrip("/")
    slash = "/" if root.startswith("/") else ""
    return replace(place, root=root, bucket=slash + root.lstrip("/").partition("/")[0]), made
