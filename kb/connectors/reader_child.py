"""The process that runs a LlamaHub reader: takes one request, sends its documents, and ends.

    python -m kb.connectors.reader_child MEMORY_MB SECONDS

Both ways a line of JSON each: the parent must not run what code of others sends. It ends with its group when
its input does, that is when the parent is gone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import importlib
import inspect
import json
import math
import os
import pathlib
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from kb.connectors.reader_guard import Guard
from kb.public_hosts import AllowedHosts

Send = Callable[[dict[str, Any]], None]

_MEGABYTE = 1024 * 1024
_DEPTH = 5
_REASON_CHARACTERS = 300
_SPARE_SECONDS = 10
_METHODS = ("lazy_load_data", "load_data", "aload_data")
_AS_TEXT = (pathlib.PurePath, uuid.UUID, decimal.Decimal)
_BASE = "llama_index.core.readers.base"


class Unfit(Exception):
    """The reader cannot work as it is asked for; the text says why."""


def main() -> None:
    """Serve one request."""
    memory_mb, seconds = (int(argument) for argument in sys.argv[1:3])
    requests, replies = _take_pipes()
    request = json.loads(requests.readline())
    threading.Thread(target=_end_with, args=(requests,), daemon=True).start()
    signal.alarm(seconds + _SPARE_SECONDS)
    _limit_memory(memory_mb * _MEGABYTE)
    guard = Guard(AllowedHosts.parse(request["allowed_hosts"]), private=request["private_hosts"])
    guard.install()
    made = MadeUp()
    made.install()

    def send(reply: dict[str, Any]) -> None:
        text = json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
        replies.write(text.encode("utf-8", "replace") + b"\n")
        replies.flush()

    send(answer(request, guard, made, send, memory_mb))


def answer(
    request: Mapping[str, Any], guard: Guard, made: MadeUp, send: Send, memory_mb: int
) -> dict[str, Any]:
    """Send the documents and return the last word: done, or an error with its reason."""
    try:
        reader = make_reader(request["reader"], request["arguments"])
        for document in load(reader, request["load"]):
            send({"document": told(document, made, request["max_bytes"])})
    except Unfit as exc:
        return {"error": "invalid", "reason": str(exc)}
    except MemoryError:
        return {"error": "failed", "reason": f"needs more than {memory_mb} MB ([readers] memory_mb)"}
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - code of others raises what it likes; it is reported
        return {"error": "failed", "reason": _refusal(guard) or f"failed ({_words(exc)})"}
    if guard.refused:
        # What it could not reach may be missing among its documents.
        return {"error": "failed", "reason": _refusal(guard)}
    return {"done": True}


def _refusal(guard: Guard) -> str:
    if not guard.refused:
        return ""
    return f"tried to reach {guard.refused}, which is not public; [fetch] private_hosts can allow it"


def make_reader(name: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - code of others
    """Return the reader of a full name, made with its arguments; raise Unfit when it cannot be."""
    module, _, kind = name.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), kind)
    except ImportError as exc:
        raise Unfit(_not_installed(module, exc)) from exc
    except AttributeError as exc:
        raise Unfit(f"does not exist: {module} has no {kind}") from exc
    if not isinstance(made, type) or not any(hasattr(made, method) for method in _METHODS):
        raise Unfit("is no reader: it has no load_data")
    _check_call(made, arguments, "arguments")
    try:
        return made(**arguments)
    except ImportError as exc:
        raise Unfit(_not_installed(module, exc)) from exc
    except (TypeError, ValueError) as exc:
        raise Unfit(f"cannot be made with its arguments ({_words(exc)})") from exc


def _not_installed(module: str, exc: ImportError) -> str:
    missing = exc.name or ""
    if missing and (module == missing or module.startswith(f"{missing}.")):
        package = "-".join(module.split(".")[:3]).replace("_", "-")
        hint = f": pip install {package}" if module.startswith("llama_index.readers.") else ""
        return f"is not installed{hint}"
    return f"needs a package that is not installed ({_words(exc)})"


def _check_call(call: Callable[..., object], arguments: Mapping[str, Any], key: str) -> None:
    try:
        signature = inspect.signature(call)
    except ValueError:
        return
    try:
        signature.bind(**arguments)
    except TypeError as exc:
        raise Unfit(f"does not take its {key} ({exc})") from exc


def load(reader: object, arguments: Mapping[str, Any]) -> Iterable[Any]:
    """Return the reader's documents, one after the other where it can; raise Unfit for wrong arguments."""
    own = [method for method in _METHODS if _defines(type(reader), method)]
    if not own:
        raise Unfit("is no reader: it loads nothing")
    method = next((each for each in own if _takes(getattr(reader, each), arguments)), own[0])
    call = getattr(reader, method)
    _check_call(call, arguments, "load arguments")
    found = call(**arguments)
    if inspect.iscoroutine(found):
        found = asyncio.run(found)
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise Unfit(f"gives {type(found).__name__}, not documents")
    return found


def _takes(call: Callable[..., object], arguments: Mapping[str, Any]) -> bool:
    try:
        _check_call(call, arguments, "")
    except Unfit:
        return False
    return True


def _defines(kind: type, method: str) -> bool:
    """Say whether a class has a method of its own, not only what every reader inherits."""
    owner = next((each for each in kind.__mro__ if method in vars(each)), None)
    return owner is not None and owner.__module__ != _BASE


class MadeUp:
    """The identifiers that were made up in this process: a document that has one has none of its own."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def install(self) -> None:
        """Notice every random identifier from now on."""
        for name in ("uuid1", "uuid4"):
            setattr(uuid, name, self._noticed(getattr(uuid, name)))

    def _noticed(self, make: Callable[..., uuid.UUID]) -> Callable[..., uuid.UUID]:
        def noticed(*args: object, **named: object) -> uuid.UUID:
            made = make(*args, **named)
            self._seen.add(made.hex)
            return made

        return noticed

    def has(self, identifier: str) -> bool:
        """Say whether an identifier is, or ends in, one that was made up here."""
        return identifier.replace("-", "")[-32:] in self._seen


def told(document: Any, made: MadeUp, max_bytes: int) -> dict[str, Any]:  # noqa: ANN401 - code of others
    """Return what is kept of a document: its text, its metadata, and its id if it has one of its own."""
    metadata = getattr(document, "metadata", None)
    text = document if isinstance(document, str) else getattr(document, "text", None)
    if not isinstance(text, str):
        raise TypeError(f"it gave {type(document).__name__}, not documents")
    identifier = str(getattr(document, "id_", "") or "")
    given = "id_" in getattr(document, "model_fields_set", {"id_"})
    size = len(text.encode("utf-8", "replace"))
    return {
        "id": identifier if given and not made.has(identifier) else "",
        "text": text if size <= max_bytes else None,
        "size": size,
        "metadata": _plain(metadata, 0) if isinstance(metadata, dict) else {},
    }


_DROPPED = object()


def _plain(value: object, depth: int) -> Any:  # noqa: ANN401 - what JSON holds
    """Return what is the same in every run of a value: what shows an address of memory is dropped."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if depth < _DEPTH and isinstance(value, Mapping):
        pairs = ((str(key), _plain(each, depth + 1)) for key, each in value.items())
        return {key: each for key, each in pairs if each is not _DROPPED}
    if depth < _DEPTH and isinstance(value, list | tuple | set | frozenset):
        items = [each for each in (_plain(item, depth + 1) for item in value) if each is not _DROPPED]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    return _DROPPED if depth else {}


def _words(exc: BaseException) -> str:
    line = next((line.strip() for line in str(exc).splitlines() if line.strip()), "")
    return f"{type(exc).__name__}: {line}"[:_REASON_CHARACTERS].rstrip(" :.")


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: what a reader prints goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests, replies


def _end_with(requests: BinaryIO) -> None:
    """End this process and all that it started when its input ends."""
    requests.read()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _limit_memory(limit: int) -> None:
    """Allow the process to map `limit` bytes more than it does now."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - once, before anything is imported
            mapped = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (mapped + limit, mapped + limit))


if __name__ == "__main__":
    main()
