"""Reads from a Lance manifest which files a version of a table stands on.

A manifest ends with its message's place, two version numbers and `LANC`; the message is protocol buffers
(`table.proto` of the Lance format). Only the fields that name files are read.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"LANC"

_FOOTER = struct.Struct("<QHH4s")
_LENGTH = struct.Struct("<I")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DELETION_SUFFIX = {0: "arrow", 1: "bin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file that a manifest names: its path inside the table's folder, and its size where that is noted."""

    path: Path
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The data and deletion files of one version, and the files of each of its indexes.

    `transaction` is the file that tells how the version came about, where there is one. `rows` are all
    that the data files hold; those that are `deleted` only go with the next compaction.
    """

    files: tuple[ListedFile, ...]
    indexes: tuple[tuple[str, tuple[ListedFile, ...]], ...]
    transaction: Path | None = None
    rows: int = 0
    deleted: int = 0


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest's bytes; raise ValueError when they are cut short or not a manifest."""
    if len(content) < _FOOTER.size:
        raise ValueError(f"{len(content)} bytes")
    place, _, _, magic = _FOOTER.unpack_from(content, len(content) - _FOOTER.size)
    if magic != MAGIC:
        raise ValueError("its end is missing")
    try:
        return _manifest(content, place)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as exc:
        raise ValueError("its message is broken") from exc


def _manifest(content: bytes, place: int) -> Manifest:
    files: list[ListedFile] = []
    indexes: list[tuple[str, tuple[ListedFile, ...]]] = []
    transaction: Path | None = None
    rows = deleted = 0
    for field, value in _fields(_message(content, place)):
        if field == 2 and isinstance(value, bytes):
            files += _fragment_files(value)
            rows += _numbers(value).get(4, 0)
            deleted += sum(_numbers(one).get(4, 0) for number, one in _byte_fields(value) if number == 3)
        elif field == 6 and isinstance(value, int):
            indexes = [_index(index) for _, index in _byte_fields(_message(content, value))]
        elif field == 12 and isinstance(value, bytes):
            transaction = Path("_transactions") / value.decode()
    return Manifest(
        files=tuple(files), indexes=tuple(indexes), transaction=transaction, rows=rows, deleted=deleted
    )


def _fragment_files(fragment: bytes) -> Iterator[ListedFile]:
    number = 0
    for field, value in _fields(fragment):
        if field == 1 and isinstance(value, int):
            number = value
        elif field == 2 and isinstance(value, bytes):
            yield _listed(Path("data"), value, size_field=6)
        elif field == 3 and isinstance(value, bytes):
            yield ListedFile(path=_deletion_file(number, value))


def _deletion_file(fragment: int, message: bytes) -> Path:
    numbers = _numbers(message)
    suffix = _DELETION_SUFFIX[numbers.get(1, 0)]
    return Path("_deletions") / f"{fragment}-{numbers.get(2, 0)}-{numbers.get(3, 0)}.{suffix}"


def _index(index: bytes) -> tuple[str, tuple[ListedFile, ...]]:
    facts = dict(_byte_fields(index))
    folder = Path("_indices") / str(uuid.UUID(bytes=dict(_byte_fields(facts[1]))[1]))
    files = [_listed(folder, value, size_field=2) for field, value in _byte_fields(index) if field == 10]
    return facts[3].decode(), tuple(files)


def _listed(folder: Path, message: bytes, *, size_field: int) -> ListedFile:
    name = dict(_byte_fields(message))[1].decode()
    return ListedFile(path=folder / name, size=_numbers(message).get(size_field))


def _message(content: bytes, place: int) -> bytes:
    (length,) = _LENGTH.unpack_from(content, place)
    start = place + _LENGTH.size
    if start + length > len(content):
        raise IndexError(place)
    return content[start : start + length]


def _numbers(message: bytes) -> dict[int, int]:
    return {field: value for field, value in _fields(message) if isinstance(value, int)}


def _byte_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    return ((field, value) for field, value in _fields(message) if isinstance(value, bytes))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each field of a protocol buffers message."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield tag >> 3, value
            continue
        length, place = _length(message, place, kind)
        if place + length > len(message):
            raise IndexError(place)
        yield tag >> 3, message[place : place + length]
        place += length


def _length(message: bytes, place: int, kind: int) -> tuple[int, int]:
    fixed = {_FIXED64: 8, _FIXED32: 4}
    return _varint(message, place) if kind == _BYTES else (fixed[kind], place)


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
