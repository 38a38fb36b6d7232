"""The filter builder, against a real table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import lancedb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.documents import EVERYONE, Audience
from kb.filters import literal, near, one_of, visible
from kb.store_opening import close

Ask = Callable[[str], set[str]]

NASTY = [
    "'",
    "''",
    "\\'",
    "\\",
    '"',
    "x' OR 'a' = 'a",
    "x' OR TRUE --",
    "x'; DELETE FROM nodes; --",
    "x') OR (1=1",
    "*') OR array_has_any(audience, ['staff",
    '"id"',
    "id",
    "%",
    "_",
    "`id`",
    "\x00",
    "x\x00' OR TRUE --",
    "\u2019 OR TRUE",
    "\uff07 OR TRUE",
    "$1",
    "?",
    "{id}",
    "E'\\''",
    "/* x */",
    "NULL",
    "\ud800' OR TRUE --",
    "\u202e'",
    "x\n' OR TRUE --\n",
]
values = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet="'\"\\-;*()[]%_=, \x00\nORabx", max_size=20),
    st.text(max_size=30),
)
quickly = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Return the ids of the rows that a filter lets through, in a table whose values are nasty too."""
    rows = [
        {"id": "open", "source": "docs", "document_id": "a", "position": 1, "audience": ["*"]},
        {"id": "limited", "source": "hr", "document_id": "b", "position": 1, "audience": ["staff"]},
        *(
            {"id": f"nasty-{n}", "source": text, "document_id": text, "position": 7, "audience": ["none"]}
            for n, text in enumerate(NASTY)
            if text.isprintable() and text.encode("utf-8", "ignore").decode() == text
        ),
    ]
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("document_id", pa.string()),
            ("position", pa.int32()),
            ("audience", pa.list_(pa.string())),
        ]
    )
    with asyncio.Runner() as runner:
        connection = runner.run(lancedb.connect_async(str(tmp_path_factory.mktemp("filters"))))
        table = runner.run(connection.create_table("nodes", pa.Table.from_pylist(rows, schema)))

        def found(where: str) -> set[str]:
            query = table.query().where(where).select(["id"])
            return {row["id"] for row in runner.run(query.to_list())}

        yield found
        close(table)
        close(connection)


@given(value=values)
@quickly
@example(value="")
def test_a_value_matches_itself_alone(ask: Ask, value: str) -> None:
    """A filter by a source lets through the rows of exactly that source, whatever its name."""
    stored = {"docs": "open", "hr": "limited"} | {text: f"nasty-{n}" for n, text in enumerate(NASTY)}
    found = ask(one_of("source", [value]))
    assert found <= {stored.get(value, "")}


@pytest.mark.parametrize("value", [text for text in NASTY if text.isprintable() and text.isascii()])
def test_a_nasty_value_is_found(ask: Ask, value: str) -> None:
    """A row whose source has quotes or signs of SQL in its name is found by it."""
    assert ask(one_of("source", [value])) == {f"nasty-{NASTY.index(value)}"}


@given(tags=st.frozensets(values, max_size=3), sources=st.lists(values, max_size=2))
@quickly
def test_a_tag_never_widens_what_is_seen(ask: Ask, tags: frozenset[str], sources: list[str]) -> None:
    """Whatever tags and sources are asked for, a document limited to others stays unseen."""
    found = ask(visible(Audience(tags), sources))
    assert "limited" not in found or "staff" in tags
    assert not any(node.startswith("nasty") for node in found) or "none" in tags
    if sources and "docs" not in sources:
        assert "open" not in found


@given(document=values)
@quickly
def test_a_document_id_never_widens_a_window(ask: Ask, document: str) -> None:
    """A window around a passage stays within its document."""
    assert not ask(near([(document, 1)], 1, 1)) & {"open", "limited"} or document in {"a", "b"}


def test_an_asker_sees_open_and_own(ask: Ask) -> None:
    """An asker sees documents for everyone and those limited to one of the asker's tags."""
    assert ask(visible(EVERYONE)) == {"open"}
    assert ask(visible(Audience(frozenset({"staff", "other"})))) == {"open", "limited"}
    assert ask(visible(Audience(frozenset({"staff"})), ["hr"])) == {"limited"}


def test_no_values_match_no_row(ask: Ask) -> None:
    """A filter of no values lets nothing through."""
    assert ask(one_of("source", [])) == set()
    assert ask(near([], 1, 1)) == set()


def test_a_thousand_values_are_one_filter(ask: Ask) -> None:
    """A filter of ten thousand values works."""
    assert ask(one_of("document_id", ["a", *(f"x{number}" for number in range(10_000))])) == {"open"}


def test_a_literal_is_single_quoted() -> None:
    """A literal stands in single quotes, which are doubled inside."""
    assert literal('it\'s "so"') == "'it''s \"so\"'"
