"""Running means and errors against numpy, and against the plain formula of the cluster-robust variance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mesoscope_train.understanding.means.moments import GroupedMean, Moments


@pytest.fixture
def values():
    """Far from zero, where naive sums of squares lose all digits."""
    chance = np.random.default_rng(1)
    return (1e4 + chance.normal(size=(23, 2, 3, 4))).astype(np.float32)


def test_moments_are_numpys_whatever_the_batches(values):
    moments = Moments((2, 3, 4))
    for start, end in ((0, 1), (1, 9), (9, 23)):
        batch = torch.from_numpy(values[start:end])
        moments.add(batch, torch.ones(len(batch), 1, 3, 4))
    np.testing.assert_allclose(moments.mean, values.mean(0, dtype=np.float64), rtol=1e-7)
    np.testing.assert_allclose(moments.std, values.std(0, ddof=1, dtype=np.float64), rtol=1e-3)


def test_each_place_counts_its_own_pictures(values):
    weight = np.random.default_rng(2).integers(0, 2, (23, 1, 3, 4)).astype(np.float32)
    weight[:, :, 0, 0] = 0
    weight[:, :, 0, 1] = 0
    weight[5, :, 0, 1] = 1
    moments = Moments((2, 3, 4))
    for start in range(0, 23, 5):
        some = slice(start, start + 5)
        moments.add(torch.from_numpy(values[some] * weight[some]), torch.from_numpy(weight[some]))
    masked = np.ma.masked_array(values.astype(np.float64), np.broadcast_to(weight == 0, values.shape))
    np.testing.assert_allclose(moments.mean, masked.mean(0).filled(np.nan), rtol=1e-7)
    assert np.isnan(moments.mean[:, 0, 0]).all()
    assert np.isnan(moments.std[:, 0, 1]).all(), "one picture has no spread"
    np.testing.assert_allclose(moments.std[:, 1:], masked.std(0, ddof=1).filled(np.nan)[:, 1:], rtol=1e-3)


def test_the_error_of_a_mean_counts_groups():
    chance = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), (1, 2, 3, 4, 5, 6, 7, 8))
    maps = (chance.normal(size=8)[groups][:, None, None] + 0.1 * chance.normal(size=(36, 2, 2))).astype(np.float32)
    mean = GroupedMean((2, 2))
    for start in range(0, 36, 7):  # groups reach over the edges of batches
        some = slice(start, start + 7)
        batch = torch.from_numpy(maps[some])
        mean.add(batch, torch.ones_like(batch), groups[some])
    average = maps.mean(0, dtype=np.float64)
    residuals = [(maps[groups == group] - average).sum(0, dtype=np.float64) for group in range(8)]
    expected = np.sqrt(8 / 7 * np.square(residuals).sum(0)) / 36
    np.testing.assert_allclose(mean.mean, average, rtol=1e-6)
    np.testing.assert_allclose(mean.standard_error, expected, rtol=1e-5)
    naive = maps.std(0, ddof=1) / 6
    assert (mean.standard_error > 1.5 * naive).all(), "pictures of a group are not independent"
    assert mean.groups == 8


def test_one_group_has_no_error():
    mean = GroupedMean((1, 1))
    mean.add(torch.ones(3, 1, 1), torch.ones(3, 1, 1), np.zeros(3, np.int64))
    assert np.isnan(mean.standard_error).all()
    assert mean.mean == 1
