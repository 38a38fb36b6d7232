from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.checking import DraftCheck
from bot.citations import build_citation
from bot.errors import DraftRejected
from bot.messages import Question
from bot.output_gate import defang
from tests.bot.found import assistant, passage

STRINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "trust" / "strings"
pytestmark = [
    pytest.mark.trust,
    pytest.mark.skipif(not STRINGS.is_dir(), reason="../shared/data is absent"),
]


def naughty() -> list[str]:
    """Return every string of the collection, whatever the shape of its file."""
    found = []
    for path in sorted(STRINGS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            found.append(
                item if isinstance(item, str) else next(v for v in item.values() if isinstance(v, str))
            )
    return found


async def test_as_question_text_and_title() -> None:
    """Every string can be asked, be a document's text, title and path; the quote stays literal."""
    strings = naughty()
    assert len(strings) > 100
    for text in strings:
        found = passage(text or "x", title=text, heading=(text,), uri=text or "x")
        answer = await assistant(found).answer(Question(text=text))
        assert answer.question == text
        citation = build_citation(1, found, claim=text)
        assert citation.quote in found.text
        assert "\n" not in citation.title


def test_as_draft() -> None:
    """Every string can be what a model says: it is let through safe, or rejected."""
    for text in naughty():
        check = DraftCheck([passage(text or "x")])
        try:
            shown = "".join([check.feed(f"{text} [1]"), check.end()])
        except DraftRejected:
            continue
        assert defang(shown) == shown
