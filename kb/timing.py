"""When a source is due: intervals and cron expressions turned into moments. Pure.

Moments are seconds since the epoch. Cron expressions are read in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime

from kb.settings import interval_seconds

# A cron time is meant; what stands for jitter there only parts the sources that share it.
_CRON_JITTER = 60.0
_NEVER = 10 * 365 * 86_400.0


def interval(every: str, now: float) -> float:
    """Return the seconds between two runs; for a cron expression, between the next two."""
    if " " not in every.strip():
        return float(interval_seconds(every))
    first = _fires(every, now)
    return _fires(every, first) - first


def next_run(every: str, *, started: float, now: float, late: float) -> float:
    """Return when the run after one that began at `started` is due, never before `now`.

    `late` is the share of the interval by which it comes later. Runs that were missed are not made up for.
    """
    seconds = interval(every, now)
    if " " in every.strip():
        return _fires(every, now) + min(late * seconds, _CRON_JITTER)
    return max(now, started + seconds * (1 + late))


def retry(every: str, *, failures: int, now: float, cap: float, late: float) -> float:
    """Return when a source is tried again that failed so many times in a row: each wait twice the last."""
    seconds = min(cap, interval(every, now) * 2.0 ** min(failures, 32))
    return now + seconds * (1 + late)


def _fires(cron: str, after: float) -> float:
    from apscheduler.triggers.cron import CronTrigger

    moment = datetime.fromtimestamp(after + 1, UTC)
    found = CronTrigger.from_crontab(cron, timezone="UTC").get_next_fire_time(None, moment)
    return after + _NEVER if found is None else found.timestamp()
