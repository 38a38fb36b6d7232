"""Everything this layer raises.

    BotError
    ├── ModelError            the language model gave no usable answer
    │   ├── ModelUnavailable  it cannot be reached, is overloaded or timed out
    │   ├── ModelRefused      it rejected the request (key, quota, unknown model, content)
    │   └── DraftRejected     what it wrote does not stand on the passages that were found
    ├── CommandError          a command cannot be carried out as it was written
    │   └── NotAllowed            whoever asks may not do that
    └── SurfaceError          a chat platform did not take what was said
        ├── SurfaceBusy           not now: try again later
        └── SurfaceGone           the place, the message or the right to write there is gone

Every message is one line that names the thing, says what is wrong, and then what to do.
"""

from __future__ import annotations


class BotError(Exception):
    """Base of all errors of this layer; its text is fit to be shown to a user."""


class ModelError(BotError):
    """The language model gave no usable answer. `reason` says why in a few words, for a reader in a chat."""

    def __init__(self, message: str, *, reason: str = "the model gave no usable answer") -> None:
        super().__init__(message)
        self.reason = reason


class ModelUnavailable(ModelError):
    """The model cannot be reached, is overloaded or took too long."""


class ModelRefused(ModelError):
    """The model's server rejected the request."""


class DraftRejected(ModelError):
    """What the model wrote does not stand on the passages that were found."""


class CommandError(BotError):
    """A command cannot be carried out as it was written."""


class NotAllowed(CommandError):
    """Whoever asks may not do that."""


class SurfaceError(BotError):
    """A chat platform did not take what was said."""


class SurfaceBusy(SurfaceError):
    """The platform cannot take it now. `seconds` is how long it asks to wait, None when it does not say."""

    def __init__(self, message: str, *, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class SurfaceGone(SurfaceError):
    """The place, the message or the right to write there is gone; trying again changes nothing."""
