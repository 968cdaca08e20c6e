"""The draws of groups and the intervals made of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mesoscope.metrics import Undefined
from mesoscope.metrics.bootstrap import band, draw_groups, expanded, percentile_interval


@pytest.mark.parametrize("rows", [None, 10, 5_000, 200_000])
def test_draws_do_not_depend_on_the_size_of_the_blocks(rows: int | None):
    whole = np.concatenate(list(draw_groups(37, 50, 3)))
    assert (np.concatenate(list(draw_groups(37, 50, 3, rows=rows))) == whole).all()
    assert (whole.sum(axis=1) == 37).all()
    assert not (np.concatenate(list(draw_groups(37, 50, 4))) == whole).all()


def test_blocks_stay_small_where_there_are_many_rows():
    assert max(len(block) for block in draw_groups(100, 50, 0, rows=30_000)) == 6


def test_counts_of_a_draw_are_those_of_drawing_with_replacement():
    # each count is binomial with n = G, p = 1 / G: mean 1, variance 1 - 1 / G
    counts = np.concatenate(list(draw_groups(50, 4000, 0)))
    assert counts.mean() == 1
    assert counts.var() == pytest.approx(1 - 1 / 50, rel=0.01)


def test_interval_is_the_middle_of_the_draws():
    draws = np.random.default_rng(0).permutation(np.arange(1001.0))
    assert percentile_interval(draws, 0.9) == pytest.approx((50, 950))


def test_draws_without_a_number_are_left_out_as_long_as_they_are_few():
    draws = np.append(np.arange(95.0), [np.nan] * 5)
    assert percentile_interval(draws, 0.5) == pytest.approx((23.5, 70.5))
    found = percentile_interval(np.append(draws, [np.nan] * 10), 0.5)
    assert isinstance(found, Undefined)
    assert "tenth of the draws" in found.reason


def test_a_band_is_the_interval_of_each_point():
    draws = np.random.default_rng(1).normal(size=(200, 3))
    draws[::7, 1] = np.nan
    draws[:, 2] = np.nan
    low, high = band(draws, 0.8)
    assert low[0] == pytest.approx(np.quantile(draws[:, 0], 0.1))
    assert high[1] == pytest.approx(np.nanquantile(draws[:, 1], 0.9))
    assert np.isnan([low[2], high[2]]).all()


def test_an_expanded_interval_is_students_for_the_mean_of_few_groups():
    # of a mean, draws spread by the variance of the sample: the expanded percentiles give back Student's interval
    values = np.random.default_rng(2).normal(size=8)
    draws = np.concatenate(list(draw_groups(8, 40_000, 0))) @ values / 8
    low, high = percentile_interval(draws, expanded(0.9, 8))
    wanted = stats.t.interval(0.9, 7, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(wanted, abs=0.12 * (wanted[1] - wanted[0]))
    plain = percentile_interval(draws, 0.9)
    assert low < plain[0] < plain[1] < high


def test_many_groups_are_hardly_expanded():
    assert 0.95 < expanded(0.95, 1000) < 0.951
    assert expanded(0.95, 100) == pytest.approx(0.9539, abs=0.0001)
    # by hand: t of 0.975 at 4 degrees of freedom is 2.7764, times sqrt(5 / 4)
    assert expanded(0.95, 5) == pytest.approx(1 - 2 * stats.norm.sf(2.776445 * 1.118034), abs=1e-6)
