"""Readers such as LlamaHub has, good and bad; they run in a child process and import nothing of ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Note:
    """What a reader gives, as far as it is looked at: LlamaIndex itself takes a second to import."""

    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    id_: str = ""


class NotesReader:
    """Reads the files of a folder, named by their paths."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def load_data(self) -> Iterable[Note]:
        if not self._folder.is_dir():
            raise FileNotFoundError(f"no folder {self._folder}")
        for path in sorted(self._folder.rglob("*.*")):
            if path.is_file():
                yield Note(
                    path.read_text("utf-8"),
                    {"size": path.stat().st_size},
                    str(path.relative_to(self._folder)),
                )


class GivenReader:
    """Gives the documents of its arguments, with ids made up in each run."""

    def __init__(self, documents: list[dict[str, Any]], password: str = "") -> None:
        self._documents = documents
        self._password = password

    def load_data(self, end: str = "") -> list[Note]:
        match end:
            case "raise":
                raise RuntimeError(f"the server said no to {self._password}\nand more")
            case "exit":
                sys.exit(3)
            case "crash":
                os.abort()
            case "memory":
                bytearray(1 << 40)
            case "hang":
                socket.create_server(("127.0.0.1", 0)).accept()
        return [Note(each["text"], each.get("metadata", {}), str(uuid.uuid4())) for each in self._documents]


class SpyReader:
    """Tells what it can see of this process: its arguments, its environment and its folder."""

    def __init__(self, password: str) -> None:
        self._password = password

    def load_data(self) -> list[Note]:
        seen = " ".join([*sys.argv, *(f"{key}={value}" for key, value in os.environ.items())])
        sys.stdout.write("printed to where the replies go\n")
        found = self._password in seen
        return [Note(f"password in sight: {found}; its length: {len(self._password)}", {}, "spy")]


class CallingReader:
    """Calls a port of this machine."""

    def __init__(self, port: int, how: str = "connect", forgive: bool = False) -> None:
        self._port, self._how, self._forgive = port, how, forgive

    def load_data(self) -> list[Note]:
        try:
            self._call()
        except OSError as exc:
            if not self._forgive:
                raise
            return [Note(f"refused: {exc}", {}, "call")]
        return [Note("called", {}, "call")]

    def _call(self) -> None:
        match self._how:
            case "connect":
                socket.create_connection(("127.0.0.1", self._port)).close()
            case "mapped":
                with socket.socket(socket.AF_INET6) as connection:
                    connection.connect(("::ffff:127.0.0.1", self._port))
            case "number":
                with socket.socket() as connection:
                    connection.connect(("2130706433", self._port))
            case "name":
                with socket.socket() as connection:
                    connection.connect(("localhost", self._port))
            case "datagram":
                with socket.socket(type=socket.SOCK_DGRAM) as connection:
                    connection.sendto(b"hello", ("127.0.0.1", self._port))
            case "metadata":
                with socket.socket() as connection:
                    connection.connect(("169.254.169.254", 80))
            case "program":
                subprocess.run([sys.executable, "--version"], check=True)


class AsyncReader:
    """Loads in its own loop only."""

    async def aload_data(self) -> list[Note]:
        return [Note("from a coroutine", {}, "one")]


class Plain:
    """Is no reader."""
