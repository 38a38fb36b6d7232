"""Run a command's body: settings read, logs in a file, parts opened and closed around it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from adapters.cli_options import Place
from adapters.collector import let_in
from adapters.runtime import Runtime
from adapters.settings import Settings, check_secrets, load_settings

Body = Callable[[Runtime], Awaitable[int]]

_LOG_BYTES = 2_000_000
_LOG_FILES = 3


def launch(place: Place, body: Body, *, settings: Settings | None = None, fresh: bool = False) -> int:
    """Run `body` with a runtime over the settings of `place`; return its exit code.

    With `fresh`, the runtime's index is a new one beside the current one.
    """
    if settings is None:
        settings = load_settings(place.config, place.data)
        check_secrets(settings)
    place.log_folder = settings.data.path / "logs"
    log_into(place.log_folder)
    return asyncio.run(_within(settings, body, fresh=fresh))


def log_into(folder: Path) -> None:
    """Send log lines to a file in `folder`, made with the first line; none go to the terminal."""
    root = logging.getLogger()
    root.handlers = [_LateFile(folder)]
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore", "alembic", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns of every tick that comes while another is under way, which is as it should be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _LateFile(RotatingFileHandler):
    """A log file whose folder is made when there is something to write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / "lorekeeper.log",
            maxBytes=_LOG_BYTES,
            backupCount=_LOG_FILES,
            encoding="utf-8",
            delay=True,
            errors="backslashreplace",
        )
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def _open(self) -> object:  # type: ignore[override] # the base class's own type is not public
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        """Stay silent: a full disk is told by the work itself, not by its log."""


async def _within(settings: Settings, body: Body, *, fresh: bool) -> int:
    let_in(asyncio.get_running_loop())
    async with Runtime(settings, fresh=fresh) as runtime:
        return await body(runtime)
