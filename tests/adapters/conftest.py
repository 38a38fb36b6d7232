"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.command import Shell


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in an empty folder."""
    return Shell(folder=tmp_path, capture=capfd)
