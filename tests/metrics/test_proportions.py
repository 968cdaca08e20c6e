"""Bounds of proportions and the test of two."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mesoscope.metrics import Undefined, clopper_pearson, wilson
from mesoscope.metrics.proportions import design_effect, rates_differ


@pytest.mark.parametrize(("hits", "trials"), [(0, 12), (3, 12), (12, 12), (457, 1000)])
@pytest.mark.parametrize(("bound", "method"), [(clopper_pearson, "exact"), (wilson, "wilson")])
def test_bounds_are_those_of_scipy(bound, method, hits, trials):
    wanted = stats.binomtest(hits, trials).proportion_ci(0.9, method=method)
    np.testing.assert_allclose(bound(hits, trials, 0.9), (wanted.low, wanted.high), atol=1e-9)


@pytest.mark.parametrize("bound", [clopper_pearson, wilson])
@pytest.mark.parametrize(("hits", "trials"), [(1, 0), (5, 4), (-1, 4)])
def test_what_is_no_proportion_is_refused(bound, hits, trials):
    with pytest.raises(ValueError, match="no proportion"):
        bound(hits, trials)


def rates(seed: int, rows: int = 80):
    random = np.random.default_rng(seed)
    inside = random.random(rows) < 0.4
    return random.random(rows) < np.where(inside, 0.6, 0.3), inside


def test_independent_rows_are_tested_by_fisher():
    hit, inside = rates(0)
    table = [[int((hit & side).sum()), int((~hit & side).sum())] for side in (inside, ~inside)]
    assert rates_differ(hit, inside, np.arange(80)) == pytest.approx(stats.fisher_exact(table).pvalue, abs=1e-12)


def test_copies_of_every_row_in_its_group_prove_nothing_more():
    hit, inside = rates(1)
    again = np.repeat(np.arange(80), 6)
    grouped = rates_differ(hit[again], inside[again], again)
    once = rates_differ(hit, inside, np.arange(80))
    # a little more than once: the variance of few groups is estimated with one degree of freedom less
    assert once <= grouped < 2 * once
    assert grouped > 1000 * rates_differ(hit[again], inside[again], np.arange(480))


def test_design_effect_is_about_the_number_of_copies():
    hit, _ = rates(2, rows=400)
    assert design_effect(np.repeat(hit, 6), np.repeat(np.arange(400), 6)) == pytest.approx(6, rel=0.01)
    assert design_effect(hit, np.arange(400)) == 1
    # groups that tell nothing of their rows
    assert design_effect(hit, np.random.default_rng(0).integers(0, 100, 400)) == pytest.approx(1, abs=0.35)


def test_where_all_rows_are_alike_the_groups_count_as_rows():
    assert design_effect(np.zeros(60, bool), np.repeat(np.arange(10), 6)) == 6


def test_claims_by_chance_stay_below_their_level():
    random = np.random.default_rng(5)
    small = 0
    for _ in range(200):
        group = np.repeat(np.arange(40), 5)
        hit = random.random(200) < random.beta(1, 2, 40)[group]
        found = rates_differ(hit, group < 20, group)
        small += isinstance(found, float) and found < 0.05
    # binomial with p = 0.05: more than 18 of 200 has a chance below 1 %
    assert small <= 18


@pytest.mark.parametrize("inside", [np.zeros(5, bool), np.ones(5, bool)])
def test_an_empty_side_is_no_test(inside):
    found = rates_differ(np.ones(5, bool), inside, np.arange(5))
    assert isinstance(found, Undefined)
