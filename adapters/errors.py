"""What this layer raises itself.

    AdapterError
    ├── SettingsError   the settings file, an environment variable or a secret is wrong
    └── UsageError      a command was given something it cannot work with

Every message is one line that names the thing, says what is wrong, and then what to do.
"""

from __future__ import annotations


class AdapterError(Exception):
    """Base of all errors of this layer; its text is fit to be shown to a user."""


class SettingsError(AdapterError):
    """The settings cannot be used."""


class UsageError(AdapterError):
    """A command was given something it cannot work with."""
