"""The only place where a value becomes part of a LanceDB filter.

Values are single-quoted and escaped: in double quotes a value would be a column name, and an
unescaped quote could widen a filter to the whole table. Column names are constants of this project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kb.documents import HIDDEN_TAG, Audience


def literal(value: str) -> str:
    """Return a string as an SQL literal; what UTF-8 cannot hold becomes `?`, as in the stored rows."""
    clean = value.encode("utf-8", "replace").decode("utf-8")
    return "'" + clean.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """Return a filter for rows whose column equals one of the values; no values match no row."""
    literals = ", ".join(literal(value) for value in sorted(set(values)))
    return f"{column} IN ({literals})" if literals else "false"


def visible(audience: Audience, sources: Sequence[str] = ()) -> str:
    """Return the filter for what this audience may see, within these sources (none named: all)."""
    tags = ", ".join(literal(tag) for tag in audience.visible())
    seen = f"array_has_any(audience, [{tags}])"
    return f"{seen} AND {one_of('source', sources)}" if sources else seen


def shown() -> str:
    """Return the filter for nodes that are not hidden."""
    return f"NOT array_has_any(audience, [{literal(HIDDEN_TAG)}])"


def near(keys: Iterable[tuple[str, int]], before: int, after: int) -> str:
    """Return the filter for the nodes around (document id, position) keys; no keys match no row."""
    windows = [
        f"(document_id = {literal(document)} AND position BETWEEN {position - before} AND {position + after})"
        for document, position in sorted(set(keys))
    ]
    return " OR ".join(windows) if windows else "false"
