"""What `sources` and `status` do: the commands carried out and their results shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console

from adapters.cli_options import Place
from adapters.errors import UsageError
from adapters.failures import DONE, FAILED
from adapters.figures import ago, count, size
from adapters.history import RUN_COLUMNS, iso, run_json, run_row
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say, show_pairs, show_table
from bot.commands import Commands, SourceDetail, SourceOverview, Status
from kb.sources import AnySource

_SHOWN_FAILURES = 20
_SHOWN_RUNS = 5
_COLUMNS = (
    *("Source", "Type", "Location", "Documents>", "Nodes>", "Failed>"),
    *("Last good sync", "Next sync", "State"),
)


def run_add(
    place: Place,
    location: str,
    *,
    kind: str | None,
    options: Mapping[str, Any],
    settings: Sequence[str],
    as_json: bool,
) -> int:
    """Add a source."""

    async def body(runtime: Runtime) -> int:
        commands = await runtime.commands()
        added = await commands.add(location, kind=kind, options=options, settings=settings)
        source = added.source
        if as_json:
            emit(json_text(source.model_dump(mode="json")))
            return DONE
        out, err = open_consoles()
        say(out, f"Added {source.name}: {source.type} {source.location}")
        if not added.has_documents:
            say(err, "It lists no documents now.", "yellow")
        if same := await _of_same_location(commands, source):
            say(err, f"{same} has the same location: its documents are indexed twice.", "yellow")
        say(out, f"Next: lorekeeper sync {source.name}")
        return DONE

    return launch(place, body)


async def _of_same_location(commands: Commands, added: AnySource) -> str:
    """Return the name of another source of the same type and location, or nothing."""
    for overview in await commands.overview():
        source = overview.source
        same = source is not None and (source.type, source.location) == (added.type, added.location)
        if same and overview.name != added.name:
            return overview.name
    return ""


def run_list(place: Place, *, as_json: bool) -> int:
    """List the sources."""

    async def body(runtime: Runtime) -> int:
        overviews = await (await runtime.commands()).overview()
        if as_json:
            emit(json_text([overview_json(overview) for overview in overviews]))
            return DONE
        out, _ = open_consoles()
        _show_sources(out, overviews)
        return DONE

    return launch(place, body)


def run_show(place: Place, name: str, *, as_json: bool) -> int:
    """Show one source."""

    async def body(runtime: Runtime) -> int:
        detail = await (await runtime.commands()).show(name)
        if as_json:
            emit(json_text(detail_json(detail)))
        else:
            _show_detail(open_consoles()[0], detail)
        return DONE

    return launch(place, body)


def run_remove(place: Place, name: str, *, confirmed: bool, as_json: bool) -> int:
    """Remove one source, after a question on a terminal."""

    async def body(runtime: Runtime) -> int:
        commands = await runtime.commands()
        detail = await commands.removable(name)
        if not (confirmed or _confirmed(detail)):
            click.echo("Nothing was removed.", err=True)
            return FAILED
        removed = await commands.remove(name)
        stored = {"documents": removed.documents, "nodes": removed.nodes}
        if as_json:
            emit(json_text({"source": name, **stored}))
        else:
            what = f"{count(removed.documents, 'document')}, {count(removed.nodes, 'node')}"
            say(open_consoles()[0], f"Removed {name} ({what})")
        return DONE

    return launch(place, body)


def run_pause(place: Place, name: str, *, as_json: bool) -> int:
    """Sync one source no more by schedule."""

    async def body(runtime: Runtime) -> int:
        await (await runtime.commands()).pause(name)
        if as_json:
            emit(json_text({"source": name, "paused": True}))
        else:
            say(open_consoles()[0], f"Paused {name}. Go on with: lorekeeper sources resume {name}")
        return DONE

    return launch(place, body)


def run_resume(place: Place, name: str, *, as_json: bool) -> int:
    """Sync one source by schedule again."""

    async def body(runtime: Runtime) -> int:
        was_paused = await (await runtime.commands()).resume(name)
        if as_json:
            emit(json_text({"source": name, "paused": False}))
        else:
            told = f"Resumed {name}: it is due now." if was_paused else f"{name} is not paused."
            say(open_consoles()[0], told)
        return DONE

    return launch(place, body)


def run_status(place: Place, *, as_json: bool) -> int:
    """Show how everything stands."""

    async def body(runtime: Runtime) -> int:
        embedding, llm = runtime.model_names()
        status = await (await runtime.commands()).status(embedding=embedding, llm=llm)
        if as_json:
            emit(json_text(status_json(status)))
        else:
            _show_status(open_consoles()[0], status)
        return DONE

    return launch(place, body)


def overview_json(overview: SourceOverview) -> dict[str, Any]:
    """Return a source and its state for programs; times are ISO 8601."""
    state = overview.state
    source = overview.source
    schedule = overview.schedule
    last = state.last_run
    return {
        "name": overview.name,
        "type": source.type if source else None,
        "location": source.location if source else None,
        "every": source.every if source else None,
        "audience": sorted(source.seen_by) if source else [],
        "origin": overview.origin,
        "documents": state.documents,
        "nodes": state.nodes,
        "failed": state.failed,
        "status": _last_status(overview),
        "error": overview.error,
        "last_run": iso(last.started if last else None),
        "last_good_sync": iso(state.last_good),
        "next_run": iso(overview.next_run),
        "paused": bool(schedule and schedule.paused),
        "held_at": (schedule.held_at if schedule else "") or None,
        "failures": schedule.failures if schedule else 0,
        "attention": overview.attention,
        "hung": overview.hung,
        "overdue": overview.overdue,
    }


def detail_json(detail: SourceDetail) -> dict[str, Any]:
    """Return everything about one source for programs."""
    source = detail.overview.source
    return {
        **overview_json(detail.overview),
        "settings": source.model_dump(mode="json") if source else None,
        "runs": [run_json(run) for run in detail.runs],
        "errors": [
            {"document": failure.uri, "status": failure.status, "reason": failure.reason}
            for failure in detail.failures
        ],
    }


def status_json(status: Status) -> dict[str, Any]:
    """Return the state of everything for programs; `disk` is in bytes."""
    return {
        "sources": [overview_json(overview) for overview in status.sources],
        "documents": status.documents,
        "nodes": status.nodes,
        "failed": status.failed,
        "disk": status.disk,
        "data": str(status.data),
        "embedding": status.embedding,
        "llm": status.llm,
    }


def _show_sources(out: Console, overviews: list[SourceOverview]) -> None:
    if not overviews:
        say(out, "There are no sources yet. Add one: lorekeeper sources add FOLDER")
        return
    show_table(out, _COLUMNS, (_row(overview) for overview in overviews))


def _row(overview: SourceOverview) -> tuple[str, ...]:
    source, state = overview.source, overview.state
    return (
        overview.name,
        source.type if source else "-",
        source.location if source else "(no longer configured)",
        f"{state.documents:,}",
        f"{state.nodes:,}",
        f"{state.failed:,}",
        ago(state.last_good),
        _due(overview),
        _state(overview),
    )


def _last_status(overview: SourceOverview) -> str:
    """Return how the last sync stands; one that nobody carries on was interrupted."""
    last = overview.state.last_run
    if last is None:
        return "never"
    return "interrupted" if last.status == "running" and not overview.running else last.status


def _due(overview: SourceOverview) -> str:
    if overview.schedule and overview.schedule.paused:
        return "paused"
    if overview.next_run is None:
        return "-"
    return ago(overview.next_run) if overview.next_run > time.time() else "now"


def _state(overview: SourceOverview) -> str:
    if overview.origin == "gone":
        return "gone"
    status = _last_status(overview)
    if overview.hung:
        return "hung"
    if overview.attention:
        return f"{status}, needs attention"
    return "never synced" if status == "never" else status


def _show_detail(out: Console, detail: SourceDetail) -> None:
    overview = detail.overview
    show_pairs(out, _pairs(overview))
    if detail.runs:
        out.print()
        show_table(out, RUN_COLUMNS, (run_row(run) for run in detail.runs[:_SHOWN_RUNS]))
    if detail.failures:
        out.print()
        shown = detail.failures[:_SHOWN_FAILURES]
        failures = [(failure.uri, failure.status, failure.reason) for failure in shown]
        show_table(out, ("Not indexed", "State", "Reason"), failures)
        if rest := len(detail.failures) - len(shown):
            say(out, f"and {count(rest, 'more document')}: --json lists them all")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _pairs(overview: SourceOverview) -> Iterator[tuple[str, str]]:
    source, state = overview.source, overview.state
    yield "Source", overview.name
    if source:
        for key, value in source.model_dump(mode="json", exclude={"name"}).items():
            if value not in ("", [], {}, None):
                yield key.replace("_", " ").capitalize(), _shown(value)
    yield "Stored", f"{count(state.documents, 'document')}, {count(state.nodes, 'node')}"
    yield "Not indexed", count(state.failed, "document")
    yield "Last good sync", ago(state.last_good)
    yield "Next sync", _due(overview)
    for told in _troubles(overview):
        yield "Note", told


def _show_status(out: Console, status: Status) -> None:
    _show_sources(out, list(status.sources))
    out.print()
    documents = f"{status.documents:,} ({count(status.nodes, 'node')}, {status.failed:,} not indexed)"
    show_pairs(
        out,
        [
            ("Documents", documents),
            ("Data", f"{status.data} ({size(status.disk)})"),
            ("Embedding", status.embedding),
            ("Answers", status.llm),
        ],
    )
    for overview in status.sources:
        if overview.error:
            say(out, f"{overview.name}: {overview.error}", "red")
        for told in _troubles(overview):
            say(out, f"{overview.name}: {told}", "yellow")


def _troubles(overview: SourceOverview) -> Iterator[str]:
    """Yield what a person should know of a source, with what to do about it."""
    name, schedule = overview.name, overview.schedule
    if overview.origin == "gone":
        yield f"no longer configured, but still stored: lorekeeper sources remove {name}"
    if schedule and schedule.held_at:
        yield f"held at run {schedule.held_at[:8]} since a rollback: lorekeeper sources resume {name}"
    if overview.attention and schedule:
        failures = count(schedule.failures, "failure")
        yield f"needs attention after {failures} in a row. When it is mended: lorekeeper sync {name}"
    if overview.hung:
        yield "its sync does not get on. Restart the process that runs it."
    if overview.overdue:
        yield f"was due {ago(overview.next_run)}. Is `lorekeeper serve` running? Or: lorekeeper sync {name}"


def _confirmed(detail: SourceDetail) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"remove {detail.overview.name!r}: nobody is there to confirm it. Give --yes.")
    state = detail.overview.state
    what = f"{count(state.documents, 'document')}, {count(state.nodes, 'node')}"
    return click.confirm(f"Remove {detail.overview.name} ({what}) from the index?", err=True)
