"""A bot that is started while Slack is out of reach."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.slack.serving import ANN, GENERAL, LEAVE, people, serve, shown, write
from tests.emulators.slack.server import SlackEmulator


async def test_it_waits_for_slack(tmp_path: Path) -> None:
    """While Slack fails `serve` says so and syncs; it answers as soon as Slack is back."""
    async with SlackEmulator().running() as slack:
        people(slack)
        write(tmp_path, slack)
        slack.faults.status("auth.test", 503, times=1_000)
        async with serve(slack, tmp_path) as served:
            assert "auth.test" in await served.line("Slack is out of reach")
            await served.line("handbook: ")
            slack.faults.clear()
            await served.line("Slack is connected.")
            _, reply = await served.ask(GENERAL, ANN, LEAVE)
            assert "28 days" in shown(reply)


async def test_it_stops_while_it_waits(tmp_path: Path) -> None:
    """A signal ends a bot that has not reached Slack yet, with exit code 0."""
    async with SlackEmulator().running() as slack:
        people(slack)
        write(tmp_path, slack)
        slack.faults.status("auth.test", 503, times=1_000)
        async with serve(slack, tmp_path) as served:
            await served.line("Slack is out of reach")
            assert await served.end() == 0
