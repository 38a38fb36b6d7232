"""Presses on the bot's own buttons, as discord.py hands them on.

The buttons are one `DynamicItem`: all that a press means is in the custom id, so one class serves every
button that this or an earlier process has posted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Self

import discord
from discord.ui import Button, DynamicItem, Item

from adapters.discord.interactions import COMPONENT

Took = Callable[[Mapping[str, Any]], None]


def dynamic_button(took: Took) -> type[DynamicItem[Any]]:
    """Return the class of all our buttons. `took` is given each press as the gateway's payload has it."""

    class OurButton(DynamicItem[Button[Any]], template=r"lk:[\s\S]+"):
        """A button whose custom id begins with "lk:"."""

        @classmethod
        async def from_custom_id(
            cls, interaction: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
        ) -> Self:
            """Return the button that was pressed."""
            assert isinstance(item, Button)  # nothing else of ours has such an id
            return cls(item)

        async def callback(self, interaction: discord.Interaction[Any]) -> None:
            """Hand a press on."""
            took(_press(interaction, self.item.label or ""))

    return OurButton


def _press(interaction: discord.Interaction[Any], label: str) -> dict[str, Any]:
    """Return a press as data: who, where, on what, and what answers it. `label` is what the button says."""
    user = interaction.user
    person = {"id": str(user.id), "username": user.name, "global_name": user.global_name}
    pressed: dict[str, Any] = {
        "id": str(interaction.id),
        "type": COMPONENT,
        "token": interaction.token,
        "application_id": str(interaction.application_id),
        "guild_id": str(interaction.guild_id or ""),
        "channel_id": str(interaction.channel_id or ""),
        "locale": str(interaction.locale),
        "data": {**(interaction.data or {}), "label": label},
    }
    if not isinstance(user, discord.Member):
        return pressed | {"user": person}
    roles = [str(role.id) for role in user.roles if not role.is_default()]
    rights = str(interaction.permissions.value)
    return pressed | {"member": {"user": person, "nick": user.nick, "roles": roles, "permissions": rights}}
