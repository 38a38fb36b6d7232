"""The constructs of promise P22, where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

OUTPUT = Path(__file__).parents[4] / "shared" / "data" / "trust" / "output"
SPECS = Path(__file__).parents[4] / "shared" / "specs" / "slack"

needs_output = pytest.mark.skipif(not OUTPUT.is_dir(), reason="no data/trust/output here")
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="no specs/slack here")


def constructs() -> list[str]:
    """Return every link, image and mention construct."""
    return [
        json.loads(line)["s"]
        for name in ("exfil.jsonl", "mentions.jsonl")
        for line in (OUTPUT / name).read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
