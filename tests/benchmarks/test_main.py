"""`make bench`: its plan."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import PARTS, Part

FOLDER = Path(__file__).parent
CHILDREN = {"__main__", "pipeline"}  # `sync rival` starts the pipelines


def test_no_benchmark_is_forgotten() -> None:
    """Every module here that can be run is in the plan."""
    runnable = [
        path for path in FOLDER.glob("*.py") if '\nif __name__ == "__main__":' in path.read_text("utf-8")
    ]
    assert {path.stem for path in runnable} - CHILDREN == {part.command.split()[0] for part in PARTS}


@pytest.mark.parametrize("part", [part for part in PARTS if "--" in part.command + part.quick], ids=str)
def test_each_command_line_is_accepted(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the plan says to a benchmark, at full length and quick, is what it understands."""
    parse: Callable[..., argparse.Namespace] = argparse.ArgumentParser.parse_args

    def parse_only(*given: object, **named: object) -> None:
        parse(*given, **named)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    for line in (part.command, f"{part.command} {part.quick}"):
        monkeypatch.setattr(sys, "argv", line.split())
        with pytest.raises(Parsed):
            runpy.run_path(str(FOLDER / f"{line.split()[0]}.py"), run_name="__main__")


class Parsed(Exception):
    """A command line was understood."""
