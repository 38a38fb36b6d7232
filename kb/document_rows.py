"""The manifest's rows of documents: to and from `Known`, and which of them a sync asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_

from kb.errors import NO_FAILURE
from kb.planning import Known
from kb.tables import documents

_UNSAFE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")
_NAMES = (
    "document_id",
    "uri",
    "version",
    "content_hash",
    "status",
    "reason",
    "nodes",
    "pipeline",
    "audience",
    "attempts",
    "hidden",
    "retry_at",
    "recorded",
)
KNOWN = tuple(documents.c[name] for name in _NAMES)
VISIBLE = documents.c.hidden == 0


def of_source(source: str) -> ColumnElement[bool]:
    """Return the condition for a source's documents."""
    return documents.c.source == source


def settled(pipeline: str, audience: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for documents that an equal version token leaves as they are, unsaid."""
    return and_(
        VISIBLE,
        documents.c.status.in_(NO_FAILURE),
        documents.c.reason == "",
        documents.c.pipeline == pipeline,
        or_(documents.c.nodes == 0, documents.c.audience == json.dumps(tuple(audience))),
    )


def retagged(audience: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for documents whose stored nodes have another audience than this one."""
    return and_(VISIBLE, documents.c.nodes > 0, documents.c.audience != json.dumps(tuple(audience)))


def to_known(row: Row[Any] | Sequence[Any]) -> Known:
    """Turn the columns of `KNOWN` into a row of ours."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("uri", "version", "reason"):
        values[name] = from_text(values[name])
    values["audience"] = tuple(json.loads(values["audience"]))
    return Known(**values)


def to_values(source: str, row: Known, now: float) -> dict[str, Any]:
    """Turn a row of ours into columns."""
    return {
        "document_id": row.document_id,
        "source": source,
        "uri": to_text(row.uri),
        "version": to_text(row.version),
        "content_hash": row.content_hash,
        "status": row.status,
        "reason": to_text(row.reason),
        "nodes": row.nodes,
        "pipeline": row.pipeline,
        "audience": json.dumps(row.audience),
        "attempts": row.attempts,
        "hidden": row.hidden,
        "retry_at": row.retry_at,
        "recorded": now,
    }


def to_text(value: str) -> str:
    """Write a text so that any database takes it: file names may hold bytes that are no UTF-8."""
    return _UNSAFE.sub(lambda found: f"\x1a{ord(found[0]):04x}", value)


def from_text(value: str) -> str:
    """Return what `to_text` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "\x1a" in value else value
