"""How a failure ends the command."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from adapters.errors import SettingsError
from adapters.failures import describe, exit_code, keep_traceback, mask_secrets
from bot.errors import CommandError, ModelUnavailable
from kb.errors import SourceUnknown, StoreFull, StoreNewer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), 2),
        (SourceUnknown("x"), 2),
        (CommandError("x"), 2),
        (StoreFull("x"), 1),
        (StoreNewer("x"), 1),
        (ValueError("x"), 1),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    """Wrong usage and settings end with 2, work that failed with 1."""
    assert exit_code(error) == code


def test_expected_errors_are_their_own_line() -> None:
    """An error of ours is shown as it is, folded into one line."""
    assert describe(ModelUnavailable("The model is down.\nTry again.")) == "The model is down. Try again."


def test_full_disk_is_told_plainly() -> None:
    """A full disk is no internal error."""
    line = describe(OSError(errno.ENOSPC, "No space left on device", "/data/x"))
    assert line == "the disk is full: '/data/x'. Free some space and run it again."


def test_own_faults_leave_a_file_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback is in the file that the line names, and secrets of the environment are masked."""
    monkeypatch.setenv("TEAM_API_KEY", "sk-very-secret")
    line = keep_traceback(ValueError("key sk-very-secret"), tmp_path / "logs")
    (path,) = (tmp_path / "logs").iterdir()
    assert str(path) in line
    assert path.read_text(encoding="utf-8") == "ValueError: key ***\n"


def test_short_values_are_left_alone() -> None:
    """A variable such as KEY=1 must not turn every 1 into stars."""
    assert mask_secrets("1 + 1", {"SOME_KEY": "1"}) == "1 + 1"
