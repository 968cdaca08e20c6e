"""Curves for drawing: their points are the measure's own, their bands those of the drawn groups."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from mesoscope.metrics import Sample, Undefined
from mesoscope.metrics.bootstrap import draw_groups, expanded
from mesoscope.metrics.curves import Drawing, precision_recall, reliability, risk_coverage, roc, thinned

QUICK = Drawing(draws=60, level=0.8)
ALL = Drawing(points=10_000, draws=60, level=0.8)


def sample(seed: int = 0, rows: int = 300, groups: int = 60, **changed) -> Sample:
    random = np.random.default_rng(seed)
    fake = changed.pop("fake", random.random(rows) < 0.4)
    logit = changed.pop("logit", np.round(random.normal(size=rows) * 2 + 2 * fake - 1, 1))
    group = random.integers(0, groups, rows)
    return Sample(fake, logit, 1 / (1 + np.exp(-logit)), group, groups, 0.6, 0.3, np.zeros(groups, np.int64))


def again(s: Sample, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(np.arange(s.fake.size), weights[s.group].astype(int))
    return s.fake[rows], s.logit[rows]


def draws_of(s: Sample) -> list[tuple[np.ndarray, np.ndarray]]:
    return [again(s, weights) for weights in np.concatenate(list(draw_groups(s.groups, 60, 0)))]


def test_roc_points_are_those_of_scikit_learn_and_its_band_that_of_its_draws():
    s = sample()
    curve = roc(s, ALL)
    fpr, tpr, _ = sk.roc_curve(s.fake, s.logit, drop_intermediate=False)
    np.testing.assert_allclose([curve.x, curve.y], [fpr, tpr], atol=1e-12)
    drawn = []
    for fake, logit in draws_of(s):
        x, y, _ = sk.roc_curve(fake, logit, drop_intermediate=False)
        # at a jump, its upper end
        drawn.append([np.interp(at, x, y) for at in fpr])
    middle = expanded(0.8, s.rarer_groups)
    low, high = np.quantile(drawn, ((1 - middle) / 2, (1 + middle) / 2), axis=0)
    np.testing.assert_allclose(curve.low[1:], low[1:], atol=1e-9)
    np.testing.assert_allclose(curve.high[1:], high[1:], atol=1e-9)
    assert curve.low[0] == curve.high[0] == 0


def test_precision_points_are_those_of_scikit_learn():
    s = sample(1)
    curve = precision_recall(s, ALL)
    precision, recall, _ = sk.precision_recall_curve(s.fake, s.logit)
    wanted = sorted(zip(recall[:-1], precision[:-1], strict=True), key=lambda point: (point[0], -point[1]))
    found = sorted(zip(curve.x, curve.y, strict=True), key=lambda point: (point[0], -point[1]))
    np.testing.assert_allclose(found, [point for point in wanted if point[0] > 0], atol=1e-12)
    assert ((curve.low <= curve.high) & (curve.low >= 0) & (curve.high <= 1)).all()


def test_risk_is_the_share_of_mistakes_among_the_surest():
    s = sample(2, logit=np.random.default_rng(9).normal(size=300))
    curve = risk_coverage(s, ALL)
    surest = np.argsort(-s.sureness, kind="stable")
    wrong = (s.fake != s.called_fake)[surest]
    np.testing.assert_allclose(curve.x, np.arange(1, 301) / 300, atol=1e-12)
    np.testing.assert_allclose(curve.y, np.cumsum(wrong) / np.arange(1, 301), atol=1e-12)
    assert curve.low[-1] < wrong.mean() < curve.high[-1]


def test_bins_are_those_of_scikit_learn():
    # without scores of exactly one half, which scikit-learn puts into the lower bin
    s = sample(3, rows=2000, groups=500, logit=np.random.default_rng(3).normal(size=2000))
    found = reliability(s, 10, QUICK)
    share, said = calibration_curve(s.fake, s.probability, n_bins=10)
    np.testing.assert_allclose([found.share_fake, found.mean_probability], [share, said], atol=1e-12)
    assert found.n.sum() == 2000
    assert ((found.low <= share) & (share <= found.high) & (found.low < found.high)).all()
    np.testing.assert_allclose(found.upper - found.lower, 0.1)


def test_a_bin_of_few_groups_is_bounded_exactly():
    s = sample(rows=40, groups=10, fake=np.arange(40) < 36, logit=np.where(np.arange(40) < 36, 5.0, -5.0))
    found = reliability(s, 2, QUICK)
    groups = len(set(s.group[36:]))
    assert found.high[0] == pytest.approx(stats.binomtest(0, groups).proportion_ci(0.8, "exact").high)


@pytest.mark.parametrize("points", [10, 57, 200])
def test_thinned_curves_keep_their_ends_and_their_shape(points: int):
    x = np.linspace(0, 1, 5000)
    y = x**0.5
    kept = thinned(x, y, points)
    assert kept.size <= points
    assert kept[0] == 0
    assert kept[-1] == 4999
    step = np.hypot(np.diff(x[kept]), np.diff(y[kept]))
    # the first of 5000 steps is long by itself
    assert step[1:].max() < 2.5 / (points - 1)


@pytest.mark.parametrize("curve", [roc, precision_recall, risk_coverage])
def test_figures_get_few_points(curve):
    found = curve(sample(4, rows=3000, logit=np.random.default_rng(0).normal(size=3000)), QUICK)
    assert 50 < found.x.size <= 200
    assert found.x.size == found.y.size == found.low.size == found.high.size
    assert (np.diff(found.x) >= 0).all()


@pytest.mark.parametrize("curve", [roc, precision_recall, risk_coverage])
def test_few_groups_make_no_band(curve):
    found = curve(sample(5, groups=4), QUICK)
    assert found.low.size == found.high.size == 0
    assert found.x.size
    assert reliability(sample(5, groups=4), 10, QUICK).low.size == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"fake": np.ones(300, bool)}, "no real"),
        ({"logit": np.zeros(300)}, "all scores are equal"),
        ({"rows": 0}, "nothing was answered"),
    ],
)
@pytest.mark.parametrize("curve", [roc, precision_recall])
def test_what_cannot_be_drawn_says_why(curve, changed, words):
    found = curve(sample(**changed), QUICK)
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_nothing_answered_is_no_curve():
    for found in (risk_coverage(sample(rows=0), QUICK), reliability(sample(rows=0), 10, QUICK)):
        assert found == Undefined("nothing was answered")
