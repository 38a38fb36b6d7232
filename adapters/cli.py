"""The command `lorekeeper`: its groups, and how every way of ending it looks to a user.

This module and the `cli_*` modules beside it import nothing heavy: what a command needs is imported when
it runs, so that `--help` and a wrong option answer at once.
"""

from __future__ import annotations

import os
import sys

import click

from adapters import cli_answers, cli_care, cli_chat, cli_persona, cli_serve, cli_sources, cli_start, cli_sync
from adapters.cli_options import Place, place_options
from adapters.collector import held_back
from adapters.failures import DONE, FAILED, STOPPED, WRONG_USAGE, describe, exit_code, keep_traceback

COMMANDS: tuple[click.Command, ...] = (
    cli_start.demo,
    cli_start.init,
    cli_answers.ask,
    cli_answers.search,
    cli_sources.sources,
    cli_sync.sync,
    cli_sync.status,
    cli_serve.serve,
    cli_start.doctor,
    cli_chat.slack,
    cli_chat.discord,
    cli_persona.persona,
    cli_care.diff,
    cli_care.backup,
    cli_care.restore,
    cli_care.repair,
)


class Ordered(click.Group):
    """A group that lists its commands in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they were added."""
        return list(self.commands)


@click.group(cls=Ordered, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lorekeeper", message="%(prog)s %(version)s")
@place_options
def lorekeeper() -> None:
    """Answer questions from your own documents, with citations.

    Start with `lorekeeper demo`, or with `lorekeeper sources add FOLDER`, `lorekeeper sync` and
    `lorekeeper ask "…"`.
    """


for _command in COMMANDS:
    lorekeeper.add_command(_command)


def main() -> None:
    """Run the command and end the process with its exit code."""
    with held_back():
        _run(Place())


def _run(place: Place) -> None:
    try:
        code = lorekeeper.main(obj=place, prog_name="lorekeeper", standalone_mode=False)
        _finish(code if isinstance(code, int) else DONE)
    except click.ClickException as error:
        _usage(error)
    except (KeyboardInterrupt, click.Abort):
        _stop(place)
    except BrokenPipeError:
        _hush()
    except Exception as error:  # noqa: BLE001 - the last resort: a user sees one line, never a traceback
        _fail(error, place)


def _finish(code: int) -> None:
    """Flush now, so that a reader who went away is noticed here and not by the interpreter."""
    try:
        if sys.stdout is not None:  # None: the caller closed it
            sys.stdout.flush()
    except BrokenPipeError:
        _hush()
    sys.exit(code)


def _usage(error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help() if error.ctx else "")
        sys.exit(WRONG_USAGE)
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "lorekeeper"
    message = " ".join(error.format_message().split())
    message = message if message.endswith((".", "?", "!")) else f"{message}."
    click.echo(f"{path}: {message} Help: {path} --help", err=True)
    sys.exit(WRONG_USAGE)


def _stop(place: Place) -> None:
    click.echo(f"\n{place.when_stopped}", err=True)
    sys.exit(STOPPED)


def _hush() -> None:
    """End without a word: the reader of a pipe has read enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(FAILED)


def _fail(error: Exception, place: Place) -> None:
    known = describe(error)
    if known is None:
        known = keep_traceback(error, place.log_folder)
    click.echo(f"lorekeeper: {known}", err=True)
    sys.exit(exit_code(error))
