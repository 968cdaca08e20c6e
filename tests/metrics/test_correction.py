"""Corrections for many tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mesoscope.metrics import benjamini_hochberg, holm


def test_holm_on_an_example_by_hand():
    # 0.01 * 4, 0.02 * 3, max(0.06, 0.03 * 2), max(0.06, 0.04 * 1)
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])


def test_holm_rejects_step_by_step_what_the_paper_rejects():
    p = np.random.default_rng(0).random(30) ** 4
    adjusted = holm(p)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for step, index in enumerate(np.argsort(p)):
            if p[index] > level / (p.size - step):
                break
            rejected.add(index)
        assert set(np.flatnonzero(adjusted <= level)) == rejected


def test_false_discovery_rate_is_that_of_scipy():
    p = np.random.default_rng(1).random(40) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), atol=1e-12)


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_one_test_is_not_corrected_and_none_is_none(correct):
    assert correct([0.03]) == [0.03]
    assert correct([]).size == 0


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan])
def test_what_is_no_p_value_is_refused(correct, bad):
    with pytest.raises(ValueError, match="lies in"):
        correct([0.5, bad])
