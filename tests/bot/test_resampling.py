from __future__ import annotations

import random

import pytest

from bot.resampling import difference, interval, percentile, proportion


def test_interval_of_a_mean() -> None:
    """The interval of a mean holds the value and is as wide as statistics say: about four standard errors."""
    drawn = random.Random(1)
    values = [drawn.gauss(10, 2) for _ in range(100)]
    found = interval(values)
    assert found is not None
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2 / 10, rel=0.25)


def test_interval_holds_the_truth() -> None:
    """In about 95 of 100 samples the interval holds the true mean."""
    drawn = random.Random(2)
    held = 0
    for _ in range(100):
        found = interval([drawn.random() for _ in range(40)], rounds=400)
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert 88 <= held <= 100


def test_same_figures_every_time() -> None:
    """The same values give the same interval."""
    assert interval([1.0, 2.0, 5.0]) == interval([1.0, 2.0, 5.0])


def test_nothing_to_measure() -> None:
    """Without values there is no figure."""
    assert interval([]) is None
    assert proportion(0, 0) is None
    assert difference([None, 1.0], [1.0, None]) is None


def test_percentile() -> None:
    """A percentile is taken of the values, and its interval lies among them."""
    found = interval([float(value) for value in range(101)], percentile(95))
    assert found is not None
    assert found.value == pytest.approx(95)
    assert 85 <= found.low <= found.high <= 100


def test_pairs_are_drawn_together() -> None:
    """A difference that is the same for every question is certain, however much the questions differ."""
    theirs = [float(value) for value in range(50)]
    found = difference([value + 1 for value in theirs], theirs)
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert found.excludes(0)


def test_proportion_of_few() -> None:
    """All of five is no certainty: Wilson's interval reaches down to 57 %."""
    found = proportion(5, 5)
    assert found is not None
    assert (found.value, round(found.low, 2), found.high) == (1.0, 0.57, 1.0)
