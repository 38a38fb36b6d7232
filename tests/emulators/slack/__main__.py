"""Run the emulator as a process: `python -m tests.emulators.slack --port 0`.

It prints one line of JSON with its addresses and tokens, and ends at SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys

from tests.emulators.slack.control import Control
from tests.emulators.slack.server import SlackEmulator


async def serve(port: int) -> None:
    """Serve until the process is told to end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SlackEmulator().running(port) as slack:
        sys.stdout.write(json.dumps(Control(slack).state()) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.slack")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0: any free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
