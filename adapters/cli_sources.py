"""`lorekeeper sources`: what is indexed."""

from __future__ import annotations

import click

from adapters.cli_options import Place, place_options

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output, nothing else.")


@click.group(short_help="Add, list, show and remove sources.", no_args_is_help=True)
@place_options
def sources() -> None:
    """Add, list, show and remove the places that documents come from."""


@sources.command(short_help="Add a folder or a git repository.")
@click.argument("location")
@click.option("--name", metavar="N", help="A short name. Default: taken from the location.")
@click.option(
    "--type", "kind", type=click.Choice(["folder", "git"]), help="Default: guessed from the location."
)
@click.option("--every", metavar="TIME", help="How often it is synced: 30s, 15m, 2h, 1d. Default: 30m.")
@click.option("--audience", metavar="TAG", multiple=True, help="Who may see it. Default: everyone.")
@click.option("--include", metavar="GLOB", multiple=True, help="Only paths that match.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="Never paths that match.")
@click.option("--branch", metavar="NAME", help="Branch or tag (git).")
@click.option("--folder", metavar="PATH", help="Only this folder of the repository (git).")
@click.option("--private-hosts", is_flag=True, help="Allow hosts of private networks (git).")
@_JSON
@place_options
@click.pass_obj
def add(place: Place, /, location: str, kind: str | None, as_json: bool, **options: object) -> int:
    """Add LOCATION: a folder, or a git repository (path, file://, https:// or ssh address)."""
    from adapters.managing import run_add

    given = {key: value for key, value in options.items() if value not in (None, (), False)}
    return run_add(place, location, kind=kind, options=given, as_json=as_json)


@sources.command("list", short_help="List the sources.")
@_JSON
@place_options
@click.pass_obj
def list_sources(place: Place, as_json: bool) -> int:
    """List the sources, with what is stored of each."""
    from adapters.managing import run_list

    return run_list(place, as_json=as_json)


@sources.command(short_help="Show a source, its last runs and its errors.")
@click.argument("name")
@_JSON
@place_options
@click.pass_obj
def show(place: Place, name: str, as_json: bool) -> int:
    """Show the source NAME: its settings, its last runs, the documents that could not be read."""
    from adapters.managing import run_show

    return run_show(place, name, as_json=as_json)


@sources.command(short_help="Remove a source and all that is stored of it.")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_JSON
@place_options
@click.pass_obj
def remove(place: Place, name: str, yes: bool, as_json: bool) -> int:
    """Remove the source NAME and everything that is stored of it. Its files are not touched."""
    from adapters.managing import run_remove

    return run_remove(place, name, confirmed=yes, as_json=as_json)
