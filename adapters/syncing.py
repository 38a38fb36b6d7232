"""What `sync` does: each source in turn, with a progress bar and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from adapters.cli_options import Place
from adapters.failures import DONE, FAILED, PARTLY_DONE
from adapters.figures import count, duration
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.progress import progress_bar
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say
from bot import rebuilding
from bot.commands import Commands
from kb.errors import SyncRefused
from kb.reports import DocumentError, Progress, SyncReport
from kb.sources import AnySource

_SHOWN_ERRORS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """What was asked for on the command line."""

    names: tuple[str, ...] = ()
    dry_run: bool = False
    allow_deletes: bool = False
    reembed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where a person reads: reports go to `text`, progress to `err`."""

    text: Console
    err: Console


def run_sync(place: Place, request: SyncRequest, *, as_json: bool) -> int:
    """Sync and return the exit code."""

    async def body(runtime: Runtime) -> int:
        out, err = open_consoles()
        shown = Shown(text=err if as_json else out, err=err)
        sources = await (await runtime.commands()).select(request.names)
        if not sources:
            say(err, "There are no sources yet. Add one: lorekeeper sources add FOLDER", "yellow")
        else:
            runtime.preload()
        reports = await _sync_all(runtime, sources, request, shown)
        if as_json:
            emit(json_text([report.as_json() for report in reports]))
        return worst(reports)

    return launch(place, body, fresh=request.reembed)


def worst(reports: Sequence[SyncReport]) -> int:
    """Return the exit code for reports: a failed source counts most, then documents left out or held."""
    statuses = {report.status for report in reports}
    if "failed" in statuses:
        return FAILED
    return PARTLY_DONE if statuses & {"partial", "held"} else DONE


async def _sync_all(
    runtime: Runtime,
    sources: Sequence[AnySource],
    request: SyncRequest,
    shown: Shown,
) -> list[SyncReport]:
    commands, manifest = await runtime.commands(), await runtime.manifest()
    if request.reembed:
        async with rebuilding.rebuilding(runtime.data, manifest):
            reports = [await _sync_one(commands, source, request, shown) for source in sources]
            await _publish(runtime, reports, shown.err)
        return reports
    if not request.dry_run and await rebuilding.recover(runtime.data, manifest):
        say(shown.err, "A rebuild of the index was not finished; every document is read again.", "yellow")
    return [await _sync_one(commands, source, request, shown) for source in sources]


async def _sync_one(commands: Commands, source: AnySource, request: SyncRequest, shown: Shown) -> SyncReport:
    """Sync one source; one that another process holds is reported as failed and the others go on."""
    with progress_bar(shown.err, source.name) as bar:

        def progress(moment: Progress) -> None:
            bar.update(done=moment.done, total=moment.total or None, step=moment.phase)

        try:
            report = await commands.sync(
                source,
                dry_run=request.dry_run,
                allow_deletes=request.allow_deletes,
                reembed=request.reembed,
                progress=progress,
            )
        except SyncRefused as error:
            reason = DocumentError(document="", reason=str(error))
            report = SyncReport(source=source.name, status="failed", errors=(reason,))
    show_report(shown, report, dry_run=request.dry_run)
    return report


async def _publish(runtime: Runtime, reports: Sequence[SyncReport], err: Console) -> None:
    """Put the new index in the old one's place, unless a source is missing from it."""
    if any(report.status == "failed" for report in reports):
        say(err, "The old index stays: not every source could be read. Run it again.", "yellow")
        return
    await (await runtime.store()).publish()
    rebuilding.finish(runtime.data)


def show_report(shown: Shown, report: SyncReport, *, dry_run: bool) -> None:
    """Print what a sync did to one source, and what a person has to do about it."""
    console = shown.text
    style = {"ok": "green", "partial": "yellow", "held": "yellow", "failed": "red"}[report.status]
    prefix = "would be: " if dry_run else ""
    say(console, f"{report.source}: {prefix}{_changes(report)} in {duration(report.seconds)}", style)
    told = [error for error in report.errors if not error.passed_over]
    for error in told[:_SHOWN_ERRORS]:
        place = f"{error.document}: " if error.document else ""
        say(console, f"{place}{error.reason}", indent=2)
    if (rest := len(told) - _SHOWN_ERRORS) > 0:
        say(console, f"and {rest:,} more: lorekeeper sources show {report.source}", indent=2)
    if passed_over := len(report.errors) - len(told):
        files = count(passed_over, "file")
        say(console, f"{files} without text passed over: lorekeeper sources show {report.source}", indent=2)
    if report.held:
        held = count(report.held, "deletion")
        say(
            console,
            f"{held} held back. If that is right: lorekeeper sync {report.source} --allow-deletes",
            indent=2,
        )


def report_line(report: SyncReport) -> str:
    """Return what a sync did to one source in a line."""
    if report.status == "failed":
        reason = report.errors[0].reason if report.errors else "no reason is known"
        return f"{report.source}: failed: {reason}"
    held = f", {count(report.held, 'deletion')} held back" if report.held else ""
    return f"{report.source}: {_changes(report)}{held} in {duration(report.seconds)}"


def _changes(report: SyncReport) -> str:
    if report.status == "failed":
        return "failed"
    numbers = {
        "added": report.added,
        "updated": report.updated,
        "deleted": report.deleted,
        "unchanged": report.unchanged,
        "not indexed": report.failed,
    }
    parts = [f"{number:,} {what}" for what, number in numbers.items() if number]
    nodes = f" ({report.embedded_nodes:,} nodes embedded, {report.reused_nodes:,} reused)"
    changed = report.embedded_nodes or report.reused_nodes
    return (", ".join(parts) or "no documents") + (nodes if changed else "")
