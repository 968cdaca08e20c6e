"""Intervals by group against the normal theory where it holds, and their bad paths."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.understanding.intervals import combined, mean_of


def test_a_mean_of_independent_rows_has_the_textbook_interval():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = mean_of(values, np.arange(400))
    half = 1.96 * values.std(ddof=1) / 20
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    assert (found.n, found.groups) == (400, 400)
    assert found.beyond(0) == 1 and found.beyond(9) == -1 and found.beyond(found.value) == 0


def test_twenty_frames_of_a_video_are_one_observation():
    few = np.random.default_rng(1).normal(size=30)
    once, often = mean_of(few, np.arange(30)), mean_of(np.repeat(few, 20), np.repeat(np.arange(30), 20))
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.05)


def test_a_group_is_drawn_into_both_samples():
    """What two samples share by group cancels in their difference."""
    shared = np.random.default_rng(2).normal(0, 10, 40)
    groups = np.arange(40)
    found = combined(lambda means: means[:, 0] - means[:, 1], [(shared + 1, groups), (shared, groups)])
    assert found.value == pytest.approx(1) and found.low == pytest.approx(1) and found.high == pytest.approx(1)


def test_too_little_has_no_interval():
    nothing = mean_of(np.array([np.nan]), np.array([0]))
    assert np.isnan(nothing.value) and nothing.words() == "–" and nothing.to_json()["value"] is None
    few = mean_of(np.arange(4.0), np.arange(4))
    assert few.value == 1.5 and np.isnan(few.low) and few.beyond(0) == 0
    assert "too few groups" in few.words()
