"""What `sync --history` shows: how each sync went, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.cli_options import Place
from adapters.failures import DONE
from adapters.figures import ago, duration
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say, show_table
from kb.runs import Run

RUN_COLUMNS = ("Run", "Started", "State", "Changes", "Took>", "Error")

_SHORT_ID = 8


def run_history(place: Place, names: Sequence[str], *, limit: int, as_json: bool) -> int:
    """Show the last runs of the named sources, or of all, newest first."""

    async def body(runtime: Runtime) -> int:
        runs = await (await runtime.commands()).history(names, limit)
        if as_json:
            emit(json_text([{"source": run.source, **run_json(run)} for run in runs]))
            return DONE
        out, _ = open_consoles()
        if not runs:
            say(out, "Nothing was synced yet. Begin with: lorekeeper sync")
            return DONE
        show_table(out, ("Source", *RUN_COLUMNS), ((run.source, *run_row(run)) for run in runs))
        return DONE

    return launch(place, body)


def run_row(run: Run) -> tuple[str, ...]:
    """Return a run as a row of a table with `RUN_COLUMNS`."""
    took = duration(run.finished - run.started) if run.finished else ""
    state = run.status if run.kind == "sync" else f"{run.kind} {run.status}"
    return (run.id[:_SHORT_ID], ago(run.started), state, _changes(run), took, run.error)


def run_json(run: Run) -> dict[str, Any]:
    """Return a run for programs; the versions are those of the index around it."""
    return {
        "run": run.id,
        "kind": run.kind,
        "started": iso(run.started),
        "finished": iso(run.finished),
        "status": run.status,
        "error": run.error,
        "version_before": run.version_before,
        "version_after": run.version_after,
        "report": run.report,
    }


def iso(moment: float | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _changes(run: Run) -> str:
    if run.status == "running":
        return ""
    keys = ("added", "updated", "deleted", "held", "failed")
    report = run.report or {}
    return ", ".join(f"{report[key]:,} {key}" for key in keys if report.get(key)) or "no change"
