"""What the notices channel hears of syncs."""

from __future__ import annotations

from bot.notices import Before, sync_notice
from bot.texts import texts
from kb.reports import DocumentError, SyncReport
from kb.runs import Run
from kb.schedules import Schedule

NOW = 1_000_000.0


def failed(reason: str = "The folder '/x' does not exist.") -> SyncReport:
    return SyncReport(source="handbook", status="failed", errors=(DocumentError(document="", reason=reason),))


def after(failures: int) -> Schedule:
    return Schedule(source="handbook", every="30m", next_run=NOW + 1800, failures=failures)


def notice(report: SyncReport, failures: int, before: Before) -> str | None:
    return sync_notice(report, after(failures), before, now=NOW, attention_after=3, command="/kb")


def test_the_first_failure_is_told_once() -> None:
    """A source that begins to fail is told with its reason and the next try; the second time not again."""
    told = notice(failed(), 1, Before())
    assert told == (
        "The sync of **handbook** failed: The folder '/x' does not exist. It is tried again in 30 minutes."
    )
    assert notice(failed(), 2, Before(failures=1)) is None


def test_attention_is_asked_for_once() -> None:
    """When so many runs failed that a person should look, that is told, and then no more."""
    told = notice(failed(), 3, Before(failures=2))
    assert told is not None
    assert told.startswith("**handbook** needs attention: its sync failed 3 times in a row.")
    assert notice(failed(), 4, Before(failures=3)) is None


def test_a_source_that_is_well_again_is_told() -> None:
    """The first good run after failures is told; other good runs are not."""
    report = SyncReport(source="handbook", status="ok", added=2, unchanged=1)
    assert notice(report, 0, Before(failures=4)) == "**handbook** is synced again: 2 added, 1 unchanged."
    assert notice(report, 0, Before()) is None


def test_held_deletions_are_told_once() -> None:
    """Deletions that wait for a person are told with the command that carries them out."""
    report = SyncReport(source="handbook", status="held", held=12, unchanged=3)
    told = notice(report, 0, Before())
    assert told is not None
    assert "12 deletions are held back" in told
    assert "`/kb sync handbook allow deletes`" in told
    assert notice(report, 0, Before(held=True)) is None


def test_the_command_is_told_as_its_readers_call_it() -> None:
    """Where the settings give the command another name, the line names that."""
    report = SyncReport(source="handbook", status="held", held=12)
    told = sync_notice(report, after(0), Before(), now=NOW, command="/wissen")
    assert told is not None
    assert "`/wissen sync handbook allow deletes`" in told


def test_how_a_source_stood_is_read_from_its_rows() -> None:
    """What was before a run is in the schedule's row and the last run's."""
    last = Run(id="1", source="handbook", started=1.0, status="held")
    assert Before.of(after(2), last) == Before(failures=2, held=True)
    assert Before.of(None, None) == Before()


def test_a_notice_is_safe_and_in_the_language_of_its_channel() -> None:
    """A reason is text of others: it pings nobody and links nowhere."""
    report = failed("<!channel> see https://evil.example/x?y=1")
    told = sync_notice(report, after(1), Before(), texts("de"), now=NOW, command="/kb")
    assert told is not None
    assert told.startswith("Der Abgleich von **handbook** ist misslungen:")
    assert "<!channel>" not in told
    assert "https://" not in told
