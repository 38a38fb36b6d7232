"""`lorekeeper sources`: what is indexed."""

from __future__ import annotations

import click

from adapters.cli_options import Place, json_option, place_options

# Those of kb/sources.py, which is slow to import; a test compares the two.
TYPES = (
    *("folder", "git", "web", "sitemap", "feed", "github", "gitlab"),
    *("slack_history", "discord_history", "object_store", "reader"),
)


@click.group(short_help="Add, list, show, pause and remove sources.", no_args_is_help=True)
@place_options
def sources() -> None:
    """Add, list, show, pause and remove the places that documents come from."""


@sources.command(short_help="Add a folder, a repository, web pages, an issue tracker, a channel, …")
@click.argument("location")
@click.option("--name", metavar="N", help="A short name. Default: taken from the location.")
@click.option("--type", "kind", type=click.Choice(TYPES), help="Default: guessed from the location.")
@click.option(
    "--every", metavar="TIME", help="How often: 30s, 15m, 2h, 1d, or cron: '0 3 * * *'. Default: 30m."
)
@click.option("--audience", metavar="TAG", multiple=True, help="Who may see it. Default: everyone.")
@click.option("--include", metavar="GLOB", multiple=True, help="Only paths that match.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="Never paths that match.")
@click.option("--branch", metavar="NAME", help="Branch or tag (git).")
@click.option("--folder", metavar="PATH", help="Only this folder of the repository (git).")
@click.option("--watch", is_flag=True, help="While serving, sync within seconds of an edit (folder).")
@click.option("--private-hosts", is_flag=True, help="Allow hosts of private networks.")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Any other setting of its type, such as depth=3.",
)
@json_option
@place_options
@click.pass_obj
def add(
    place: Place,
    /,
    location: str,
    kind: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    **options: object,
) -> int:
    """Add LOCATION: a folder, a git repository, a web address, a feed, s3://bucket/prefix, and others.

    The types and the settings of each are in docs/sources.md.
    """
    from adapters.managing import run_add

    given = {key: value for key, value in options.items() if value not in (None, (), False)}
    return run_add(place, location, kind=kind, options=given, settings=settings, as_json=as_json)


@sources.command("list", short_help="List the sources.")
@json_option
@place_options
@click.pass_obj
def list_sources(place: Place, as_json: bool) -> int:
    """List the sources, with what is stored of each."""
    from adapters.managing import run_list

    return run_list(place, as_json=as_json)


@sources.command(short_help="Show a source, its last runs and its errors.")
@click.argument("name")
@json_option
@place_options
@click.pass_obj
def show(place: Place, name: str, as_json: bool) -> int:
    """Show the source NAME: its settings, its last runs, the documents that could not be read."""
    from adapters.managing import run_show

    return run_show(place, name, as_json=as_json)


@sources.command(short_help="Remove a source and all that is stored of it.")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@place_options
@click.pass_obj
def remove(place: Place, name: str, yes: bool, as_json: bool) -> int:
    """Remove the source NAME and everything that is stored of it. Its files are not touched."""
    from adapters.managing import run_remove

    return run_remove(place, name, confirmed=yes, as_json=as_json)


@sources.command(short_help="Sync a source no more by schedule.")
@click.argument("name")
@json_option
@place_options
@click.pass_obj
def pause(place: Place, name: str, as_json: bool) -> int:
    """Sync the source NAME no more by schedule. `lorekeeper sync NAME` still does."""
    from adapters.managing import run_pause

    return run_pause(place, name, as_json=as_json)


@sources.command(short_help="Sync a paused or held source again.")
@click.argument("name")
@json_option
@place_options
@click.pass_obj
def resume(place: Place, name: str, as_json: bool) -> int:
    """Sync the source NAME by schedule again; it is due at once. Also releases one held since a rollback."""
    from adapters.managing import run_resume

    return run_resume(place, name, as_json=as_json)
