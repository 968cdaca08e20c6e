"""Risk against coverage: how many answers are wrong if only the surest are given.

Source: Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017; AURC: Geifman,
Uziel, El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019.
"""

from __future__ import annotations

import numpy as np

from mesoscope.metrics.ranking import Descent, Ladder
from mesoscope.metrics.undefined import Bools, Floats


def by_sureness(wrong: Bools, sureness: Floats) -> Ladder:
    """The units, surest first; `Ladder.fake` then marks the wrong answers."""
    return Ladder.of(wrong, sureness)


def coverage_of(descent: Descent) -> Floats:
    """(D, K) share of the answered that is kept down to each rung."""
    kept = descent.true + descent.false
    return np.asarray(kept / kept[:, -1:])


def risk_of(descent: Descent) -> Floats:
    """(D, K) share of wrong answers among the kept; NaN while none is."""
    kept = descent.true + descent.false
    return np.divide(descent.true, kept, out=np.full_like(kept, np.nan), where=kept > 0)


def area_under_risk(descent: Descent) -> Floats:
    """(D,) mean risk over all coverages; units equally sure are kept or put aside together."""
    kept = descent.true + descent.false
    risk = descent.true / np.maximum(kept, 1e-300)
    steps = np.diff(kept, axis=1, prepend=0.0)
    return np.asarray(np.einsum("dk,dk->d", steps, risk) / kept[:, -1])
