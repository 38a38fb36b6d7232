"""The child process: takes documents from a pipe, parses and splits them, and sends the pieces back.

    python -m kb.parsing.worker MEMORY_MB

It ends when its input does. It may not reach the network, start programs or write files.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from kb.errors import DocumentUnreadable, EmbeddingError
from kb.nodes import Piece
from kb.parsing.frames import PREFIX, frame, frame_length
from kb.parsing.parsed import Parsed
from kb.parsing.reading import parse
from kb.splitting import split_markdown

log = logging.getLogger(__name__)

Count = Callable[[str], int]

_LEAST_HEADROOM = 96 * 1024 * 1024
_LIBXML_NO_MEMORY = 2
_NOTES = 20
_BACKGROUND = 10
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.remove",
    "os.rename",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def main() -> None:
    """Serve requests until the input ends."""
    os.nice(_BACKGROUND)  # a question that is asked meanwhile goes first
    requests, replies = _take_pipes()
    count = _counter()
    resident = _limit_memory(int(sys.argv[1]) * 1024 * 1024)
    sys.addaudithook(_refuse)
    _send(replies, {})
    while (request := _receive(requests)) is not None:
        document = _receive(requests)
        if document is None:
            return
        reply = _timed_answer(json.loads(request), document, count)
        _send(replies, {**reply, "growth": _memory()[1] - resident})


def answer(document: bytes, name: str, media_type: str, count: Count) -> dict[str, Any]:
    """Parse and split a document; return pieces, or a status with its reason."""
    try:
        parsed = parse(document, name, media_type)
        pieces = split_markdown(parsed.markdown, title=parsed.title, count=count)
    except DocumentUnreadable as exc:
        return {"status": exc.status, "reason": str(exc)}
    except MemoryError:
        return _out_of_memory()
    except RecursionError:
        return {"status": "unreadable", "reason": "is nested too deeply to be read"}
    except Exception as exc:
        if getattr(exc, "code", None) == _LIBXML_NO_MEMORY:
            return _out_of_memory()
        log.exception("A reader failed.")
        return {"status": "unreadable", "reason": f"makes its reader fail ({type(exc).__name__})"}
    return _document(parsed, pieces) if pieces else {"status": "empty", "reason": "holds no text"}


def _document(parsed: Parsed, pieces: list[Piece]) -> dict[str, Any]:
    return {
        "status": "ok",
        "title": parsed.title,
        "pieces": [(piece.text, piece.heading, piece.page) for piece in pieces],
        "warnings": parsed.warnings[:_NOTES],
        "metadata": parsed.metadata,
        "updated": parsed.updated,
    }


def _out_of_memory() -> dict[str, Any]:
    reason = "needs more memory to be read than a document may take"
    return {"status": "too-large", "reason": reason, "exhausted": True}


def _timed_answer(request: dict[str, Any], document: bytes, count: Count) -> dict[str, Any]:
    """Answer under an alarm that ends this process, should the parent be gone when time is up."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(request["seconds"]) + 2)
    try:
        return answer(document, request["name"], request["media_type"], count)
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: what a library prints goes to the error stream."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _receive(stream: BinaryIO) -> bytes | None:
    length = frame_length(stream.read(PREFIX))
    if length is None:
        return None
    payload = stream.read(length)
    return payload if len(payload) == length else None


def _send(stream: BinaryIO, reply: dict[str, Any]) -> None:
    text = json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
    stream.write(frame(text.encode("utf-8", "replace")))
    stream.flush()


def _counter() -> Count:
    """Return the model's token count, or an estimate where the embedded model is not installed."""
    from kb.minilm.tokens import WordPieces

    try:
        return WordPieces.load().count
    except EmbeddingError:
        return lambda text: len(text) // 3


def _limit_memory(limit: int) -> int:
    """Allow the process `limit` bytes of memory in all and return what it holds already.

    What is mapped and never touched (libraries, thread stacks) costs nothing, so the address space may
    grow by the limit less the resident part.
    """
    mapped, resident = _memory()
    try:
        import resource
    except ImportError:
        return resident
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if mapped:
        allowed = mapped + max(limit - resident, _LEAST_HEADROOM)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    return resident


def _memory() -> tuple[int, int]:
    """Return mapped and resident bytes; zeros where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - a path object costs as much again
            mapped, resident = statm.read().split()[:2]
    except OSError:
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    return int(mapped) * page, int(resident) * page


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    """Refuse what no reader needs: hostile input may talk a library into it."""
    if event == "open":
        path, _, flags = args
        if isinstance(flags, int) and flags & _WRITING and "__pycache__" not in str(path):
            raise PermissionError(f"A reader may not write {path!r}.")
    elif event.startswith(_FORBIDDEN):
        raise PermissionError(f"A reader may not use {event!r}.")


if __name__ == "__main__":
    main()
