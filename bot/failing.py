"""What a reader in a chat is told of an error: a line in their language, one for each kind of error.

What a system said itself follows only for those who can do something about it; for all others it is in the
log, under the id that they are told.
"""

from __future__ import annotations

import logging
import uuid

from bot.errors import CommandError
from bot.output_gate import defang_line
from bot.texts import ENGLISH, Texts, translated

log = logging.getLogger(__name__)


def failure_line(error: Exception, words: Texts, *, detail: bool = False) -> str:
    """Return one line about an error; with `detail`, the error's own English words are part of it.

    A `CommandError` speaks to its reader already.
    """
    if isinstance(error, CommandError):
        return defang_line(translated(str(error), words.language))
    line = next(words.failures[one.__name__] for one in type(error).__mro__ if one.__name__ in words.failures)
    if detail:
        return defang_line(str(error) if words is ENGLISH else f"{line} {error}")
    number = uuid.uuid4().hex[:8]
    log.warning("a reader was told of an error log=%s kind=%s: %s", number, type(error).__name__, error)
    return words.logged.format(line=line, id=number)
