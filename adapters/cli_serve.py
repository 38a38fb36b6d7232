"""`lorekeeper serve`."""

from __future__ import annotations

import click

from adapters.cli_options import Place, place_options


@click.command(short_help="Answer in chats and sync by schedule, until a signal.")
@place_options
@click.pass_obj
def serve(place: Place) -> int:
    """Answer in the chats that are enabled and sync every source when it is due, until SIGTERM or Ctrl-C.

    Several processes may serve one database: each source is synced by one of them at a time.
    """
    from adapters.serving import run_serve

    return run_serve(place)
