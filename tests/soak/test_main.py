"""`make soak`: its plan and its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import SOAKS, main


def test_no_soak_is_forgotten() -> None:
    """Every module here that measures is in the plan."""
    modules = [path for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("test_")]
    assert {path.stem for path in modules if "def measure(" in path.read_text("utf-8")} == set(SOAKS)


def test_the_table_tells_each_promise(capsys: pytest.CaptureFixture[str]) -> None:
    """A soak run by name prints its promise and whether it is kept, and the exit code says so too."""
    assert main(["hosts", "--scale", "0.001"]) == 0
    told = capsys.readouterr()
    assert "P23" in told.out
    assert "yes" in told.out
    assert told.err.startswith("hosts: ")


def test_an_unknown_soak_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none is told with those there are."""
    with pytest.raises(SystemExit):
        main(["hostess"])
    assert "there is no soak 'hostess'. Choose of kills, " in capsys.readouterr().err
