"""What the chats of one process are told beside answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from adapters.chatting import Chat
from bot.channels import ChannelRules
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.notices import sync_notice
from kb.reports import DocumentError, SyncReport
from kb.schedules import Schedule
from tests.bot.surface import ScriptedSurface


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A platform's app."""

    surface: ScriptedSurface

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


async def test_a_failed_sync_is_told_in_the_language_of_its_channel() -> None:
    """The channel that hears of syncs may have a language of its own; else it is the platform's."""
    apps = {name: App(surface=ScriptedSurface(platform=name)) for name in ("slack", "discord")}
    platforms = {name: PlatformSettings(notices="C9", language="de") for name in apps}
    channel = ChannelSettings(platform="slack", id="C9", language="fr")
    unused = cast("Any", None)
    chat = Chat(
        unused,
        cast("Any", apps),
        ChannelRules([channel], platforms),
        drain_seconds=1,
        news=sync_notice,
        before={},
        commands=unused,
    )
    report = SyncReport(
        source="rules", status="failed", errors=(DocumentError(document="", reason="It is gone."),)
    )
    chat.told(report, Schedule(source="rules", every="1h", next_run=0.0, failures=1))
    await asyncio.gather(*chat._telling)
    [(_, french)] = apps["slack"].surface.lines
    [(_, german)] = apps["discord"].surface.lines
    assert french.startswith("La synchronisation de **rules** a échoué : It is gone.")
    assert german.startswith("Der Abgleich von **rules** ist misslungen: It is gone.")
