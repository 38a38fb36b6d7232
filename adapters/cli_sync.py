"""`lorekeeper sync`, its history and rollback, and `lorekeeper status`."""

from __future__ import annotations

import click

from adapters.cli_options import Place, json_option, place_options

_SYNCS_SHOWN = 20
STOPPED_SYNC = "stopped; what was committed stays, run `lorekeeper sync` to resume"


@click.command(short_help="Bring the index up to date.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be done, change nothing.")
@click.option("--allow-deletes", is_flag=True, help="Carry out deletions that were held back.")
@click.option("--reembed", is_flag=True, help="Build the index anew, after a change of [embedding].")
@click.option("--history", is_flag=True, help="Show the last syncs, start none.")
@click.option("--limit", type=click.IntRange(1, 1000), help="How many syncs --history shows. Default: 20.")
@click.option("--rollback", metavar="RUN", help="Put a source back as it was before that sync, and hold it.")
@json_option
@place_options
@click.pass_obj
def sync(
    place: Place,
    names: tuple[str, ...],
    dry_run: bool,
    allow_deletes: bool,
    reembed: bool,
    history: bool,
    limit: int | None,
    rollback: str | None,
    as_json: bool,
) -> int:
    """Bring the index up to date with its sources, or only with the sources that are named."""
    changes = dry_run or allow_deletes or reembed
    if history:
        if changes or rollback:
            raise click.UsageError("--history only shows: give it with names, --limit and --json.")
        from adapters.history import run_history

        return run_history(place, names, limit=limit or _SYNCS_SHOWN, as_json=as_json)
    if limit is not None:
        raise click.UsageError("--limit says how many syncs --history shows: give it with --history.")
    if rollback:
        if changes or names:
            raise click.UsageError("--rollback takes one RUN: give it without names and other options.")
        from adapters.caring import run_rollback

        return run_rollback(place, rollback, as_json=as_json)
    from adapters.syncing import SyncRequest, run_sync

    if reembed and (names or dry_run):
        raise click.UsageError("--reembed builds the whole index: give it without names and --dry-run.")
    place.when_stopped = STOPPED_SYNC
    request = SyncRequest(names=names, dry_run=dry_run, allow_deletes=allow_deletes, reembed=reembed)
    return run_sync(place, request, as_json=as_json)


@click.command(short_help="Show sources, sizes, last syncs and errors.")
@json_option
@place_options
@click.pass_obj
def status(place: Place, as_json: bool) -> int:
    """Show sources, documents, last syncs, errors, the model and what it all takes on disk."""
    from adapters.managing import run_status

    return run_status(place, as_json=as_json)
