"""From logit to probability to outcome. Pure functions of a bundle's contract; nothing is fitted here."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from mesoscope.bundle import BundleContract, Isotonic, Thresholds
from mesoscope.errors import NotCalibrated, UsageError
from mesoscope.types import Outcome

UNCALIBRATED_THRESHOLD = 0.5
TAIL = 0.01
"""Slope of an isotonic calibration beyond its knots: the order of scores is kept, and hardly any certainty added."""
Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule that turns a logit into an answer.

    Attributes:
        slope, intercept: probability of fake = sigmoid(slope * logit + intercept), unless there are knots.
        threshold: from this probability on (inclusive) the outcome is fake.
        lower: below this probability the outcome is real; between, inconclusive.
        calibrated: False where the bundle has no calibration (the plain sigmoid is used).
        knots: of an isotonic calibration: probability of fake = sigmoid(z(logit)), see `on_knots`.
    """

    slope: float
    intercept: float
    threshold: float
    lower: float
    calibrated: bool
    knots: Knots = ()

    def probability(self, logit: float) -> float:
        """Probability of fake in [0, 1] for a logit (any finite float)."""
        z = on_knots(logit, self.knots) if self.knots else self.slope * logit + self.intercept
        # the two forms keep exp() from overflowing on either side
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))

    def outcome(self, probability: float) -> Outcome:
        """Fake, real or inconclusive for a probability in [0, 1]."""
        if probability >= self.threshold:
            return Outcome.FAKE
        return Outcome.REAL if probability < self.lower else Outcome.INCONCLUSIVE


def on_knots(logit: float, knots: Knots) -> float:
    """The calibrated logit z: straight between the knots, beyond them with the slope `TAIL`.

    Args:
        logit: any finite float.
        knots: at least two pairs (logit, z), both strictly increasing.
    """
    if logit <= knots[0][0] or logit >= knots[-1][0]:
        at, z = knots[0] if logit <= knots[0][0] else knots[-1]
        return z + TAIL * (logit - at)
    above = bisect_right(knots, logit, key=lambda knot: knot[0])
    (left, low), (right, high) = knots[above - 1], knots[above]
    return low + (high - low) * (logit - left) / (right - left)


def verdict_for(contract: BundleContract, max_fpr: float | None = None) -> Verdict:
    """The rule a bundle states, or the stricter one at a budget of false positives.

    Args:
        contract: the bundle's.
        max_fpr: largest share of real pictures that may be called fake, one of the bundle's budgets.
            It moves the threshold, and the upper edge of the inconclusive band with it.

    Raises:
        NotCalibrated: a budget was asked of a bundle without thresholds.
        UsageError: the budget is none of those the bundle states.
    """
    calibration = contract.calibration
    thresholds, band = contract.thresholds, contract.band
    threshold = thresholds.default if thresholds else UNCALIBRATED_THRESHOLD
    if max_fpr is not None:
        if thresholds is None:
            raise NotCalibrated(
                f"bundle {contract.identifier} has no thresholds at false-positive budgets: it was never calibrated. "
                f"That takes labelled pictures: mesoscope calibrate --bundle {contract.identifier} --manifest "
                "M.parquet --out DIR; without --max-fpr it can be used"
            )
        threshold = _at(max_fpr, thresholds, contract.identifier)
    lower = min(band.lower, threshold) if band else threshold
    if calibration is None:
        return Verdict(1.0, 0.0, threshold, lower, calibrated=False)
    if isinstance(calibration, Isotonic):
        return Verdict(1.0, 0.0, threshold, lower, calibrated=True, knots=tuple(calibration.knots))
    return Verdict(calibration.slope, calibration.intercept, threshold, lower, calibrated=True)


def _at(max_fpr: float, thresholds: Thresholds, identifier: str) -> float:
    """The threshold at a budget that the bundle states."""
    at = {budget.max_fpr: budget.threshold for budget in thresholds.budgets}
    if max_fpr in at:
        return at[max_fpr]
    known = ", ".join(f"{fpr:g}" for fpr in sorted(at))
    if max_fpr < thresholds.smallest_budget:
        raise UsageError(
            f"bundle {identifier} cannot promise a false-positive budget of {max_fpr:g}: it was calibrated on "
            f"{thresholds.n_real_groups:,} groups of real pictures, and so few promise "
            f"{thresholds.smallest_budget:.3g} at best; it states: {known}. With pictures of more groups, "
            "'mesoscope calibrate' makes a version that can"
        )
    raise UsageError(
        f"bundle {identifier} has no threshold for a false-positive budget of {max_fpr:g}; it states: {known}"
    )
