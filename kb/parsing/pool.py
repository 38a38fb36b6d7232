"""Parses documents in child processes that hostile input may crash, hang or fill without harm to us."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from kb.errors import DocumentStatus, DocumentUnreadable
from kb.nodes import Piece
from kb.parsing.child import Child, ChildGone
from kb.parsing.parsed import ParsedDocument
from kb.parsing.text import one_line

_DOCUMENTS_A_CHILD = 2_000
_GROWTH_SHARE = 3  # a child that keeps more than this part of its memory is replaced
_LARGE_REPLY = 500_000
_REASON_CHARACTERS = 300


class _Reply(BaseModel):
    """What a child answers; it has read hostile input, so nothing about it is taken for granted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: DocumentStatus
    reason: str = ""
    title: str = ""
    pieces: tuple[tuple[str, tuple[str, ...], int | None], ...] = ()
    warnings: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    updated: float | None = None
    exhausted: bool = False
    growth: int = 0


class Parser:
    """Parses documents in up to `workers` processes, started on demand.

    A document may take `seconds` and `memory_mb`. Calls may be concurrent; those beyond `workers` wait.
    """

    def __init__(self, *, seconds: float, memory_mb: int, workers: int = 1) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._closed = False

    async def parse(self, data: bytes, name: str, media_type: str) -> ParsedDocument:
        """Parse and split one document.

        Raises DocumentUnreadable with a status and a plain reason, KnowledgeBaseError when no process can
        be started, RuntimeError after `close`.
        """
        async with self._slots:
            reply = await self._read(data, name, media_type)
        if reply.status != "ok":
            raise DocumentUnreadable(one_line(reply.reason, _REASON_CHARACTERS), status=reply.status)
        return _document(reply)

    async def close(self) -> None:
        """End all processes; a document that is being parsed is given up."""
        self._closed = True
        self._idle.clear()
        await asyncio.gather(*(child.stop() for child in self._children))
        self._children.clear()

    async def _read(self, data: bytes, name: str, media_type: str) -> _Reply:
        """Ask a child; where one that has read other documents fails, ask a fresh one before judging."""
        while True:
            child = await self._child()
            fresh = child.served == 0
            try:
                reply = await self._ask(child, data, name, media_type)
            except ChildGone as exc:
                if fresh:
                    return _crashed(exc)
                continue
            if fresh or not reply.exhausted:
                return reply

    async def _child(self) -> Child:
        self._check_open()
        if self._idle:
            return self._idle.pop()
        child = await Child.start(self._memory_mb)
        self._children.add(child)
        try:
            self._check_open()
        except RuntimeError:
            await self._drop(child)
            raise
        return child

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("The parser is closed. Open a new one.")

    async def _ask(self, child: Child, data: bytes, name: str, media_type: str) -> _Reply:
        """Ask one child and keep it only if it answered well: an answer that comes late is never read."""
        keep = False
        try:
            payload = await child.ask(data, name, media_type, self._seconds)
            reply = await _decoded(payload)
            keep = not reply.exhausted and not self._is_worn(child, reply)
        except TimeoutError:
            return _Reply(status="unreadable", reason=f"takes longer than {self._seconds:g} s to be read")
        finally:
            if keep and not self._closed:
                self._idle.append(child)
            else:
                await self._drop(child)
        return reply

    def _is_worn(self, child: Child, reply: _Reply) -> bool:
        limit = self._memory_mb * 1024 * 1024 // _GROWTH_SHARE
        return child.served >= _DOCUMENTS_A_CHILD or reply.growth > limit

    async def _drop(self, child: Child) -> None:
        await child.stop()
        self._children.discard(child)


async def _decoded(payload: bytes) -> _Reply:
    """Check a reply; raise ChildGone for one that is not as it must be."""
    try:
        if len(payload) > _LARGE_REPLY:
            return await asyncio.to_thread(_Reply.model_validate_json, payload)
        return _Reply.model_validate_json(payload)
    except ValidationError as exc:
        raise ChildGone("a malformed answer") from exc


def _crashed(gone: ChildGone) -> _Reply:
    if gone.how == "SIGKILL":
        return _Reply(status="too-large", reason="needs more memory to be read than the system has")
    return _Reply(status="unreadable", reason=f"makes its reader crash ({gone.how})")


def _document(reply: _Reply) -> ParsedDocument:
    return ParsedDocument(
        title=reply.title,
        pieces=tuple(Piece(text=text, heading=heading, page=page) for text, heading, page in reply.pieces),
        warnings=reply.warnings,
        metadata=reply.metadata,
        updated=reply.updated,
    )
