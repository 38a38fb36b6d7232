"""What making a data set raises, beside what the layer raises.

CommandError
└── DatasetRefused        the data set cannot be made as it was asked for
    └── ExportUnreadable      a file is not what it was given as
"""

from __future__ import annotations

from bot.errors import CommandError


class DatasetRefused(CommandError):
    """The data set cannot be made as it was asked for."""


class ExportUnreadable(DatasetRefused):
    """A file is not an export that can be read."""
