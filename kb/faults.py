"""Named points at which a test can kill the process, to prove that any moment is a safe one to die.

`LOREKEEPER_FAULT=NAME` kills at the first arrival at that point, `NAME:N` at the N-th. This is the one
setting read outside the settings module: it belongs to tests and is looked up where it strikes.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "LOREKEEPER_FAULT"


def reach(name: str) -> None:
    """Kill this process, as `kill -9` does, when the fault of that name is due here."""
    due = os.environ.get(VARIABLE)
    if not due:
        return
    point, _, count = due.partition(":")
    if point != name:
        return
    remaining = int(count or "1") - 1
    if remaining <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.environ[VARIABLE] = f"{name}:{remaining}"
