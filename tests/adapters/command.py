"""The command line in tests: as its own process, or inside this one where only what it prints matters."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.cli import main

LOREKEEPER = Path(sys.executable).parent / "lorekeeper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def start(folder: Path, *arguments: str, stdin: str = "") -> Done:
    """Run the installed command in `folder` as a user does: some seconds, for its imports."""
    done = subprocess.run(
        [LOREKEEPER, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
        | {"HOME": str(folder)},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Runs commands inside this process, in one folder."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        with pytest.MonkeyPatch.context() as patch, _own_logging():
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["lorekeeper", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        printed = self.capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(code=ended.value.code, out=printed.out, err=printed.err)


@contextmanager
def _own_logging() -> Iterator[None]:
    """Give the test's logging back afterwards: a command sends its log to a file."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = before
