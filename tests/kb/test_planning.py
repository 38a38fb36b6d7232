"""Planning is pure: listings and rows in, a plan out."""

from __future__ import annotations

import pytest

from kb.documents import DocumentRef
from kb.planning import Deletions, Known, ListingDigest, guard_deletions, made_by, next_attempt, plan_sync


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


@pytest.mark.parametrize(("retry_at", "again"), [(0, False), (99, True), (100, True), (101, False)])
def test_a_failure_is_tried_again_when_its_time_has_come(retry_at: float, again: bool) -> None:
    """An unchanged document that failed is fetched at its next attempt and not before."""
    failed = row("a", status="unreadable", retry_at=retry_at)
    assert bool(plan_sync([ref("a")], known(failed), now=100).tasks) is again


def test_a_changed_failure_is_tried_at_once() -> None:
    """A document that failed is fetched as soon as its version changes."""
    failed = row("a", status="unreadable", retry_at=1000)
    assert plan_sync([ref("a", "2")], known(failed), now=100).tasks


def test_a_waiting_failure_waits_whatever_its_pipeline() -> None:
    """A failure that is to be parsed anew waits for its time too, but not when its nodes are in doubt."""
    failed = row("a", status="unreadable", retry_at=1000, pipeline="")
    assert not plan_sync([ref("a")], known(failed), now=100).tasks
    assert plan_sync([ref("a")], known(failed), now=100, doubtful={failed.document_id}).tasks


def test_a_raised_limit_lets_large_documents_in() -> None:
    """A document that was too large is fetched again when the limit is another one."""
    large = row("a", status="too-large", nodes=0, pipeline=made_by("too-large", 100))
    assert not plan_sync([ref("a")], known(large), max_bytes=100).tasks
    assert plan_sync([ref("a")], known(large), max_bytes=200).tasks


def test_waits_grow_to_a_day() -> None:
    """Failures of the same version wait 5, 20, 80, 320 minutes and a day, and then a day each."""
    waits, now, failed = [], 0.0, row("a")
    for _ in range(6):
        retry_at = next_attempt(failed, "1", now)
        waits.append((retry_at - now) / 60)
        failed = row("a", status="unreadable", retry_at=retry_at, recorded=now)
        now = retry_at + 7
    assert waits == [5, 20, 80, 320, 1280, 1440]
    assert next_attempt(failed, "2", now) - now == 300


def test_a_hidden_document_that_is_back_is_shown() -> None:
    """A hidden document that is listed as it was needs no fetch; a changed one is parsed and stored."""
    hidden = row("a", hidden=5.0)
    plan = plan_sync([ref("a")], known(hidden))
    assert (plan.shown, plan.tasks, plan.added) == ((hidden,), (), 1)
    (task,) = plan_sync([ref("a", "2")], known(hidden)).tasks
    assert task.forced
    assert task.is_new


def test_few_deletions_need_no_approval() -> None:
    """Up to the number of the guard everything missing is hidden, whatever its share."""
    rows = [row(str(number)) for number in range(10)]
    assert guard_deletions(rows, 0, documents=10, share=0.1) == Deletions(hide=tuple(rows))


def test_a_small_share_needs_no_approval() -> None:
    """Up to the share of the guard everything missing is hidden, whatever its number."""
    rows = [row(str(number)) for number in range(20)]
    assert guard_deletions(rows, 180, documents=10, share=0.1) == Deletions(hide=tuple(rows))


def test_many_deletions_wait() -> None:
    """Above number and share nothing that holds text is hidden or removed."""
    rows = [row(str(number)) for number in range(11)]
    assert guard_deletions(rows, 89, documents=10, share=0.1) == Deletions(held=tuple(rows))


def test_approved_deletions_go_at_once() -> None:
    """What a person allowed is neither held nor hidden first."""
    rows = [row(str(number), hidden=float(number % 2)) for number in range(100)]
    deletions = guard_deletions(rows, 0, documents=10, share=0.1, allowed=True)
    assert deletions == Deletions(remove=tuple(rows))
    assert deletions.lost == 50


def test_moved_documents_are_no_loss() -> None:
    """A missing document whose bytes are still there under another name is hidden without approval."""
    gone = [row(f"old/{number}", content_hash=str(number)) for number in range(50)]
    kept = {str(number) for number in range(50)}
    assert guard_deletions(gone, 50, kept=kept, documents=10, share=0.1) == Deletions(hide=tuple(gone))


def test_documents_without_nodes_are_no_loss() -> None:
    """A missing document that never gave text does not count towards the guard, and goes."""
    blank = [row(f"blank{number}", nodes=0) for number in range(5)]
    lost = [row(str(number)) for number in range(20)]
    deletions = guard_deletions([*blank, *lost], 0, documents=10, share=0.1)
    assert deletions == Deletions(remove=tuple(blank), held=tuple(lost))


def test_what_was_hidden_before_goes() -> None:
    """A second complete listing without a document removes it, and it is not counted as lost again."""
    hidden = [row(str(number), hidden=1.0) for number in range(50)]
    deletions = guard_deletions(hidden, 0, documents=10, share=0.1)
    assert (deletions, deletions.lost) == (Deletions(remove=tuple(hidden)), 0)


def digest_of(*listed: DocumentRef) -> str:
    digest = ListingDigest()
    digest.add(listed)
    return digest.value()


def test_the_order_of_a_listing_does_not_matter() -> None:
    """The digest of a listing depends on documents, versions and their number, not on their order."""
    assert digest_of(ref("a"), ref("b", "2")) == digest_of(ref("b", "2"), ref("a"))
    others = [(ref("a"),), (ref("a", "2"), ref("b")), (ref("a"), ref("b", "2"), ref("b", "2")), ()]
    assert digest_of(ref("a"), ref("b", "2")) not in [digest_of(*other) for other in others]


def test_a_listing_without_versions_is_inexact() -> None:
    """One document without a version token is enough for a digest that tells nothing."""
    digest = ListingDigest()
    digest.add([ref("a")])
    assert digest.exact
    digest.add([ref("b", "")])
    assert not digest.exact
