"""Both platforms in one `lorekeeper serve`, as its own process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.runtime import Runtime
from adapters.settings import load_settings
from tests.adapters.command import LOREKEEPER
from tests.contracts import discord_chat_world, slack_chat_world
from tests.contracts.chat_world import SECONDS, words
from tests.emulators.discord.server import DiscordEmulator
from tests.emulators.slack.server import SlackEmulator

SOURCE = """
[[sources]]
name = "handbook"
type = "folder"
location = "handbook"

[schedule]
enabled = false
"""
QUESTION = "How many days of paid leave does everybody have?"
ANSWER = "Everybody has 28 days of paid leave a year."


@asynccontextmanager
async def served(folder: Path, secrets: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the process, its folder synced before; whatever happens it is gone after the block."""
    async with Runtime(load_settings(folder / "config.toml")) as runtime:
        commands = await runtime.commands()
        for source in await commands.sources():
            assert (await commands.sync(source)).status == "ok"
    process = await asyncio.create_subprocess_exec(
        str(LOREKEEPER),
        "serve",
        cwd=folder,
        env={**os.environ, "HOME": str(folder), **secrets},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_both_bots_serve_in_one_process(tmp_path: Path) -> None:
    """One process answers the same in Slack and in Discord, remembers both, and ends at one signal."""
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "leave.md").write_text(f"# Leave\n\n{ANSWER}\n", encoding="utf-8")
    async with SlackEmulator().running() as slack, DiscordEmulator().running() as discord:
        ann = slack.add_user("Ann")
        channel = slack.add_channel("general", members=[ann])
        guild = discord.add_guild()
        general, bea = discord.add_channel(guild), discord.add_member(guild, "Bea")
        settings = slack_chat_world.SETTINGS.format(slack=slack, ann=ann)
        settings += discord_chat_world.SETTINGS.format(discord=discord, ann=bea)
        (tmp_path / "config.toml").write_text(SOURCE + settings, encoding="utf-8")
        secrets = slack_chat_world.secrets(slack) | discord_chat_world.secrets(discord)
        async with served(tmp_path, secrets) as process:
            await asyncio.gather(slack.connected(2, SECONDS), discord_chat_world.registered(discord))
            ts = await slack.say(channel, ann, f"{slack.mention} {QUESTION}")
            asked = await discord.say(general, bea, f"{discord.bot.mention} {QUESTION}")
            await slack.wait_for(
                lambda: any(map(slack_chat_world.is_whole, slack.messages(channel, ts))), SECONDS
            )
            await discord.wait_for(lambda: any(one.buttons() for one in discord.replies(asked)), SECONDS)
            process.terminate()
            _, err = await asyncio.wait_for(process.communicate(), SECONDS)
        (in_slack,), (in_discord,) = slack.messages(channel, ts), discord.replies(asked)
    assert words(ANSWER) in words(slack_chat_world.seen(in_slack))
    assert words(ANSWER) in words(in_discord.text)
    assert process.returncode == 0
    assert b"Serving Slack, Discord, 1 source." in err
    async with Runtime(load_settings(tmp_path / "config.toml")) as runtime:
        rows = await (await runtime.ledger()).recent()
    assert sorted(row.asker.partition(":")[0] for row in rows) == ["discord", "slack"]
    assert len({row.answer for row in rows}) == 1
