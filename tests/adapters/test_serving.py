"""`lorekeeper serve` as its own process: it syncs by itself and stops when it is told to."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import watchfiles

from tests.adapters.command import LOREKEEPER, Shell, start

_SECONDS = 60


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text(
        "# Leave\n\nEverybody has 28 days of paid leave a year.\n", encoding="utf-8"
    )
    settings = '[[sources]]\nname = "handbook"\ntype = "folder"\nlocation = "handbook"\nwatch = true\n'
    (tmp_path / "config.toml").write_text(settings, encoding="utf-8")
    return folder


class Served:
    """A serving process, read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self, containing: str) -> str:
        """Wait for a line of standard error that holds a text; the pipe ends when the process does."""
        assert self.process.stderr is not None
        read = []
        for line in self.process.stderr:
            read.append(line)
            if containing in line:
                return line
        raise AssertionError(f"{containing!r} is in no line of {read}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(_SECONDS)


@contextmanager
def serve(folder: Path, **environment: str) -> Iterator[Served]:
    with subprocess.Popen(
        [LOREKEEPER, "serve"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), **environment},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def wait_for_a_document(data: Path) -> None:
    """Return once a sync under way has recorded a document: with each write, the database is looked at."""
    for _ in watchfiles.watch(data, debounce=50, step=10, rust_timeout=_SECONDS * 1000):
        with closing(sqlite3.connect(data / "lorekeeper.db")) as database:
            if database.execute("SELECT count(*) FROM documents").fetchone()[0]:
                return
    raise AssertionError("the sync recorded nothing")


def state(folder: Path) -> dict[str, object]:
    (source,) = json.loads(start(folder, "status", "--json").out)["sources"]
    return source


def test_it_syncs_by_itself_and_ends_at_a_signal(handbook: Path) -> None:
    """A source is synced at the start, an edit of a watched folder within seconds; SIGTERM ends it with 0."""
    base = handbook.parent
    with serve(base) as served:
        assert served.line("Serving 1 source")
        assert "1 added" in served.line("handbook: ")
        (handbook / "sick.md").write_text("# Sick leave\n\nCall before nine.\n", encoding="utf-8")
        assert served.line("1 added")
        assert served.end() == 0
        assert served.process.stderr is not None
        assert served.process.stderr.read().endswith("Stopped. What was committed stays.\n")
    told = state(base)
    assert (told["status"], told["documents"], told["overdue"]) == ("ok", 2, False)
    assert str(told["next_run"]) > str(told["last_good_sync"])


def test_a_sync_under_way_ends_at_a_signal(handbook: Path) -> None:
    """Stopped during its sync, the process ends in time, the run is interrupted and the next goes on."""
    for number in range(40):
        text = "\n\n".join(f"## Part {part}\n\nText {number} of part {part}." for part in range(5))
        (handbook / f"{number}.md").write_text(f"# Number {number}\n\n{text}\n", encoding="utf-8")
    base = handbook.parent
    with (base / "config.toml").open("a") as file:
        file.write("[sync]\nbatch_documents = 4\n")
    with serve(base) as served:
        served.line("Serving")
        wait_for_a_document(base / ".lorekeeper")
        assert served.end(signal.SIGINT) == 0
    told = state(base)
    assert told["status"] == "interrupted"
    assert 0 < int(str(told["documents"])) < 41
    (report,) = json.loads(start(base, "sync", "--json").out)
    assert report["added"] + report["unchanged"] == 41
    assert report["unchanged"] > 0


def test_a_new_index_is_opened(handbook: Path) -> None:
    """After another process has built the index anew, serving goes on with the new one by itself."""
    base = handbook.parent
    with serve(base) as served:
        served.line("1 added")
        assert start(base, "sync", "--reembed").code == 0
        (handbook / "sick.md").write_text("# Sick leave\n\nCall before nine.\n", encoding="utf-8")
        served.line("Serving 1 source")
        served.line("1 added")
        assert served.end() == 0
    assert "Call before nine" in start(base, "ask", "When should I call for sick leave?").out
    assert state(base)["documents"] == 2


def test_nothing_to_serve_is_wrong_usage(shell: Shell) -> None:
    """With the schedule switched off there is nothing to do, which is said in a line."""
    (shell.folder / "config.toml").write_text("[schedule]\nenabled = false\n")
    done = shell("serve")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "[schedule] enabled" in done.err
