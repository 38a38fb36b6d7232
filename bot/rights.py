"""Who may change what the bot knows, and what others are told."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channels import is_named, may_change
from bot.chat import Person
from bot.chat_settings import PlatformSettings
from bot.errors import NotAllowed
from bot.texts import Texts

Platforms = Mapping[str, PlatformSettings]


def settings_of(platform: str, platforms: Platforms) -> PlatformSettings:
    """Return a platform's section; the defaults for one that has none."""
    return platforms.get(platform) or PlatformSettings()


def allowed(person: Person, platforms: Platforms) -> bool:
    """Tell whether a person may change sources and settings."""
    return may_change(person, settings_of(person.platform, platforms))


def require(person: Person, platforms: Platforms, words: Texts) -> None:
    """Raise `NotAllowed`, which names who may, unless a person may change sources and settings."""
    if not allowed(person, platforms):
        raise NotAllowed(words.not_allowed.format(who=who_may(person.platform, platforms, words)))


def who_may(platform: str, platforms: Platforms, words: Texts) -> str:
    """Return who may change sources, in a few words."""
    settings = settings_of(platform, platforms)
    named = settings.admins or settings.admin_groups
    return words.who_named.format(platform=platform) if named else words.who_admins


def is_operator(person: Person, platforms: Platforms) -> bool:
    """Tell whether the settings name a person: whoever runs the bot trusts them with its machine."""
    settings = settings_of(person.platform, platforms)
    return is_named(person, (*settings.admins, *settings.admin_groups))
