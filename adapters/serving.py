"""What `serve` does: chat platforms answered and sources synced by schedule, until a signal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from rich.console import Console

from adapters.chatting import Chat, open_chat
from adapters.cli_options import Place
from adapters.errors import AdapterError, UsageError
from adapters.failures import DONE, FAILED, STOPPED
from adapters.figures import ago, count
from adapters.launch import launch
from adapters.runtime import Runtime
from adapters.settings import Settings, check_platform_secrets
from adapters.shown import showing
from adapters.syncing import report_line
from adapters.terminal import open_consoles, say
from bot import rebuilding
from kb.errors import StoreError, SyncRefused
from kb.leases import Leases
from kb.reports import SyncReport
from kb.schedules import Schedule
from kb.sources import AnySource
from kb.store import NodeStore

log = logging.getLogger(__name__)

# Between syncs, too: old versions become due by time alone.
_UPKEEP_SECONDS = 600.0
_UPKEEP = "*upkeep*"  # no source can be named so
_STYLES = {"ok": "", "partial": "yellow", "held": "yellow", "failed": "red"}


def run_serve(place: Place) -> int:
    """Serve until a signal and return the exit code."""

    async def body(runtime: Runtime) -> int:
        settings = runtime.settings
        check_platform_secrets(settings)
        if not (settings.schedule.enabled or settings.platforms):
            raise UsageError(
                "serve: there is nothing to do while [schedule] enabled is false and no chat platform is "
                "enabled. Set one of them to true."
            )
        return await Serving(runtime.settings, open_consoles()[1]).run()

    return launch(place, body)


class Serving:
    """Serves over one runtime after another: a new one whenever the index was built anew."""

    def __init__(self, settings: Settings, err: Console) -> None:
        self._settings = settings
        self._err = err
        self._halt = asyncio.Event()
        self._signalled = False
        self._refused: AdapterError | None = None

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; a second one ends the process at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        with showing(lambda line, warning: say(self._err, line, "yellow" if warning else "")):
            while not self._signalled:
                self._halt.clear()
                async with Runtime(self._settings) as runtime:
                    if not await self._serve(runtime):
                        self._abandon()
        if self._refused is not None:
            raise self._refused
        say(self._err, "Stopped. What was committed stays.")
        return DONE

    def _stop(self) -> None:
        if self._signalled:
            # Safe at any moment: the next start goes on from what was committed.
            os._exit(STOPPED)
        self._signalled = True
        self._halt.set()

    def _abandon(self) -> None:
        """End the process although a sync hangs: that is what a kill would do, and as harmless."""
        seconds = self._settings.schedule.drain_seconds
        say(
            self._err,
            f"A sync did not stop within {seconds:g} s; it is left as a crash would leave it.",
            "red",
        )
        logging.shutdown()
        sys.stderr.flush()
        os._exit(FAILED)

    async def _serve(self, runtime: Runtime) -> bool:
        """Run chats and schedule; False when a sync could not be stopped in time."""
        chat = await open_chat(runtime)
        number = len(await (await runtime.commands()).sources())
        names = "".join(f"{name.capitalize()}, " for name in runtime.settings.platforms)
        say(self._err, f"Serving {names}{count(number, 'source')}. Stop with Ctrl-C.")
        store, engine = await runtime.store(), await runtime.engine()
        upkeep = asyncio.create_task(_keep_up(store, Leases(engine)))
        try:
            stopped, _ = await asyncio.gather(self._sync(runtime, chat), self._answer(chat))
            return stopped
        finally:
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)

    async def _answer(self, chat: Chat | None) -> None:
        """Answer in the chats until the end; a platform that refuses the bot is the end."""
        if chat is None:
            return
        try:
            await chat.run(self._halt)
        except AdapterError as exc:
            self._refused = exc
            self._signalled = True
            self._halt.set()

    async def _sync(self, runtime: Runtime, chat: Chat | None) -> bool:
        """Sync by schedule until the end; False when a sync could not be stopped in time."""
        if not runtime.settings.schedule.enabled:
            await self._halt.wait()
            return True
        built = rebuilding.built(runtime.data)
        manifest, synchroniser = await runtime.manifest(), await runtime.synchroniser()

        async def run(source: AnySource) -> SyncReport:
            if await rebuilding.recover(runtime.data, manifest):
                log.warning("a rebuild was not finished; every document is read again")
            if rebuilding.built(runtime.data) != built:
                self._halt.set()
                raise SyncRefused("The index was built anew by another process; it is opened now.")
            return await synchroniser.run(source)

        def told(report: SyncReport, schedule: Schedule) -> None:
            self._tell(report, schedule)
            if chat is not None:
                chat.told(report, schedule)

        scheduler = await runtime.scheduler(run, told)
        return await scheduler.serve(self._halt)

    def _tell(self, report: SyncReport, schedule: Schedule) -> None:
        next_run = "" if schedule.paused else f"; next {ago(schedule.next_run)}"
        say(self._err, f"{report_line(report)}{next_run}", _STYLES[report.status])
        log.info("sync ended source=%s status=%s", report.source, report.status)


async def _keep_up(store: NodeStore, leases: Leases) -> None:
    """Compact, index and clean up from time to time; of several processes one does."""
    while True:
        await asyncio.sleep(_UPKEEP_SECONDS)
        try:
            async with leases.hold(_UPKEEP):
                await store.maintain()
        except SyncRefused:
            log.info("upkeep left to another process")
        except StoreError as exc:
            log.warning("upkeep failed reason=%s", exc)
