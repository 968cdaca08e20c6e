"""From rows to videos."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope.metrics import aggregate
from mesoscope.metrics.aggregation import interpolate_probability, log_odds


def rows():
    random = np.random.default_rng(0)
    units = random.permutation(np.repeat(np.arange(4), [1, 9, 25, 40]))
    return random.normal(size=75), units, random.integers(0, 3, 75)


def test_mean_and_top_and_tracks_by_their_definitions():
    logits, units, tracks = rows()
    for unit in range(4):
        mine = logits[units == unit]
        highest = sorted(mine)[-max(1, len(mine) // 10) :]
        of_tracks = [mine[tracks[units == unit] == t].mean() for t in set(tracks[units == unit])]
        assert aggregate(logits, units, "mean")[unit] == pytest.approx(mine.mean())
        assert aggregate(logits, units, "top-k")[unit] == pytest.approx(np.mean(highest))
        assert aggregate(logits, units, "per-track", tracks)[unit] == pytest.approx(max(of_tracks))


def test_tracks_must_be_known():
    logits, units, _ = rows()
    with pytest.raises(ValueError, match="track of each row"):
        aggregate(logits, units, "per-track")


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, -1.3)])
def test_probability_between_known_ones_is_that_of_the_calibration(slope: float, intercept: float):
    known = np.random.default_rng(1).uniform(-12, 12, 50)
    wanted = np.linspace(known.min(), known.max(), 30)
    found = interpolate_probability(wanted, known, 1 / (1 + np.exp(-slope * known - intercept)))
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-slope * wanted - intercept)), atol=1e-12)


def test_log_odds_stay_finite_and_turn_the_sigmoid_round():
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
    logits = np.linspace(-20, 20, 9)
    np.testing.assert_allclose(log_odds(1 / (1 + np.exp(-logits))), logits, rtol=1e-6)
