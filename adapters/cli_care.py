"""`lorekeeper diff`, `backup`, `restore` and `repair`."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.cli_options import Place, json_option, place_options


@click.command(short_help="Show what a sync changed.")
@click.argument("run")
@json_option
@place_options
@click.pass_obj
def diff(place: Place, run: str, as_json: bool) -> int:
    """Show the documents and passages that the sync RUN changed. `lorekeeper sync --history` lists syncs."""
    from adapters.caring import run_diff

    return run_diff(place, run, as_json=as_json)


@click.command(short_help="Write everything into one file.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
@place_options
@click.pass_obj
def backup(place: Place, file: Path | None, as_json: bool) -> int:
    """Write index and database into FILE, while syncs and questions go on.

    FILE must not exist yet; it is a tar archive. Default: lorekeeper-DATE-TIME.tar in this folder.
    """
    from adapters.caring import run_backup

    return run_backup(place, file, as_json=as_json)


@click.command(short_help="Bring a backup back.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there; it is moved aside.")
@json_option
@place_options
@click.pass_obj
def restore(place: Place, file: Path, force: bool, as_json: bool) -> int:
    """Bring the backup FILE back into the data folder. Stop `lorekeeper serve` first."""
    from adapters.caring import run_restore

    return run_restore(place, file, force=force, as_json=as_json)


@click.command(short_help="Mend index and database after damage.")
@json_option
@place_options
@click.pass_obj
def repair(place: Place, as_json: bool) -> int:
    """Mend what was damaged and compare index and database; the next sync reads what differs."""
    from adapters.caring import run_repair

    return run_repair(place, as_json=as_json)
