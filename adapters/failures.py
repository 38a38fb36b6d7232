"""How a failure ends the command: one line for the user, an exit code, a traceback in a file if it is ours.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 3 done with some documents failed, 4 a chat
platform refused the bot, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

from adapters.errors import AdapterError, PlatformRefused
from bot.errors import BotError, CommandError
from kb.errors import KnowledgeBaseError, SourceInvalid

DONE = 0
FAILED = 1
WRONG_USAGE = 2
PARTLY_DONE = 3
REFUSED = 4
STOPPED = 130

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6


def exit_code(error: BaseException) -> int:
    """Return the exit code that an error stands for."""
    if isinstance(error, PlatformRefused):
        return REFUSED
    return WRONG_USAGE if isinstance(error, AdapterError | CommandError | SourceInvalid) else FAILED


def describe(error: BaseException) -> str | None:
    """Return an expected error's line; None for one that is a fault of the program."""
    if isinstance(error, AdapterError | BotError | KnowledgeBaseError):
        return one_line(str(error))
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk is full{_named(error)}. Free some space and run it again."
    if isinstance(error, PermissionError):
        return f"no permission{_named(error)}. Check its owner and mode."
    if isinstance(error, MemoryError):
        return "out of memory. Close other programs, or index smaller sources."
    return None


def keep_traceback(error: BaseException, folder: Path | None) -> str:
    """Write the traceback into `folder`, secrets masked, and return the line that says where it is."""
    import secrets
    import tempfile
    import traceback

    identity = secrets.token_hex(4)
    text = mask_secrets("".join(traceback.format_exception(error)), os.environ)
    spare = Path(tempfile.gettempdir()) / "lorekeeper-logs"
    for place in (folder or spare, spare):
        path = place / f"error-{identity}.txt"
        try:
            place.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return f"internal error {identity} ({type(error).__name__}). Details: {path}. Please report it."
    return f"internal error ({type(error).__name__}), and no folder to write the details to."


def mask_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Replace every secret of the environment in `text`."""
    values = (value for name, value in environment.items() if _SECRET_NAME.search(name))
    for value in sorted({value for value in values if len(value) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(value, "***")
    return text


def one_line(text: str) -> str:
    """Fold a text into one printable line."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))


def _named(error: OSError) -> str:
    return f": {os.fspath(error.filename)!r}" if error.filename else ""
