"""What this layer raises itself.

    AdapterError
    ├── SettingsError     the settings file, an environment variable or a secret is wrong
    ├── UsageError        a command was given something it cannot work with
    ├── Remark            a check found something worth saying that keeps nothing from working
    └── PlatformRefused   a chat platform does not let the bot in: its token or its rights are wrong

Every message is one line that names the thing, says what is wrong, and then what to do.
"""

from __future__ import annotations


class AdapterError(Exception):
    """Base of all errors of this layer; its text is fit to be shown to a user."""


class SettingsError(AdapterError):
    """The settings cannot be used."""


class UsageError(AdapterError):
    """A command was given something it cannot work with."""


class PlatformRefused(AdapterError):
    """A chat platform does not let the bot in; trying again changes nothing."""


class Remark(AdapterError):
    """A check found something worth saying that keeps nothing from working."""
