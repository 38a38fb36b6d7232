"""What `sync --rollback`, `diff`, `backup`, `restore` and `repair` do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from adapters.cli_options import Place
from adapters.failures import DONE, PARTLY_DONE
from adapters.figures import ago, count, size
from adapters.launch import launch
from adapters.plain import emit, json_text
from adapters.runtime import Runtime
from adapters.terminal import open_consoles, say

if TYPE_CHECKING:
    from kb.backup import BackupManifest
    from kb.diffing import RunDiff
    from kb.manifest import Run
    from kb.repairing import RepairReport

_FOLDERS = ("curated",)  # what people saved from their chats; a test compares it with bot.curated
_SHOWN_PASSAGES = 40
_SHOWN_TEXT = 160
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def run_rollback(place: Place, run_id: str, *, as_json: bool) -> int:
    """Put a source back as it was before a run, and hold it there."""

    async def body(runtime: Runtime) -> int:
        from kb.documents import Audience
        from kb.lookback import find_run
        from kb.rollback import Rollback

        manifest = await runtime.manifest()
        run = await find_run(manifest, run_id)
        defined = {source.name: source for source in await (await runtime.commands()).sources()}
        source = defined.get(run.source)
        tags = None if source is None else Audience(source.seen_by).stored()
        report = await Rollback(await runtime.store(), manifest).run(run, tags=tags)
        if as_json:
            emit(json_text({"run": run.id, **report.as_json()}))
            return DONE
        out, _ = open_consoles()
        changed = f"{report.added:,} brought back, {report.updated:,} changed, {report.deleted:,} taken out"
        say(out, f"{run.source} is as it was {ago(run.started)}, before run {run.id[:8]}: {changed}", "green")
        say(out, f"It stays so until you release it: lorekeeper sources resume {run.source}")
        return DONE

    return launch(place, body)


def run_diff(place: Place, run_id: str, *, as_json: bool) -> int:
    """Show what a run changed."""

    async def body(runtime: Runtime) -> int:
        from kb.diffing import diff_run
        from kb.lookback import find_run

        run = await find_run(await runtime.manifest(), run_id)
        diff = await diff_run(await runtime.store(), run)
        if as_json:
            emit(json_text(diff_json(run, diff)))
        else:
            _show_diff(open_consoles()[0], run, diff)
        return DONE

    return launch(place, body)


def run_backup(place: Place, file: Path | None, *, as_json: bool) -> int:
    """Write a backup."""

    async def body(runtime: Runtime) -> int:
        from kb.backup import back_up, default_name

        target = (file or Path(default_name())).absolute()
        store, engine = await runtime.store(), await runtime.engine()
        made = await back_up(store, engine, target, data=runtime.data, folders=_FOLDERS)
        if as_json:
            emit(json_text(backup_json(target, made)))
            return DONE
        held = f"{count(made.nodes, 'node')}, {count(sum(made.tables.values()), 'row')}"
        say(open_consoles()[0], f"Wrote {target} ({size(target.stat().st_size)}; {held})", "green")
        return DONE

    return launch(place, body)


def run_restore(place: Place, file: Path, *, force: bool, as_json: bool) -> int:
    """Bring a backup back."""

    async def body(runtime: Runtime) -> int:
        from bot import ledger
        from kb import database
        from kb.restoring import Schema, restore

        schemas = (
            Schema(scripts=database.MIGRATIONS, table=database.VERSION_TABLE),
            Schema(scripts=ledger.MIGRATIONS, table=ledger.VERSION_TABLE),
        )
        url = runtime.settings.database.url
        done = await restore(file, runtime.data, url=url, schemas=schemas, folders=_FOLDERS, force=force)
        if as_json:
            aside = str(done.aside) if done.aside else None
            emit(json_text({**backup_json(file, done.manifest), "data": str(runtime.data), "aside": aside}))
            return DONE
        out, _ = open_consoles()
        made = datetime.fromtimestamp(done.manifest.made, UTC).strftime("%Y-%m-%d %H:%M UTC")
        nodes = count(done.manifest.nodes, "node")
        say(out, f"Restored {nodes} of {made} into {runtime.data}", "green")
        if done.aside:
            say(out, f"What was there lies in {done.aside}; remove it when all is well.")
        return DONE

    return launch(place, body)


def run_repair(place: Place, *, as_json: bool) -> int:
    """Mend what is damaged; a source that could not be looked at makes it partly done."""

    async def body(runtime: Runtime) -> int:
        from kb.repairing import mend_database, repair

        mended = await mend_database(runtime.settings.database.url, runtime.data)
        report = await repair(await runtime.store(), await runtime.manifest(), mended=mended)
        if as_json:
            emit(json_text(report.as_json()))
        else:
            _show_repair(open_consoles()[0], report)
        return PARTLY_DONE if any(source.skipped for source in report.sources) else DONE

    return launch(place, body)


def diff_json(run: Run, diff: RunDiff) -> dict[str, Any]:
    """Return a run's changes for programs; times are ISO 8601."""
    started = datetime.fromtimestamp(run.started, UTC).isoformat(timespec="seconds")
    return {"run": run.id, "source": run.source, "kind": run.kind, "started": started, **diff.as_json()}


def backup_json(file: Path, manifest: BackupManifest) -> dict[str, Any]:
    """Return what a backup holds, for programs."""
    return {
        "file": str(file),
        "made": datetime.fromtimestamp(manifest.made, UTC).isoformat(timespec="seconds"),
        "nodes": manifest.nodes,
        "rows": sum(manifest.tables.values()),
        "model": manifest.store.get("model"),
        "state_hash": manifest.state_hash,
    }


def _show_diff(out: Console, run: Run, diff: RunDiff) -> None:
    what = {"added": diff.added, "removed": diff.removed, "changed": diff.changed}
    counts = ", ".join(f"{len(uris):,} {name}" for name, uris in what.items() if uris)
    say(out, f"{run.source}, {run.kind} {run.id[:8]} of {ago(run.started)}: {counts or 'no change'}")
    for name, uris in what.items():
        for uri in uris:
            say(out, f"{_SIGNS[name][0]} {uri}", _SIGNS[name][1])
    document = ""
    for passage in diff.passages[:_SHOWN_PASSAGES]:
        if passage.document != document:
            document = passage.document
            out.print()
            say(out, document, "bold")
        sign, style = _SIGNS[passage.change]
        heading = f"{passage.heading}: " if passage.heading else ""
        say(out, f"{sign} {heading}{_shortened(passage.text)}", style, indent=2)
    if (rest := len(diff.passages) - _SHOWN_PASSAGES) > 0:
        say(out, f"and {count(rest, 'more passage')}: --json lists them all")


def _show_repair(out: Console, report: RepairReport) -> None:
    if report.whole:
        say(out, "Index and database are whole.", "green")
        return
    for line in report.mended:
        say(out, f"{line[:1].upper()}{line[1:]}.", "yellow")
    for source in report.sources:
        if source.skipped:
            say(out, f"{source.source}: {source.skipped}", "yellow")
            continue
        done = [
            f"{count(source.rebuilt, 'row')} made from the index" if source.rebuilt else "",
            f"{count(source.requeued, 'document')} to be read again" if source.requeued else "",
        ]
        say(out, f"{source.source}: {', '.join(part for part in done if part) or 'whole'}")
    if any(source.rebuilt or source.requeued for source in report.sources):
        say(out, "Next: lorekeeper sync")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_TEXT else f"{line[:_SHOWN_TEXT]} …"
