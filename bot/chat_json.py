"""What the chat tables keep as JSON: an Incoming, a Posted, a whole Answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.chat import Attachment, Incoming, Place, Posted
from bot.messages import Answer, Citation, Usage, Voice


def storable(text: str) -> str:
    """Replace what no database takes: lone surrogates, and NUL in PostgreSQL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def write_incoming(incoming: Incoming, *, keep_reply_to: bool = True) -> str:
    """Return an Incoming as JSON in ASCII; what it takes to reply to it may be left out."""
    reply_to = dict(incoming.reply_to) if keep_reply_to else {}
    fields = {
        name: getattr(incoming, name) for name in Incoming.__dataclass_fields__ if name not in _NESTED
    } | {
        "place": asdict(incoming.place),
        "attachments": [asdict(attachment) for attachment in incoming.attachments],
        "reply_to": reply_to,
    }
    return json.dumps(fields)


def read_incoming(text: str) -> Incoming:
    """Return what `write_incoming` wrote."""
    fields = json.loads(text)
    fields["place"] = Place(**fields["place"])
    fields["attachments"] = tuple(Attachment(**attachment) for attachment in fields["attachments"])
    return Incoming(**fields)


def write_posted(posted: Posted) -> str:
    """Return a Posted as JSON."""
    return json.dumps(asdict(posted))


def read_posted(text: str) -> Posted:
    """Return what `write_posted` wrote."""
    fields = json.loads(text)
    return Posted(**(fields | {"messages": tuple(fields["messages"])}))


def write_answer(answer: Answer) -> str:
    """Return a whole Answer as JSON in ASCII."""
    return json.dumps(asdict(answer))


def read_answer(text: str) -> Answer | None:
    """Return what `write_answer` wrote; None for an answer of a release that kept no detail."""
    if not text:
        return None
    fields: dict[str, Any] = json.loads(text)
    return Answer(
        **(
            fields
            | {
                "citations": _citations(fields["citations"]),
                "nearest": _citations(fields["nearest"]),
                "usage": Usage(**fields["usage"]),
                "voice": _voice(fields.get("voice")),
            }
        )
    )


_NESTED = frozenset({"place", "attachments", "reply_to"})


def _voice(fields: Mapping[str, Any] | None) -> Voice | None:
    if fields is None:
        return None
    told = {key: tuple(fields[key]) for key in ("lost", "invented")}
    return Voice(**(dict(fields) | told | {"usage": Usage(**fields["usage"])}))


def _citations(rows: list[Mapping[str, Any]]) -> tuple[Citation, ...]:
    return tuple(Citation(**row) for row in rows)
