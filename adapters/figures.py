"""Numbers, sizes and times as people read them. Pure."""

from __future__ import annotations

import time

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def count(number: int, thing: str) -> str:
    """Return `1 document`, `2,000 documents`."""
    plural = thing if number == 1 else f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{number:,} {plural}"


def duration(seconds: float) -> str:
    """Return a time as people read it: `8 ms`, `2.4 s`, `3 min 20 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def ago(moment: float | None, now: float | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it lies; `never` for none."""
    if moment is None:
        return "never"
    seconds = (time.time() if now is None else now) - moment
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            amount = f"{abs(seconds) / size:.0f} {unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "just now" if seconds >= 0 else "in less than a minute"


def size(number: int) -> str:
    """Return bytes as people read them."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
