"""Every bad file at hand ends in pieces or in a status with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from kb.errors import DocumentStatus, DocumentUnreadable
from kb.parsing.pool import Parser

TRUST = Path(__file__).resolve().parents[4] / "shared" / "data" / "trust"
FOLDERS = ("pdf", "office", "html5lib", "pathological")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


async def outcome(parser: Parser, name: str, data: bytes) -> str:
    """Return what becomes of a file: `ok`, or a status with a reason of one line."""
    reason, status = "", "ok"
    try:
        document = await parser.parse(data, name, "")
    except DocumentUnreadable as exc:
        reason, status = str(exc), exc.status
    else:
        assert document.pieces, name
        assert all(piece.text.strip() for piece in document.pieces), name
    assert status in get_args(DocumentStatus), name
    assert bool(reason.strip()) == (status != "ok"), name
    assert "\n" not in reason, name
    return status


@pytest.mark.trust
@pytest.mark.parametrize("folder", FOLDERS)
async def test_every_bad_file_has_an_outcome(folder: str) -> None:
    """No bad file hangs, crashes or silences the parser, and the next good document is read."""
    files = contents(TRUST / folder)
    if not files:
        pytest.skip("../shared/data/trust is not here")
    parser = Parser(seconds=30, memory_mb=512, workers=1)
    outcomes = {name: await outcome(parser, name, data) for name, data in files.items()}
    good = await parser.parse(b"# Still\n\nalive", "good.md", "")
    await parser.close()
    assert good.title == "Still"
    assert "ok" in outcomes.values()
    assert {"vanished"}.isdisjoint(outcomes.values())
