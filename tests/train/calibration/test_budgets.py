"""Thresholds keep what they promise, in expectation and with 95 % confidence, and promise no more than they can."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mesoscope.metrics import clopper_pearson
from mesoscope_train.calibration.budgets import (
    BUDGETS,
    Origin,
    budgets_for,
    choose,
    smallest_budget,
    upper_bound,
    upper_quantile,
)
from mesoscope_train.calibration.fitting import probabilities
from mesoscope_train.calibration.sample import Sample

HERE = Origin("made-up numbers", "0" * 64)


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.1])
def test_a_threshold_keeps_its_budget_on_new_data(budget):
    random = np.random.default_rng(1)
    shares = []
    for _ in range(400):
        chosen = upper_quantile(random.normal(size=200), np.ones(200), budget)
        shares.append((random.normal(size=500) >= chosen).mean())
    # the conformal promise is about the mean over draws, and it is not wastefully strict
    assert np.mean(shares) <= budget + 2 * np.std(shares) / 20
    assert np.mean(shares) >= budget - 1.5 / 200


@pytest.mark.parametrize(("groups", "budget"), [(60, 0.05), (200, 0.1)])
def test_a_threshold_is_seldom_worse_than_its_bound_and_the_bound_is_no_wider_than_it_must_be(groups, budget):
    random = np.random.default_rng(2)
    bound = upper_bound(budget, groups, one_each=True)
    worse = [
        stats.norm.sf(upper_quantile(random.normal(size=groups), np.ones(groups), budget)) > bound
        for _ in range(2000)
    ]
    # exact for continuous scores: one in twenty, give or take what 2,000 draws do
    assert np.mean(worse) == pytest.approx(0.05, abs=0.02)


def test_the_bound_holds_for_videos_of_many_frames():
    random = np.random.default_rng(3)
    groups, frames, budget = 60, 8, 0.1
    bound = upper_bound(budget, groups, one_each=False)
    worse = []
    for _ in range(500):
        centres = random.normal(size=(groups, 1))
        values = (centres + random.normal(size=(groups, frames))).ravel()
        chosen = upper_quantile(values, np.full(values.size, 1 / frames), budget)
        worse.append(stats.norm.sf(chosen / np.sqrt(2)) > bound)
    assert np.mean(worse) <= 0.05


def test_with_one_picture_a_group_the_bound_is_clopper_and_pearsons():
    # of 99 groups a budget of 0.05 allows four above the threshold; ours is one-sided
    assert upper_bound(0.05, 99, one_each=True) == pytest.approx(clopper_pearson(4, 99, level=0.9)[1], abs=1e-12)


def test_nothing_above_in_so_many_groups():
    assert upper_bound(1 / 60, 59, one_each=True) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert upper_bound(1 / 60, 59, one_each=False) == pytest.approx(1 - 0.05 ** (1 / 59))


@pytest.mark.parametrize("one_each", [True, False])
def test_the_bound_is_above_the_budget_and_falls_to_it_with_more_groups(one_each):
    bounds = [upper_bound(0.05, groups, one_each=one_each) for groups in (19, 99, 999, 99_999)]
    assert bounds == sorted(bounds, reverse=True)
    assert 0.05 < bounds[-1] < 0.053


def test_frames_cost_more_than_single_pictures():
    assert upper_bound(0.05, 200, one_each=False) > upper_bound(0.05, 200, one_each=True)


def test_too_few_groups_for_a_budget_give_no_threshold():
    assert upper_quantile(np.arange(50.0), np.ones(50), 0.01) == np.inf


def test_exactly_enough_groups_give_a_threshold_above_all():
    chosen = upper_quantile(np.arange(99.0), np.ones(99), 0.01)
    assert 98 < chosen < 98.1


@pytest.mark.parametrize("frames", [3, 7, 11])
def test_weights_that_are_fractions_cost_no_group(frames):
    values, weights = np.repeat(np.arange(19.0), frames), np.full(19 * frames, 1 / frames)
    assert 18 < upper_quantile(values, weights, 0.05) < 18.1


@pytest.mark.parametrize(
    ("groups", "budgets"),
    [(9, (0.1,)), (5, (0.167,)), (12, (0.077, 0.1)), (19, (0.05, 0.1)), (49, (0.02, 0.05, 0.1)), (99, BUDGETS)],
)
def test_budgets_are_those_that_can_be_promised(groups, budgets):
    assert budgets_for(groups) == budgets
    assert min(budgets) >= smallest_budget(groups) - 1e-12


def test_chosen_thresholds_fall_with_the_budget_and_frame_the_band(videos):
    sample = videos(500, 1)
    found = probabilities(None, sample.logits - 1)
    thresholds, band = choose(found, sample, HERE)
    values = [budget.threshold for budget in thresholds.budgets]
    assert values == sorted(values, reverse=True)
    assert thresholds.default == thresholds.budgets[2].threshold
    assert band.upper == thresholds.default
    assert (found[sample.fake] < band.lower).mean() <= 0.1
    assert band.max_missed == 0.1
    counts = (thresholds.n_real, thresholds.n_fake, thresholds.n_real_groups, thresholds.n_fake_groups)
    assert counts == (500,) * 4
    assert thresholds.manifest_sha256 == HERE.manifest_sha256


def test_few_groups_get_the_budget_they_can_promise_and_a_wider_band(videos):
    sample = videos(7, 20)
    thresholds, band = choose(probabilities(None, sample.logits), sample, HERE)
    assert [budget.max_fpr for budget in thresholds.budgets] == [0.125]
    assert thresholds.default == thresholds.budgets[0].threshold
    assert thresholds.budgets[0].upper_95 == pytest.approx(1 - 0.05 ** (1 / 7))
    assert band.max_missed == 0.125


def test_a_group_with_both_labels_counts_in_both(singles):
    sample = singles(100)
    paired = Sample(np.tile(sample.logits[:50], 2) + np.repeat([0, 1], 50), np.repeat([False, True], 50),
                    np.tile(np.arange(50), 2))  # fmt: skip
    thresholds, _ = choose(probabilities(None, paired.logits), paired, HERE)
    assert (thresholds.n_real_groups, thresholds.n_fake_groups) == (50, 50)
