"""Confidence intervals by the bootstrap: what a figure could have been with other questions of this kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[Any]
    Statistic = Callable[[Rows], NDArray[Any]]

ROUNDS = 2_000
SEED = 20_240_229
_LEVEL = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with the range that it lies in at 95 % confidence."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Tell whether the figure is surely not this one."""
        return not self.low <= value <= self.high


def mean(rows: Rows) -> Rows:
    """Return the mean of each resample."""
    means: Rows = rows.mean(axis=-1)
    return means


def percentile(share: float) -> Statistic:
    """Return what takes a percentile of each resample."""
    import numpy as np

    return lambda rows: np.percentile(rows, share, axis=-1)


def interval(
    values: Sequence[float], statistic: Statistic = mean, *, rounds: int = ROUNDS
) -> Interval | None:
    """Return a statistic of the values with its interval; None without values.

    The values are drawn anew, with replacement, `rounds` times; the interval holds the middle 95 % of what
    the statistic then is. The draws are the same in every run.
    """
    import numpy as np

    if not values:
        return None
    held = np.asarray(values, dtype=float)
    chosen = np.random.default_rng(SEED).integers(0, len(held), size=(rounds, len(held)))
    drawn = statistic(held[chosen])
    low, high = np.percentile(drawn, [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return Interval(value=float(statistic(held)), low=float(low), high=float(high))


def difference(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Interval | None:
    """Return how much larger the first mean is, over the questions that both have a value for.

    Pairs are drawn together: what makes a question hard for both does not blur the difference.
    """
    pairs = zip(ours, theirs, strict=True)
    return interval([a - b for a, b in pairs if a is not None and b is not None])


def proportion(hits: int, of: int) -> Interval | None:
    """Return a share with Wilson's interval, which holds for few cases too; None of nothing."""
    if of <= 0:
        return None
    z = 1.959964
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / of + spread / (4 * of)) ** 0.5
    return Interval(value=share, low=max(middle - half, 0.0), high=min(middle + half, 1.0))
