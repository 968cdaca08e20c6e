"""Differences of two estimates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from mesoscope.metrics import Estimate, Intervals, Sample, Undefined
from mesoscope.metrics.bootstrap import draw_groups, expanded
from mesoscope.metrics.differences import aucs_differ, independent_difference, paired_difference
from mesoscope.metrics.estimates import estimate_with_draws
from mesoscope.metrics.proportions import wilson

NAMES = ("auc", "accuracy")


def sample(seed: int = 0, *, rows: int = 200, shift: float = 1.0, groups: int = 50, noise: int = 0) -> Sample:
    """Labels and groups by `seed`, scores by it and by `noise`."""
    random, more = np.random.default_rng(seed), np.random.default_rng(noise)
    fake, group = random.random(rows) < 0.5, random.integers(0, groups, rows)
    logit = random.normal(size=rows) + shift * fake + more.normal(size=rows)
    return Sample(fake, logit, 1 / (1 + np.exp(-logit)), group, groups, 0.5, 0.5, np.zeros(groups, np.int64))


def found_of(s: Sample, level: float = 0.95):
    estimates, draws = estimate_with_draws(s, Intervals(draws=80, level=level), NAMES)
    return {name: (estimates[name], draws.get(name)) for name in NAMES}


def test_independent_proportions_are_newcombes_example():
    # Newcombe 1998, table II, (a) 56/70 against 48/80, method 10: 0.0524 to 0.3339
    sides = [Estimate(hits / n, *wilson(hits, n), None, n, n) for hits, n in ((56, 70), (48, 80))]
    found = independent_difference(*sides)
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.n == 150


def test_no_interval_of_one_is_none_of_the_difference():
    known, lacking = Estimate(0.5, 0.4, 0.6, None, 9, 9), Estimate(0.7, None, None, "only 2 groups", 9, 2)
    for pair in ((known, lacking), (lacking, known)):
        found = independent_difference(*pair)
        assert (found.low, found.high, found.no_interval) == (None, None, "only 2 groups")


def test_paired_intervals_are_of_differences_in_the_same_draws():
    one, other = sample(noise=1), sample(noise=2)
    assert (one.group == other.group).all()
    first, second = found_of(one, 0.8)["auc"], found_of(other, 0.8)["auc"]
    found = paired_difference(first, second, 0.8, groups=one.rarer_groups)
    differences = []
    for weights in np.concatenate(list(draw_groups(50, 80, 0))):
        again = np.repeat(np.arange(200), weights[one.group].astype(int))
        areas = [roc_auc_score(s.fake[again], s.logit[again]) for s in (one, other)]
        differences.append(areas[0] - areas[1])
    middle = expanded(0.8, one.rarer_groups)
    wanted = np.quantile(differences, ((1 - middle) / 2, (1 + middle) / 2))
    assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=1e-9)
    assert found.value == pytest.approx(first[0].value - second[0].value)


def test_few_groups_make_no_paired_interval():
    first, second = (found_of(sample(groups=4, noise=noise))["accuracy"] for noise in (1, 2))
    found = paired_difference(first, second, 0.95, groups=4)
    assert found.low is None
    assert "too few to draw again" in found.no_interval


def test_aucs_of_two_samples_differ_by_a_z_test_of_delongs_errors():
    one, other = sample(0, shift=2.0), sample(1, shift=0.5)
    alone = [
        Sample(s.fake, s.logit, s.probability, np.arange(200), 200, 0.5, 0.5, np.zeros(200, np.int64))
        for s in (one, other)
    ]
    areas, variances = [], []
    for s in alone:
        above = s.logit[s.fake][:, None] > s.logit[~s.fake][None]
        areas.append(above.mean())
        variances.append(
            above.mean(axis=1).var(ddof=1) / s.fake.sum() + above.mean(axis=0).var(ddof=1) / (~s.fake).sum()
        )
    z = (areas[0] - areas[1]) / sum(variances) ** 0.5
    assert aucs_differ(*alone) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert aucs_differ(one, one) == pytest.approx(1.0)


def test_two_samples_that_cannot_be_tested_say_why():
    s = sample()
    apart = Sample(s.fake, np.where(s.fake, 2.0, -2.0), s.probability, s.group, 50, 0.5, 0.5, np.zeros(50, np.int64))
    lone = Sample(s.fake, s.logit, s.probability, 0 * s.group, 50, 0.5, 0.5, np.zeros(50, np.int64))
    for first, second, words in (
        (apart, apart, "separate the classes wholly"),
        (s, s.take(s.fake), "no real"),
        (s.take(np.zeros(200, bool)), s, "nothing was answered"),
        (s, lone, "single group"),
    ):
        found = aucs_differ(first, second)
        assert isinstance(found, Undefined)
        assert words in found.reason
