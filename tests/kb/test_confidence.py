import pytest

from kb import confidence


def test_middle_is_even() -> None:
    """At the middle of the curve an answer is as likely as not."""
    assert confidence.from_maxsim(confidence.MAXSIM_MIDDLE) == pytest.approx(0.5)
    assert confidence.from_coverage(confidence.COVERAGE_MIDDLE) == pytest.approx(0.5)


@pytest.mark.parametrize("curve", [confidence.from_maxsim, confidence.from_coverage])
def test_confidence_grows_and_stays_within_bounds(curve: object) -> None:
    """Confidence grows with its signal and lies between 0 and 1 for any input."""
    assert callable(curve)
    values = [curve(signal) for signal in (-1e9, -1.0, 0.0, 0.3, 0.5, 0.7, 1.0, 1e9)]
    assert values == sorted(values)
    assert all(0.0 <= value <= 1.0 for value in values)


def test_unrelated_passages_are_refused_and_close_ones_accepted() -> None:
    """What unrelated passages reach (0.45) is refused; what answers reach (0.7) is accepted."""
    assert confidence.from_maxsim(0.45) < 0.05
    assert confidence.from_maxsim(0.7) > 0.95
