"""`lorekeeper slack` and `lorekeeper discord`: what setting up a chat platform needs."""

from __future__ import annotations

import click

from adapters.cli_options import Place, place_options


@click.group(short_help="Set up Slack: the app manifest.")
@place_options
def slack() -> None:
    """Set up Slack."""


@slack.command(short_help="Print the app manifest.")
@click.option("--name", default="Lorekeeper", show_default=True, help="What the app is called.")
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="Where Slack reaches this server: https://bot.example.com (http).",
)
@place_options
@click.pass_obj
def manifest(place: Place, name: str, url: str) -> int:
    """Print the manifest from which Slack makes the app: api.slack.com/apps, New App, From a manifest."""
    from adapters.chat_setup import run_manifest

    return run_manifest(place, name=name, url=url)


@click.group(short_help="Set up Discord: the invite link.")
@place_options
def discord() -> None:
    """Set up Discord."""


@discord.command(short_help="Print the link that invites the bot.")
@click.option("--id", "application", default="", metavar="ID", help="The application's id; else it is asked.")
@place_options
@click.pass_obj
def invite(place: Place, application: str) -> int:
    """Print the link that invites the bot into a server, with the least rights that it needs."""
    from adapters.chat_setup import run_invite

    return run_invite(place, application=application)
