"""What a command imports and does before it works, and after."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from adapters.collector import held_back, let_in
from adapters.runtime import Runtime
from adapters.settings import Settings
from kb import embedding
from kb.settings import DataSettings

# In a process of its own: what was imported is printed last, when the command has ended.
_MAIN = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from adapters.cli import main
main()
"""
_ENDED = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count() > 1_000))
from adapters.collector import held_back
with held_back():
    pass
"""


def imported(folder: Path, *arguments: str, **environment: str) -> set[str]:
    """Return what a command imports that ends well."""
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a document and settings that name it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "trains.md").write_text("# Trains\n\nThe night train leaves at nine.\n")
    (tmp_path / "config.toml").write_text('[[sources]]\nname = "docs"\ntype = "folder"\nlocation = "docs"\n')
    return tmp_path


def test_no_other_database_is_imported(folder: Path) -> None:
    """A sync that writes and a question, on SQLite, import nothing of PostgreSQL."""
    imported(folder, "ask", "Is it open?")  # the migrations import every database
    for words in (("sync",), ("ask", "When does the night train leave?")):
        assert "sqlalchemy.dialects.postgresql" not in imported(folder, *words)


def test_a_question_opens_no_source(folder: Path) -> None:
    """A search imports neither what reads sources nor what defines them."""
    modules = imported(folder, "search", "night train")
    assert {"kb.retriever", "kb.connectors.registry"} <= modules
    assert modules.isdisjoint({"kb.connectors.folder", "kb.connectors.git", "kb.connectors.guessing"})


def test_a_search_writes_nothing(folder: Path) -> None:
    """A search imports nothing that a model writes with, although one is configured."""
    model = {"LOREKEEPER_LLM__PROVIDER": "openai", "LOREKEEPER_LLM__BASE_URL": "http://127.0.0.1:9/v1"}
    modules = imported(folder, "search", "night train", **model)
    assert modules.isdisjoint({"llama_index.core", "openai"})


def test_cycles_wait_until_a_command_has_started() -> None:
    """Cycles are not collected while a command starts, and are again afterwards."""
    with held_back():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_cycles_of_a_long_command_are_collected() -> None:
    """A command that runs for more than some seconds collects cycles again."""
    planned: list[tuple[float, Callable[[], None]]] = []

    class Loop:
        def call_later(self, delay: float, callback: Callable[[], None]) -> None:
            planned.append((delay, callback))

    with held_back():
        let_in(cast("AbstractEventLoop", Loop()))
        [(delay, callback)] = planned
        callback()
        assert gc.isenabled()
    assert 0 < delay < 60


def test_what_is_left_is_not_looked_through() -> None:
    """When the process ends, all that was imported is out of the collector's sight."""
    done = subprocess.run([sys.executable, "-c", _ENDED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


async def test_the_model_loads_beside_the_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prepares to search begins to load the embedded model before anything asks for it."""
    begun = asyncio.Event()

    async def opened(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(embedding, "open_embedder", opened)
    async with Runtime(Settings(data=DataSettings(path=tmp_path))) as runtime:
        runtime.preload()
        async with asyncio.timeout(60):
            await begun.wait()
