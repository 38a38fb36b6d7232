"""What the configured channel is told about syncs: one line when something changes, not at every failure."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.chat_telling import changes
from bot.output_gate import defang, defang_line
from bot.texts import ENGLISH, Texts
from kb.reports import SyncReport
from kb.runs import Run
from kb.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How a source stood before a run: its failures in a row, and whether deletions were held back."""

    failures: int = 0
    held: bool = False

    @classmethod
    def of(cls, schedule: Schedule | None, last: Run | None) -> Before:
        """Return how a source stands, by its schedule and the last run that ended."""
        failures = schedule.failures if schedule else 0
        return cls(failures=failures, held=last is not None and last.status == "held")


def sync_notice(
    report: SyncReport,
    schedule: Schedule,
    before: Before,
    words: Texts = ENGLISH,
    *,
    command: str,
    attention_after: int = 5,
    now: float | None = None,
) -> str | None:
    """Return the line about a run that ended, None when nothing changed that a person should hear of.

    `schedule` is the source's after the run, `before` how it stood until then. `command` is what the readers
    call the command about the knowledge.
    """
    name = f"**{report.source}**"
    if report.status == "failed":
        return _failing(report, schedule, before, words, attention_after=attention_after, now=now)
    lines = []
    if before.failures:
        lines.append(words.notice_well.format(name=name, changes=changes(report, words)))
    if report.status == "held" and not before.held:
        held = words.count(report.held, words.deletion)
        lines.append(
            words.notice_held.format(name=name, source=report.source, deletions=held, command=command)
        )
    return defang(" ".join(lines)) or None


def _failing(
    report: SyncReport,
    schedule: Schedule,
    before: Before,
    words: Texts,
    *,
    attention_after: int,
    now: float | None,
) -> str | None:
    """Return the line about a failure: at the first in a row, and when there are so many that it matters."""
    name = f"**{report.source}**"
    reason = defang_line(report.errors[0].reason) if report.errors else ""
    if before.failures < attention_after <= schedule.failures and attention_after > 1:
        failures = words.number(schedule.failures)
        return words.notice_attention.format(name=name, failures=failures, reason=reason)
    if before.failures == 0:
        at = time.time() if now is None else now
        when = words.at_once if schedule.next_run <= at else words.when(schedule.next_run, at)
        return words.notice_failing.format(name=name, reason=reason, when=when)
    return None
