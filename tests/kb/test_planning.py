"""Planning is pure: listings and rows in, a plan out."""

from __future__ import annotations

import pytest

from kb.documents import DocumentRef
from kb.errors import DocumentStatus
from kb.planning import PARSE_ATTEMPTS, Known, guard_deletions, plan_sync


def ref(uri: str, version: str = "1") -> DocumentRef:
    return DocumentRef(source="s", uri=uri, version=version)


def row(uri: str, version: str = "1", **changes: object) -> Known:
    values = {"content_hash": f"hash of {uri}", "nodes": 1} | changes
    return Known(document_id=ref(uri).document_id, uri=uri, version=version, **values)


def known(*rows: Known) -> dict[str, Known]:
    return {one.document_id: one for one in rows}


def test_a_new_document_is_fetched() -> None:
    """A document without a row is fetched and counts as added."""
    plan = plan_sync([ref("a")], {})
    assert [task.ref.uri for task in plan.tasks] == ["a"]
    assert (plan.added, plan.changed) == (1, 0)


def test_an_equal_version_is_unchanged() -> None:
    """A document whose version token is the known one is not fetched."""
    plan = plan_sync([ref("a")], known(row("a")))
    assert plan.tasks == ()
    assert [one.uri for one in plan.unchanged] == ["a"]


@pytest.mark.parametrize("version", ["2", ""])
def test_another_or_no_version_is_fetched(version: str) -> None:
    """A changed or missing version token means a fetch, without a forced parse."""
    plan = plan_sync([ref("a", version)], known(row("a")))
    assert [(task.ref.uri, task.forced) for task in plan.tasks] == [("a", False)]
    assert plan.changed == 1


def test_a_document_listed_twice_is_planned_once() -> None:
    """A listing that repeats a document makes one task."""
    assert len(plan_sync([ref("a"), ref("a")], {}).tasks) == 1


def test_what_is_not_listed_is_missing() -> None:
    """A row without a listed document is missing; its neighbours are untouched."""
    plan = plan_sync([ref("a")], known(row("a"), row("b")))
    assert [one.uri for one in plan.missing] == ["b"]


@pytest.mark.parametrize("uri", ["a", "new"])
def test_a_doubtful_document_is_forced(uri: str) -> None:
    """A document that may be stored otherwise than recorded is parsed again, known or not."""
    plan = plan_sync([ref(uri)], known(row("a")), doubtful={ref(uri).document_id})
    assert [(task.ref.uri, task.forced) for task in plan.tasks] == [(uri, True)]


def test_another_pipeline_forces_a_parse() -> None:
    """Rows of another pipeline version are parsed again although nothing changed."""
    plan = plan_sync([ref("a"), ref("b")], known(row("a", pipeline="0"), row("b")))
    assert [(task.ref.uri, task.forced) for task in plan.tasks] == [("a", True)]


def test_everything_can_be_forced() -> None:
    """With `everything` unchanged documents are parsed as well."""
    assert plan_sync([ref("a")], known(row("a")), everything=True).tasks[0].forced


@pytest.mark.parametrize(
    ("status", "attempts", "again"),
    [
        ("unreadable", 0, True),
        ("unreadable", PARSE_ATTEMPTS - 1, True),
        ("unreadable", PARSE_ATTEMPTS, False),
        ("vanished", 0, True),
        ("encrypted", 0, False),
        ("too-large", 0, False),
        ("unsupported", 0, False),
        ("empty", 0, False),
    ],
)
def test_failures_that_may_pass_are_tried_again(status: DocumentStatus, attempts: int, again: bool) -> None:
    """An unchanged document is retried while its failure may pass, and not for ever."""
    plan = plan_sync([ref("a")], known(row("a", status=status, attempts=attempts)))
    assert bool(plan.tasks) is again


def test_few_deletions_need_no_approval() -> None:
    """Up to the number of the guard everything missing goes, whatever its share."""
    rows = [row(str(number)) for number in range(10)]
    assert guard_deletions(rows, [], documents=10, share=0.1).delete == tuple(rows)


def test_a_small_share_needs_no_approval() -> None:
    """Up to the share of the guard everything missing goes, whatever its number."""
    rows = [row(str(number)) for number in range(200)]
    deletions = guard_deletions(rows[:20], rows[20:], documents=10, share=0.1)
    assert deletions.delete == tuple(rows[:20])


def test_many_deletions_wait() -> None:
    """Above number and share nothing that holds text is deleted."""
    rows = [row(str(number)) for number in range(100)]
    deletions = guard_deletions(rows[:11], rows[11:], documents=10, share=0.1)
    assert deletions.held == tuple(rows[:11])
    assert deletions.delete == ()


def test_approved_deletions_go() -> None:
    """What a person allowed is not held."""
    rows = [row(str(number)) for number in range(100)]
    assert guard_deletions(rows, [], documents=10, share=0.1, allowed=True).delete == tuple(rows)


def test_moved_documents_are_no_loss() -> None:
    """A missing document whose bytes are present under another name is deleted without approval."""
    gone = [row(f"old/{number}", content_hash=str(number)) for number in range(50)]
    moved = [row(f"new/{number}", content_hash=str(number)) for number in range(50)]
    assert guard_deletions(gone, moved, documents=10, share=0.1).delete == tuple(gone)


def test_documents_without_nodes_are_no_loss() -> None:
    """A missing document that never gave text does not count towards the guard, and goes."""
    blank = [row(f"blank{number}", nodes=0) for number in range(5)]
    lost = [row(str(number)) for number in range(20)]
    deletions = guard_deletions([*blank, *lost], [], documents=10, share=0.1)
    assert deletions.delete == tuple(blank)
    assert deletions.held == tuple(lost)
