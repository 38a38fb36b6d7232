"""`python -m tests.emulators.discord --port 0` serves an emulator and prints one line of JSON: where it is.

It begins with one server that has a channel, a forum and a member. The line has the fields of
`control.state`; requests to `control_url` steer it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from aiohttp import web

from tests.emulators.discord.control import Control, state
from tests.emulators.discord.server import TOKEN, DiscordEmulator


class _Steered(DiscordEmulator):
    """An emulator that serves its control too."""

    def mount(self, app: web.Application) -> None:
        super().mount(app)
        Control(self).mount(app)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.emulators.discord", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--no-message-content", action="store_true", help="without that intent")
    parser.add_argument("--members", action="store_true", help="with the members intent")
    parser.add_argument("--real-limits", action="store_true", help="rate limits as Discord has them")
    parser.add_argument("--check", action="store_true", help="check bodies by the OpenAPI document")
    parser.add_argument("--heartbeat", type=float, default=41.25, help="seconds between heartbeats")
    return parser.parse_args()


async def _serve(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    emulator = _Steered(
        token=given.token,
        message_content=not given.no_message_content,
        members=given.members,
        heartbeat_seconds=given.heartbeat,
        real_limits=given.real_limits,
        check=given.check,
    )
    async with emulator.running(host=given.host, port=given.port):
        guild = emulator.add_guild("Acme")
        emulator.add_channel(guild, "general")
        emulator.add_forum(guild, "help")
        emulator.add_member(guild, "Ann")
        sys.stdout.write(json.dumps(state(emulator)) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
