"""What the commands about the knowledge say, as Markdown that went through the output gate. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.commands import SourceDetail, SourceOverview
from bot.output_gate import defang, defang_line
from bot.texts import ENGLISH, Texts
from kb.manifest import Failure
from kb.reports import Progress, SyncReport
from kb.runs import Run
from kb.sources import AnySource, FolderSource, GitSource

SHOWN_SOURCES = 40
_SHOWN_RUNS = 5
_SHOWN_FAILURES = 10
_CHANGES = ("added", "updated", "deleted", "unchanged", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom it is written: their language, the command as it is typed, and whether they see errors."""

    words: Texts
    command: str
    admin: bool
    now: float

    def overview(self, overviews: Sequence[SourceOverview]) -> str:
        """Return a line for each source."""
        if not overviews:
            return self.words.no_sources_yet.format(command=self.command)
        names = [f"**{one.name}** ({_type(one, self.words)})" for one in overviews]
        told = zip(names, map(self._standing, overviews), strict=True)
        lines = [f"- {self.words.labelled(*one)}" for one in told]
        return defang("\n".join(self._limited(lines, SHOWN_SOURCES)))

    def status(self, overviews: Sequence[SourceOverview], embedding: str, llm: str) -> str:
        """Return how everything stands, and what needs attention."""
        words = self.words
        total = words.status_line.format(
            documents=words.count(sum(one.state.documents for one in overviews), words.document),
            sources=words.count(len(overviews), words.source),
            failed=words.count(sum(one.state.failed for one in overviews), words.changes["failed"]),
        )
        lines = [total, words.models.format(embedding=embedding, llm=llm)]
        for one in overviews[:SHOWN_SOURCES]:
            lines += [f"- {words.labelled(f'**{one.name}**', told)}" for told in self.troubles(one)]
        return defang("\n".join(lines))

    def show(self, detail: SourceDetail, *, documents: bool) -> str:
        """Return all that a person may know of a source; names of documents only with `documents`."""
        overview = detail.overview
        lines = [f"**{overview.name}** ({_type(overview, self.words)})", self._standing(overview)]
        if place := location(overview.source, admin=self.admin):
            lines.append(self.words.labelled(self.words.location, defang_line(place)))
        if overview.source is not None:
            lines.append(self.words.labelled(self.words.every, overview.source.every))
        if self.admin and overview.source is not None and overview.source.seen_by:
            tags = ", ".join(sorted(overview.source.seen_by))
            lines.append(self.words.labelled(self.words.audience, tags))
        lines += [f"- {told}" for told in self.troubles(overview)]
        if detail.runs:
            runs = [self._run(run) for run in detail.runs[:_SHOWN_RUNS]]
            lines += ["", self.words.labelled(self.words.runs), *runs]
        if detail.failures and documents:
            failures = [self._failure(failure) for failure in detail.failures]
            unread_ones = self._limited(failures, _SHOWN_FAILURES)
            lines += ["", self.words.labelled(self.words.not_indexed), *unread_ones]
        return defang("\n".join(lines))

    def progress(self, name: str, moment: Progress | None) -> str:
        """Return where a sync is."""
        words = self.words
        if moment is None:
            return words.sync_began.format(name=name)
        if moment.total:
            done, total = words.number(moment.done), words.number(moment.total)
            return words.sync_going.format(name=name, done=done, total=total)
        return words.sync_listing.format(name=name, number=words.number(moment.done))

    def report(self, report: SyncReport) -> str:
        """Return what a sync did, and what a person has to do about it."""
        words = self.words
        if report.status == "failed":
            reason = report.errors[0].reason if report.errors else ""
            return defang(words.sync_failed.format(name=report.source, reason=defang_line(reason)))
        line = words.sync_done.format(
            name=report.source, changes=changes(report, words), time=words.seconds(report.seconds)
        )
        if report.held:
            held = words.count(report.held, words.deletion)
            line += " " + words.sync_held.format(deletions=held, command=self.command, name=report.source)
        return defang(line)

    def troubles(self, overview: SourceOverview) -> Iterator[str]:
        """Yield what should be known of a source; errors are for those who can do something about them."""
        words = self.words
        if overview.origin == "gone":
            yield words.gone
        if overview.schedule and overview.schedule.held_at:
            yield words.held
        if not self.admin:
            return
        if overview.attention and overview.schedule:
            yield words.attention.format(failures=words.count(overview.schedule.failures, words.failure))
        if overview.error:
            yield words.error.format(reason=defang_line(overview.error))

    def _standing(self, overview: SourceOverview) -> str:
        words, state = self.words, overview.state
        parts = [words.count(state.documents, words.document)]
        if state.failed:
            parts.append(words.count(state.failed, words.changes["failed"]))
        parts.append(self._freshness(overview))
        return " · ".join([*parts, *self._due(overview)])

    def _freshness(self, overview: SourceOverview) -> str:
        if overview.running:
            return self.words.syncing
        if overview.state.last_good is None:
            return self.words.never_synced
        return self.words.last_synced.format(when=self.words.when(overview.state.last_good, self.now))

    def _due(self, overview: SourceOverview) -> Iterator[str]:
        words = self.words
        if overview.schedule and overview.schedule.held_at:
            yield words.held
        elif overview.schedule and overview.schedule.paused:
            yield words.paused
        elif overview.next_run is not None and not overview.running:
            ahead = overview.next_run > self.now
            when = words.when(overview.next_run, self.now)
            yield words.next_sync.format(when=when) if ahead else words.due_now

    def _run(self, run: Run) -> str:
        when, status = self.words.when(run.started, self.now), self.words.statuses[run.status]
        if run.status == "failed":
            reason = defang_line(run.error) if run.error and self.admin else ""
            status = self.words.labelled(status, reason) if reason else status
        elif run.report:
            counted = {key: int(run.report.get(key) or 0) for key in _CHANGES}
            status = f"{status}, {_counted(counted, self.words)}"
        return f"- {self.words.labelled(when, status)}"

    def _failure(self, failure: Failure) -> str:
        return f"- {self.words.labelled(defang_line(failure.uri), unread(failure, self.words))}"

    def _limited(self, lines: Sequence[str], most: int) -> list[str]:
        rest = len(lines) - most
        if rest <= 0:
            return list(lines)
        return [*lines[:most], self.words.more.format(number=self.words.number(rest))]


def reader(words: Texts, *, command: str, admin: bool, now: float | None = None) -> Reader:
    """Return what writes for a reader."""
    return Reader(words=words, command=command, admin=admin, now=time.time() if now is None else now)


def changes(report: SyncReport, words: Texts) -> str:
    """Return what a sync changed, in a few words."""
    return _counted({key: getattr(report, key) for key in _CHANGES}, words)


def location(source: AnySource | None, *, admin: bool) -> str:
    """Return where a source is, unless that is a path of the bot's own machine and its reader no admin."""
    if source is None or (isinstance(source, FolderSource | GitSource) and not admin and _is_path(source)):
        return ""
    return source.location


def _is_path(source: FolderSource | GitSource) -> bool:
    return isinstance(source, FolderSource) or not source.location.startswith("https://")


def unread(failure: Failure, words: Texts) -> str:
    """Return why a document gave no text, with the English words of what tried to read it."""
    line, reason = words.unread.get(failure.status, ""), defang_line(failure.reason)
    if not reason or not line:
        return reason or line or failure.status
    return reason if words is ENGLISH else f"{line} ({reason})"


def _type(overview: SourceOverview, words: Texts) -> str:
    return words.types[overview.source.type] if overview.source else "–"


def _counted(numbers: dict[str, int], words: Texts) -> str:
    parts = [words.count(numbers[key], words.changes[key]) for key in _CHANGES if numbers[key]]
    return ", ".join(parts) or words.sync_nothing
