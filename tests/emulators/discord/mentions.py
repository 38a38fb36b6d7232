"""Who is mentioned in a text, and whom `allowed_mentions` lets it notify."""

from __future__ import annotations

import re
from typing import Any

from tests.emulators.discord.errors import Payload, invalid
from tests.emulators.discord.messages import Pings

_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_KINDS = frozenset({"users", "roles", "everyone"})


def named(text: str) -> Pings:
    """Return everyone whom a text names, whether it may notify them or not."""
    return Pings(
        users=set(_USER.findall(text)),
        roles=set(_ROLE.findall(text)),
        everyone=bool(_EVERYONE.search(text)),
    )


def notified(text: str, allowed: Payload | None, *, replied_to: str = "") -> Pings:
    """Return whom a message notifies. Without `allowed`, as with the API, it notifies everyone named."""
    found = named(text)
    if allowed is None:
        if replied_to:
            found.users.add(replied_to)
        return found
    parse, users, roles = _checked(allowed)
    if "users" not in parse:
        found.users &= users
    if "roles" not in parse:
        found.roles &= roles
    found.everyone = found.everyone and "everyone" in parse
    if replied_to and allowed.get("replied_user"):
        found.users.add(replied_to)
    return found


def _checked(allowed: Payload) -> tuple[set[str], set[str], set[str]]:
    parse = {str(one) for one in allowed.get("parse") or ()}
    if parse - _KINDS:
        raise invalid(
            "allowed_mentions.parse.0", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(_KINDS)}."
        )
    lists: dict[str, set[str]] = {}
    for kind in ("users", "roles"):
        given: list[Any] = allowed.get(kind) or []
        if len(given) > 100:
            raise invalid(
                f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length."
            )
        if given and kind in parse:
            raise invalid(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
        lists[kind] = {str(one) for one in given}
    return parse, lists["users"], lists["roles"]
