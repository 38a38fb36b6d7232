"""What all commands take: where the settings and the data are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(slots=True)
class Place:
    """What the options before and after a command said; the later one counts.

    `log_folder` is set once the data folder is known; until then a log goes to a temporary folder.
    `when_stopped` is the line that Ctrl-C ends with.
    """

    config: Path | None = None
    data: Path | None = None
    log_folder: Path | None = None
    when_stopped: str = "stopped"


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON to standard output, nothing else."
)


def place_options(function: Function) -> Function:
    """Add --config and --data to a command or group."""
    config = click.option(
        "--config",
        metavar="PATH",
        type=click.Path(path_type=Path),
        callback=_keep,
        expose_value=False,
        help="Settings file. Default: $LOREKEEPER_CONFIG, then ./config.toml, then built-in defaults.",
    )
    data = click.option(
        "--data",
        metavar="DIR",
        type=click.Path(path_type=Path),
        callback=_keep,
        expose_value=False,
        help="Folder of index and database. Default: .lorekeeper, or what the settings say.",
    )
    return config(data(function))


def _keep(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    if value is not None and parameter.name:
        setattr(context.ensure_object(Place), parameter.name, value)
