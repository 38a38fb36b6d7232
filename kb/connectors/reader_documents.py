"""What a reader gives as documents of ours: a stable uri, a version, and Markdown that keeps the metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from kb.connectors.uris import uri_of

_LONGEST_NAME = 512
_KEYS = 50
_CHARACTERS = 500
# What tells documents apart where a reader gives no ids, the best first, and what tells parts of one apart.
_IDENTITIES = (
    "url",
    "source_url",
    "link",
    "file_path",
    "path",
    "page_id",
    "document_id",
    "doc_id",
    "key",
    "id",
    "source",
)
_PARTS = ("page_label", "page_number", "page", "slide", "sheet", "sheet_name", "row", "index")
_LINKS = ("url", "source_url", "link", "html_url", "web_url", "permalink", "source")
_TITLES = ("title", "page_title", "file_name", "subject", "name")
_CHANGED = (
    "last_modified_date",
    "last_modified",
    "last_edited_time",
    "updated_at",
    "updated",
    "modified",
    "date",
)


class RawDocument(BaseModel):
    """A document as the child sends it. `id` is empty when the reader gave none of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str | None
    size: int
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A document as it is listed and fetched; without data when it is too large.

    Its `name` is what globs choose by.
    """

    name: str
    uri: str
    version: str
    size: int
    data: bytes | None
    url: str | None
    updated: datetime | None


class Naming:
    """Gives each document of one load a name: the same one in every load of the same documents.

    It is the reader's own id, else what the metadata says it is, else a hash of the metadata; documents that
    share it are numbered in their order.
    """

    def __init__(self) -> None:
        self._taken: dict[bytes, int] = {}

    def name(self, document: RawDocument) -> str:
        """Return the name of the next document: unlike every other's, and so is the uri that it makes."""
        base = document.id.strip() or _identity(document.metadata)
        if len(base) > _LONGEST_NAME:
            base = f"{base[:_LONGEST_NAME]}-{_digest(base)}"
        number = self._taken.get(_key(base), 0) + 1
        name = base
        while number > 1 and _key(name := f"{base}-{number}") in self._taken:
            number += 1
        self._taken[_key(name)] = 1
        self._taken[_key(base)] = number
        return name


def _key(name: str) -> bytes:
    return hashlib.sha256(uri_for(name).encode()).digest()[:16]


def _identity(metadata: Mapping[str, Any]) -> str:
    whole = next((str(metadata[key]) for key in _IDENTITIES if _is_plain(metadata.get(key))), "")
    if not whole:
        return f"document-{_digest(_canonical(metadata))}"
    part = next((f"{key}-{metadata[key]}" for key in _PARTS if _is_plain(metadata.get(key))), "")
    return f"{whole}/{part}" if part else whole


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(str(value).strip())


def uri_for(name: str) -> str:
    """Return a uri whose end no parser takes for that of another format than Markdown."""
    uri = uri_of(name.encode("utf-8", "surrogatepass")).replace("?", "%3F").replace("#", "%23")
    last = uri.rpartition("/")[2]
    return f"{uri}.md" if "." in last and not last.lower().endswith(".md") else uri


def read_document(name: str, raw: RawDocument) -> ReadDocument:
    """Return the document that a reader's text and metadata make; its version is a hash of both."""
    version = _digest(f"{_canonical(raw.metadata)}\0{raw.size}\0{raw.text}")
    return ReadDocument(
        name=name,
        uri=uri_for(name),
        version=version,
        size=raw.size,
        data=None if raw.text is None else markdown(raw.text, raw.metadata),
        url=_link(raw.metadata),
        updated=_updated(raw.metadata),
    )


def markdown(text: str, metadata: Mapping[str, Any]) -> bytes:
    """Return a text with its metadata as front matter: scalars and short lists of them."""
    kept = {key: value for key, value in metadata.items() if _is_kept(value)}
    title = next((str(kept[key]) for key in _TITLES if isinstance(kept.get(key), str)), "")
    if title:
        kept["title"] = title
    lines = [f"{_quoted(key)}: {_quoted(kept[key])}" for key in sorted(kept)[:_KEYS]]
    front = "\n".join(["---", *lines, "---", "", ""]) if lines else ""
    return (front + text).encode("utf-8", "replace")


def _is_kept(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _KEYS and all(not isinstance(each, list) and _is_kept(each) for each in value)
    return isinstance(value, str | int | float | bool) and len(str(value)) <= _CHARACTERS


def _quoted(value: object) -> str:
    """Return a value as JSON, which YAML reads as well once what cannot be printed is left out."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(character for character in text if character.isprintable())


def _link(metadata: Mapping[str, Any]) -> str | None:
    values = (metadata.get(key) for key in _LINKS)
    return next(
        (each for each in values if isinstance(each, str) and each.startswith(("https://", "http://"))), None
    )


def _updated(metadata: Mapping[str, Any]) -> datetime | None:
    for key in _CHANGED:
        value = metadata.get(key)
        if not isinstance(value, str):
            continue
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _canonical(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
