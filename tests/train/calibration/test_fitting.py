"""The three calibrations against scikit-learn's and against the truth they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from mesoscope.bundle import Calibration, Isotonic
from mesoscope.calibrate import Verdict
from mesoscope_train.calibration import fitting
from mesoscope_train.calibration.fitting import (
    METHODS,
    calibrated_logits,
    fit_isotonic,
    fit_platt,
    fit_temperature,
    probabilities,
)
from mesoscope_train.calibration.sample import Sample, group_weights
from mesoscope_train.errors import CalibrationError


class Scores(ClassifierMixin, BaseEstimator):
    """A classifier whose decision is the feature itself."""

    def __init__(self):
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = 1

    def fit(self, *_):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def decision_function(self, features):
        return np.asarray(features)[:, 0]

    def predict(self, features):
        return (self.decision_function(features) > 0).astype(int)


def by_scikit_learn(method: str, sample: Sample) -> np.ndarray:
    """Probabilities of `CalibratedClassifierCV`, fitted with the same weights."""
    model = CalibratedClassifierCV(FrozenEstimator(Scores()), method=method)
    # its folds do not matter to a frozen estimator: all rows calibrate
    features = sample.logits[:, None]
    model.fit(features, sample.fake.astype(int), sample_weight=sample.balanced * len(sample))
    return model.predict_proba(features)[:, 1]


@pytest.fixture
def even(singles) -> Sample:
    """As many fakes as reals, so that weights are all alike and scikit-learn's targets are ours."""
    drawn = singles(4000, slope=0.6, intercept=0.5)
    count = min(int(drawn.fake.sum()), int((~drawn.fake).sum()))
    return drawn.take(np.concatenate([np.flatnonzero(drawn.fake)[:count], np.flatnonzero(~drawn.fake)[:count]]))


def test_platt_is_scikit_learns(even):
    want = by_scikit_learn("sigmoid", even)
    np.testing.assert_allclose(probabilities(fit_platt(even), even.logits), want, atol=2e-4)


def test_temperature_is_scikit_learns_but_for_platts_targets(even):
    want = by_scikit_learn("temperature", even)
    np.testing.assert_allclose(probabilities(fit_temperature(even), even.logits), want, atol=3e-3)


def test_isotonic_is_scikit_learns_at_the_middle_of_its_steps(even):
    found = fit_isotonic(even)
    reference = IsotonicRegression(out_of_bounds="clip").fit(even.logits, even.fake)
    at, z = np.array(found.knots).T
    inside = slice(1, -1)  # the ends are kept from certainty
    np.testing.assert_allclose(expit(z)[inside], reference.predict(at)[inside], atol=1e-9)
    assert len(at) == len(np.unique(reference.predict(even.logits).round(12)))


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.0), (2.0, -1.0), (1.0, 1.5)])
def test_platt_finds_the_line_that_made_the_labels(slope, intercept, singles):
    sample = singles(60_000, slope=slope, intercept=intercept)
    # labels as many as there are: weights of one
    n_fake, n_real = int(sample.fake.sum()), int((~sample.fake).sum())
    found = fit_platt(sample)
    assert found.slope == pytest.approx(slope, rel=0.03)
    # both classes weigh alike, which moves the line by the log of their odds
    assert found.intercept == pytest.approx(intercept - logit(n_fake / (n_fake + n_real)), abs=0.05)


def test_temperature_finds_the_slope_that_made_the_labels(singles):
    assert fit_temperature(singles(60_000, slope=0.25)).slope == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("fit", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_fit_does_not_depend_on_the_scale_of_the_logits(fit, scale, singles):
    sample = singles(500, slope=0.7)
    scaled = Sample(scale * sample.logits, sample.fake, sample.groups)
    inner = np.abs(sample.logits) < 2
    np.testing.assert_allclose(
        probabilities(fit(sample), sample.logits)[inner], probabilities(fit(scaled), scaled.logits)[inner], atol=1e-4
    )


@pytest.mark.parametrize("fit", METHODS.values(), ids=METHODS)
def test_classes_that_are_apart_give_no_certainty(fit):
    logits = np.concatenate([np.linspace(-9, -5, 20), np.linspace(5, 9, 20)])
    sample = Sample(logits, logits > 0, np.arange(40))
    found = probabilities(fit(sample), logits)
    # of twenty fakes, one more is fake with 21 in 22
    assert found[sample.fake].mean() < 0.99
    assert found[~sample.fake].mean() > 0.01
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("fit", METHODS.values(), ids=METHODS)
def test_scores_the_wrong_way_round_are_refused(fit, singles):
    sample = singles(400)
    with pytest.raises(CalibrationError, match="do not rise from real to fake"):
        fit(Sample(-sample.logits, sample.fake, sample.groups))


@pytest.mark.parametrize("fit", METHODS.values(), ids=METHODS)
def test_a_video_of_many_frames_weighs_as_one_of_few(fit, videos):
    sample = videos(12, 3)
    again = sample.take(np.concatenate([np.arange(len(sample)), *[np.arange(3)] * 40]))
    np.testing.assert_allclose(
        probabilities(fit(sample), sample.logits), probabilities(fit(again), sample.logits), atol=1e-4
    )


def test_group_weights_sum_to_the_number_of_groups():
    weights = group_weights(["a", "b", "b", "c", "c", "c"])
    assert weights.sum() == pytest.approx(3)
    assert weights[0] == 1
    assert weights[3] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration(method="platt", slope=0.7, intercept=-0.3),
        Isotonic(method="isotonic", knots=[(-2.0, -1.0), (0.5, 0.0), (1.0, 3.0)]),
    ],
    ids=["platt", "isotonic"],
)
def test_many_at_once_are_what_the_runtime_says_of_each(calibration):
    logits = np.linspace(-8, 8, 101)
    knots = tuple(calibration.knots) if isinstance(calibration, Isotonic) else ()
    slope, intercept = (0.7, -0.3) if not knots else (1.0, 0.0)
    verdict = Verdict(slope, intercept, 0.5, 0.5, calibrated=True, knots=knots)
    want = [verdict.probability(float(value)) for value in logits]
    np.testing.assert_allclose(probabilities(calibration, logits), want, atol=1e-12)


def test_without_a_calibration_logits_stay():
    logits = np.array([-1.0, 2.0])
    np.testing.assert_array_equal(calibrated_logits(None, logits), logits)
    np.testing.assert_allclose(fitting.probabilities(None, logits), expit(logits))
