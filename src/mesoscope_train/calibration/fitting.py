"""Temperature, Platt's sigmoid and isotonic regression, from logits to probabilities. Pure functions.

All three weigh groups alike and both classes alike: the probability assumes as many fakes as reals, and a bundle's
card says so. All three keep away from certainty by Platt's targets: of n groups that are all fake, the next is fake
with a probability of (n + 1) / (n + 2). So nothing diverges where the classes are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy import optimize, special
from sklearn.isotonic import IsotonicRegression

from mesoscope.bundle import Calibration, Isotonic
from mesoscope.calibrate import TAIL
from mesoscope_train.calibration.sample import Floats, Sample
from mesoscope_train.errors import CalibrationError

AnyCalibration = Calibration | Isotonic
Fit = Callable[[Sample], AnyCalibration]
_SMALLEST_SLOPE = 1e-6
"""Of logits divided by their spread: below it, scores say nothing."""


def fit_temperature(sample: Sample) -> Calibration:
    """One number T: probability = sigmoid(logit / T), by maximum likelihood.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.

    Raises:
        CalibrationError: the logits do not rise with the label.
    """
    scale = float(np.abs(sample.logits).max())
    logits, targets, weights = sample.logits / scale, targets_of(sample), sample.balanced
    found = optimize.minimize_scalar(
        lambda log_slope: _loss(np.exp(log_slope) * logits, targets, weights),
        bounds=(np.log(_SMALLEST_SLOPE), np.log(1e6)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    slope = float(np.exp(found.x))
    if slope < 2 * _SMALLEST_SLOPE:
        raise CalibrationError(_BACKWARDS)
    return Calibration(method="temperature", slope=slope / scale, intercept=0.0)


def fit_platt(sample: Sample) -> Calibration:
    """Slope and intercept: probability = sigmoid(slope * logit + intercept), by maximum likelihood.

    Source: J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with its targets.

    Raises:
        CalibrationError: the logits do not rise with the label.
    """
    centre, scale = float(np.median(sample.logits)), float(sample.logits.std())
    logits, targets, weights = (sample.logits - centre) / scale, targets_of(sample), sample.balanced

    def loss_and_gradient(line: Floats) -> tuple[float, Floats]:
        z = line[0] * logits + line[1]
        residual = weights * (special.expit(z) - targets)
        return _loss(z, targets, weights), np.array([residual @ logits, residual.sum()])

    found = optimize.minimize(
        loss_and_gradient, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-10}
    )
    slope, shift = float(found.x[0]) / scale, float(found.x[1])
    if found.x[0] < _SMALLEST_SLOPE:
        raise CalibrationError(_BACKWARDS)
    return Calibration(method="platt", slope=slope, intercept=shift - slope * centre)


def fit_isotonic(sample: Sample) -> Isotonic:
    """A rising function without a form, straight between knots.

    The steps of isotonic regression (pool adjacent violators, scikit-learn's), each put at the mean logit of its
    pictures and joined by straight lines of the calibrated logit, so that the order of scores survives.

    Source: B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
    KDD 2002; the joining: A. Oron, N. Flournoy, "Centered isotonic regression", 2017.

    Raises:
        CalibrationError: there is but one step: the logits do not rise with the label.
    """
    weights = sample.balanced
    steps = IsotonicRegression(out_of_bounds="clip").fit_transform(sample.logits, sample.fake, sample_weight=weights)
    low, high = least_and_most(sample)
    levels, index = np.unique(np.clip(steps, low, high).round(12), return_inverse=True)
    if levels.size < 2:
        raise CalibrationError(_BACKWARDS)
    mass = np.bincount(index, weights)
    centres = np.bincount(index, weights * sample.logits) / mass
    knots = [(float(at), float(z)) for at, z in zip(centres, special.logit(levels), strict=True)]
    return Isotonic(method="isotonic", knots=knots)


METHODS: Mapping[str, Fit] = {"temperature": fit_temperature, "platt": fit_platt, "isotonic": fit_isotonic}
"""The simplest first: one number, two, as many as the pictures ask for."""

_BACKWARDS = (
    "the scores do not rise from real to fake on these pictures: the bundle does not tell them apart, or tells them "
    "apart the wrong way round, and no calibration can help"
)


def calibrated_logits(calibration: AnyCalibration | None, logits: Floats) -> Floats:
    """What `mesoscope.calibrate.Verdict` takes the sigmoid of, (N,); None leaves the logits as they are."""
    if calibration is None:
        return logits
    if isinstance(calibration, Calibration):
        return np.asarray(calibration.slope * logits + calibration.intercept)
    at, z = np.array(calibration.knots).T
    beyond = np.minimum(logits - at[0], 0) + np.maximum(logits - at[-1], 0)
    return np.asarray(np.interp(logits, at, z) + TAIL * beyond)


def probabilities(calibration: AnyCalibration | None, logits: Floats) -> Floats:
    """Probabilities of fake, (N,)."""
    return np.asarray(special.expit(calibrated_logits(calibration, logits)))


def least_and_most(sample: Sample) -> tuple[float, float]:
    """The smallest and the largest probability that so many groups justify."""
    return 1 / (sample.n_real_groups + 2), (sample.n_fake_groups + 1) / (sample.n_fake_groups + 2)


def targets_of(sample: Sample) -> Floats:
    """Platt's targets in the place of 0 and 1, (N,)."""
    low, high = least_and_most(sample)
    return np.where(sample.fake, high, low)


def _loss(z: Floats, targets: Floats, weights: Floats) -> float:
    """Weighted log-loss of calibrated logits."""
    return float(weights @ (np.logaddexp(0, z) - targets * z))
