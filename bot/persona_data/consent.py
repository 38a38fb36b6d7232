"""The consent file: who agreed that their messages are used. One name or id a line, `#` begins a remark."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bot.persona_data.errors import DatasetRefused

_LARGEST = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a consent file says. `digest` is its SHA-256: a report names the file as it was."""

    file: str
    digest: str
    entries: tuple[str, ...]


def read_consent(file: Path) -> Consent:
    """Read a consent file; raise DatasetRefused when it cannot be read or names nobody."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DatasetRefused(
            f"The consent file {str(file)!r} cannot be read: {error.strerror}. Write one name or id a line."
        ) from error
    if len(data) > _LARGEST:
        raise DatasetRefused(f"The consent file {str(file)!r} is larger than 5 MB. Is it another file?")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetRefused(f"The consent file {str(file)!r} is not UTF-8 text. Save it as such.") from error
    entries = [" ".join(line.partition("#")[0].split()) for line in lines]
    named = tuple(dict.fromkeys(entry for entry in entries if entry))
    if not named:
        raise DatasetRefused(f"The consent file {str(file)!r} names nobody. Write one name or id a line.")
    return Consent(file=str(file), digest=hashlib.sha256(data).hexdigest(), entries=named)
