"""What the chats of one process are told beside answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from adapters.chatting import Chat
from adapters.discord.settings import DiscordSettings
from adapters.slack.settings import SlackSettings
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


DISCORD = DiscordSettings(notices="9")


async def heard(rules: ChannelRules, report: SyncReport, *, failures: int = 0) -> dict[str, str]:
    """Return the line that each platform's channel hears of a sync."""
    apps = {name: App(surface=ScriptedSurface(platform=name)) for name in rules.platforms}
    unused = cast("Any", None)
    chat = Chat(
        unused, cast("Any", apps), rules, drain_seconds=1, news=sync_notice, before={}, commands=unused
    )
    chat.told(report, Schedule(source=report.source, every="1h", next_run=0.0, failures=failures))
    await asyncio.gather(*chat._telling)
    return {name: line for name, app in apps.items() for _, line in app.surface.lines}


async def test_a_failed_sync_is_told_in_the_language_of_its_channel() -> None:
    """The channel that hears of syncs may have a language of its own; else it is the platform's."""
    platforms = {name: PlatformSettings(notices="C9", language="de") for name in ("slack", "discord")}
    channel = ChannelSettings(platform="slack", id="C9", language="fr")
    report = SyncReport(
        source="rules", status="failed", errors=(DocumentError(document="", reason="It is gone."),)
    )
    told = await heard(ChannelRules([channel], platforms), report, failures=1)
    assert told["slack"].startswith("La synchronisation de **rules** a échoué\u00a0: It is gone.")
    assert told["discord"].startswith("Der Abgleich von **rules** ist misslungen: It is gone.")


async def test_a_notice_names_the_command_of_its_platform() -> None:
    """What carries out deletions that were held back is told as it is typed where it is read."""
    platforms = {"slack": SlackSettings(notices="C9", command="/wissen"), "discord": DISCORD}
    told = await heard(ChannelRules([], platforms), SyncReport(source="rules", status="held", held=3))
    assert "`/wissen sync rules allow deletes`" in told["slack"]
    assert "`/kb sync rules allow deletes`" in told["discord"]
