"""`lorekeeper demo`, `lorekeeper init` and `lorekeeper doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.cli_options import Place, json_option, place_options
from adapters.errors import UsageError


@click.command(short_help="Try it: no settings, no key.")
@place_options
@click.pass_obj
def demo(place: Place) -> int:
    """Index the documents that ship with the program, answer three questions, then offer to chat."""
    from adapters.demo import run_demo

    return run_demo(place)


@click.command(short_help="Write a commented config.toml.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@place_options
def init(folder: Path, force: bool) -> int:
    """Write a config.toml with every setting, its default and what it means into DIR (default: here)."""
    from adapters.resources import example_config

    path = folder / "config.toml"
    if path.exists() and not force:
        raise UsageError(f"{str(path)!r} exists. It stays as it is; --force writes over it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(example_config(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {path}")
    click.echo('Next: lorekeeper sources add FOLDER, lorekeeper sync, lorekeeper ask "…"')
    return 0


@click.command(short_help="Check settings, model and store.")
@json_option
@place_options
@click.pass_obj
def doctor(place: Place, as_json: bool) -> int:
    """Check settings, model, store and sources, and say what to do about what is wrong."""
    from adapters.doctor import run_doctor

    return run_doctor(place, as_json=as_json)
