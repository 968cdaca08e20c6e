"""Calibration, thresholds and band from validation logits alone. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from mesoscope.bundle import Band, Budget, Calibration, Thresholds

BUDGETS = (0.01, 0.02, 0.05, 0.1)
DEFAULT_BUDGET = 0.05
"""The default threshold: one real face in twenty of the validation's kind may be called fake."""
MISSED = 0.10
"""The band's lower edge: at most this share of the validation's fakes lies below it and is called real."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def group_weights(groups: Sequence[str]) -> Floats:
    """One over the size of each picture's group, so that a video with many frames counts once."""
    _, index, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[index]
    return weights


def fit_platt(logits: Floats, fake: Bools, weights: Floats) -> Calibration:
    """Platt's sigmoid by weighted maximum likelihood, both classes given equal weight in all.

    Equal weight means that the probability assumes as many fakes as reals; the card says so.

    Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999; scikit-learn's solver.
    """
    balanced = weights.copy()
    for label in (True, False):
        balanced[fake == label] /= balanced[fake == label].sum()
    model = LogisticRegression(C=np.inf).fit(logits[:, None], fake, sample_weight=balanced * len(logits))
    return Calibration(method="platt", slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))


def upper_quantile(values: Floats, weights: Floats, budget: float) -> float:
    """The smallest threshold that a share of at most `budget` of new values reaches, in expectation.

    The split-conformal quantile: of groups that can be exchanged with these, one more (of the mean weight,
    infinitely large) is counted among those above. Weighted, so that it holds for groups rather than frames.

    Source: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005.

    Returns:
        a number just above one of `values`, or infinity where there are too few groups for the budget.
    """
    order = np.argsort(values)[::-1]
    # one unseen group of weight one stands above everything
    share = (1.0 + np.cumsum(weights[order])) / (weights.sum() + 1.0)
    within = np.flatnonzero(share <= budget)
    if within.size == 0:
        # not even the largest value may be reached; only what no real has reached remains
        return math.inf if 1.0 / (weights.sum() + 1.0) > budget else float(np.nextafter(values[order[0]], np.inf))
    following = within[-1] + 1
    return float(np.nextafter(values[order[min(following, len(order) - 1)]], np.inf))


def choose(probabilities: Floats, fake: Bools, weights: Floats, *, chosen_on: str) -> tuple[Thresholds, Band]:
    """Thresholds at the budgets from the reals, and the band's lower edge from the fakes.

    Args:
        probabilities: calibrated, (N,).
        fake: labels (N,).
        weights: of `group_weights`, (N,).
        chosen_on: the data, in words.
    """
    real = ~fake
    at = {budget: min(1.0, upper_quantile(probabilities[real], weights[real], budget)) for budget in BUDGETS}
    # the same bound, mirrored: of new fakes at most MISSED lie below the edge
    lower = 1.0 - min(1.0, upper_quantile(1.0 - probabilities[fake], weights[fake], MISSED))
    default = at[DEFAULT_BUDGET]
    thresholds = Thresholds(
        default=default,
        budgets=[Budget(max_fpr=budget, threshold=threshold) for budget, threshold in at.items()],
        chosen_on=chosen_on,
        n_real=int(real.sum()),
        n_fake=int(fake.sum()),
    )
    return thresholds, Band(lower=min(lower, default), upper=default)
