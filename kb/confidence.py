"""How sure it is that the passages answer the question, from 0 to 1.

The best passage's MaxSim goes through one fixed logistic curve. It needs no fitting to a base: the weights
of the question's words do not depend on the documents, and the best of many passages about something else
scores little more than the best of few. Where the words' vectors say nothing (another script, a model
without word vectors) the share of the question's words that one passage has takes its place.
"""

from __future__ import annotations

import math

MAXSIM_MIDDLE, MAXSIM_SLOPE = 0.555, 40.0
COVERAGE_MIDDLE, COVERAGE_SLOPE = 0.5, 12.0


def from_maxsim(best: float) -> float:
    """Return the confidence when the best passage's weighted MaxSim is `best`."""
    return _logistic(MAXSIM_SLOPE * (best - MAXSIM_MIDDLE))


def from_coverage(best: float) -> float:
    """Return the confidence when one passage has the share `best` of the question's words."""
    return _logistic(COVERAGE_SLOPE * (best - COVERAGE_MIDDLE))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))
