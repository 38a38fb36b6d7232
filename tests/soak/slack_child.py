"""Starts `lorekeeper serve` again and again in no time: its modules are loaded once, each start is a fork.

Every line that comes in starts a process, whose id goes out. The processes outlive this one.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

from adapters.cli import main

# What `serve` imports when it needs it.
_LATER = (
    "adapters.chatting", "adapters.cli_serve", "adapters.runtime", "adapters.serving",
    "adapters.slack.app", "alembic.command", "apscheduler.schedulers.asyncio", "bot.aftercare",
    "bot.channels", "bot.chat_commands", "bot.curated", "bot.desk", "bot.extractive_synthesizer", "bot.home",
    "bot.inbox", "bot.replies",
)  # fmt: skip


def serve() -> None:
    """Start a process for each line."""
    for name in _LATER:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries who was killed
    sys.argv = ["lorekeeper", "serve"]
    for _ in sys.stdin:
        if not (child := os.fork()):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            main()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
