"""Thresholds at false-positive budgets, what they promise, and the inconclusive band. Pure functions.

Two promises are made of a threshold, both about *groups* (videos, people) that could be exchanged with those it was
chosen on, never about other kinds of pictures:

* in expectation: over samples like this one, the next group's pictures are called fake with a probability of at most
  the budget (split conformal prediction: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World",
  2005);
* with a confidence of 95 %: the false-positive rate of this very threshold is no larger than `upper_bound`. Where
  every group is one picture, that is Clopper and Pearson's bound (1934), exact; where groups are many pictures, of
  which any share may be above the threshold, it is the bound of Hoeffding and Bentkus as in A. Angelopoulos et al.,
  "Learn then Test", 2021, section 2. Both are taken at the share that the budget allows, which depends on the number
  of groups alone: that the threshold was chosen on the same pictures therefore costs nothing. (At a threshold whose
  true rate is the bound, as few as the allowed share are seen above it with a probability of 5 %; and no rate beyond
  the bound belongs to a threshold that is stricter.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from mesoscope.bundle import Band, Budget, Thresholds
from mesoscope_train.calibration.sample import Floats, Sample

BUDGETS = (0.01, 0.02, 0.05, 0.1)
DEFAULT_BUDGET = 0.05
"""The default threshold: one real picture in twenty of the validation's kind may be called fake."""
MISSED = 0.10
"""The band's lower edge: at most this share of the validation's fakes lies below it and is called real."""
CONFIDENCE = 0.95
_ROUNDING = 1e-9
"""Weights of groups are sums of fractions."""


def smallest_budget(groups: int) -> float:
    """The smallest share that so many groups can promise: one more group may always be above all."""
    return 1 / (groups + 1)


def budgets_for(groups: int) -> tuple[float, ...]:
    """Those of `BUDGETS` that so many groups can promise; where that is not even the default one, the smallest too.

    The smallest is rounded up to a tenth of a per cent.
    """
    smallest = smallest_budget(groups)
    possible = tuple(budget for budget in BUDGETS if budget >= smallest - _ROUNDING)
    if DEFAULT_BUDGET in possible:
        return possible
    rounded = math.ceil(1000 * smallest - _ROUNDING) / 1000
    return tuple(sorted({rounded, *possible}))


def upper_quantile(values: Floats, weights: Floats, budget: float) -> float:
    """The smallest threshold that a share of at most `budget` of new values reaches, in expectation.

    The split-conformal quantile: of groups that can be exchanged with these, one more (of the mean weight,
    infinitely large) is counted among those above. Weighted, so that it holds for groups rather than frames.

    Returns:
        a number just above one of `values`, or infinity where there are too few groups for the budget.
    """
    order = np.argsort(values)[::-1]
    # one unseen group of weight one stands above everything
    share = (1.0 + np.cumsum(weights[order])) / (weights.sum() + 1.0)
    within = np.flatnonzero(share <= budget + _ROUNDING)
    if within.size == 0:
        # not even the largest value may be reached; only what no real has reached remains
        nothing = 1.0 / (weights.sum() + 1.0) > budget + _ROUNDING
        return math.inf if nothing else float(np.nextafter(values[order[0]], np.inf))
    following = within[-1] + 1
    return float(np.nextafter(values[order[min(following, len(order) - 1)]], np.inf))


def upper_bound(budget: float, groups: int, *, one_each: bool, confidence: float = CONFIDENCE) -> float:
    """The false-positive rate that a threshold at this budget does not exceed, with this confidence.

    Args:
        budget: at least `smallest_budget`.
        groups: number of groups of reals that the threshold was chosen on.
        one_each: whether every group is one picture.
        confidence: in (0, 1).
    """
    share = max(0.0, (budget * (groups + 1) - 1) / groups)
    doubt = 1 - confidence
    above = math.floor(share * groups + _ROUNDING)
    if above >= groups:
        return 1.0
    if one_each or above == share == 0:
        return float(stats.beta.ppf(confidence, above + 1, groups - above))
    if _surprise(share, groups, 1 - _ROUNDING) > doubt:
        return 1.0
    return float(optimize.brentq(lambda rate: _surprise(share, groups, rate) - doubt, share, 1 - _ROUNDING))


def _surprise(share: float, groups: int, rate: float) -> float:
    """Bound on the chance that a mean of so many values in [0, 1] is at most `share` if its expectation is `rate`."""
    low = min(share, rate)
    distance = (low * math.log(low / rate) if low > 0 else 0.0) + (1 - low) * math.log((1 - low) / (1 - rate))
    hoeffding = math.exp(-groups * distance)
    bentkus = math.e * float(stats.binom.cdf(math.ceil(groups * share - _ROUNDING), groups, rate))
    return min(hoeffding, bentkus)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the pictures come from: in words, and the sha256 of their manifest (None where there is none)."""

    text: str
    manifest_sha256: str | None = None


def choose(probabilities: Floats, sample: Sample, origin: Origin) -> tuple[Thresholds, Band]:
    """Thresholds at the budgets from the reals, and the band's lower edge from the fakes.

    Args:
        probabilities: calibrated, (N,).
        sample: labels and groups.
        origin: the data.
    """
    real, fake, weights = ~sample.fake, sample.fake, sample.weights
    groups = sample.n_real_groups
    one_each = groups == int(real.sum())
    budgets = [
        Budget(
            max_fpr=budget,
            threshold=min(1.0, upper_quantile(probabilities[real], weights[real], budget)),
            upper_95=upper_bound(budget, groups, one_each=one_each),
        )
        for budget in budgets_for(groups)
    ]
    # the same promise, mirrored: of new fakes at most `missed` lie below the edge
    missed = max(MISSED, math.ceil(1000 * smallest_budget(sample.n_fake_groups) - _ROUNDING) / 1000)
    lower = 1.0 - min(1.0, upper_quantile(1.0 - probabilities[fake], weights[fake], missed))
    default = max((budget for budget in budgets if budget.max_fpr <= DEFAULT_BUDGET), key=_width, default=budgets[0])
    thresholds = Thresholds(
        default=default.threshold,
        budgets=budgets,
        chosen_on=origin.text,
        manifest_sha256=origin.manifest_sha256,
        n_real=int(real.sum()),
        n_fake=int(fake.sum()),
        n_real_groups=groups,
        n_fake_groups=sample.n_fake_groups,
    )
    return thresholds, Band(lower=min(lower, default.threshold), upper=default.threshold, max_missed=missed)


def _width(budget: Budget) -> float:
    return budget.max_fpr
