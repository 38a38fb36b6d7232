"""What a reader of a format returns, and what the parser hands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from kb.nodes import Piece


Foreign: TypeAlias = Any
"""An object of a format library that comes without types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A document as Markdown.

    `title` is what the document calls itself (front matter, first top heading, metadata), never its
    file name. A line `<!-- page N -->` stands before the text of page N. `updated` is seconds since the
    epoch where the document itself says when it was changed.
    """

    markdown: str = field(repr=False)
    title: str = ""
    warnings: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    updated: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """A document split into pieces, in order; never without pieces."""

    title: str
    pieces: tuple[Piece, ...] = field(repr=False)
    warnings: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    updated: float | None = None


def page_mark(number: int) -> str:
    """Return the line that stands before the text of a page."""
    return f"<!-- page {number} -->"
