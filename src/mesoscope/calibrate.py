"""From logit to probability to outcome. Pure functions of a bundle's contract; nothing is fitted here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mesoscope.bundle import BundleContract
from mesoscope.errors import NotCalibrated, UsageError
from mesoscope.types import Outcome

UNCALIBRATED_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule that turns a logit into an answer.

    Attributes:
        slope, intercept: probability of fake = sigmoid(slope * logit + intercept).
        threshold: from this probability on (inclusive) the outcome is fake.
        lower: below this probability the outcome is real; between, inconclusive.
        calibrated: False where the bundle has no calibration (the plain sigmoid is used).
    """

    slope: float
    intercept: float
    threshold: float
    lower: float
    calibrated: bool

    def probability(self, logit: float) -> float:
        """Probability of fake in [0, 1] for a logit (any finite float)."""
        z = self.slope * logit + self.intercept
        # the two forms keep exp() from overflowing on either side
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))

    def outcome(self, probability: float) -> Outcome:
        """Fake, real or inconclusive for a probability in [0, 1]."""
        if probability >= self.threshold:
            return Outcome.FAKE
        return Outcome.REAL if probability < self.lower else Outcome.INCONCLUSIVE


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
    slope = calibration.slope if calibration else 1.0
    intercept = calibration.intercept if calibration else 0.0
    thresholds, band = contract.thresholds, contract.band
    threshold = thresholds.default if thresholds else UNCALIBRATED_THRESHOLD
    if max_fpr is not None:
        if thresholds is None or calibration is None:
            raise NotCalibrated(
                f"bundle {contract.identifier} has no thresholds at false-positive budgets: it was never "
                f"calibrated. That takes labelled pictures (mesoscope calibrate --bundle {contract.identifier} "
                "--manifest M.parquet, which this version does not have yet); without --max-fpr it can be used"
            )
        at = {budget.max_fpr: budget.threshold for budget in thresholds.budgets}
        if max_fpr not in at:
            known = ", ".join(f"{fpr:g}" for fpr in sorted(at))
            raise UsageError(
                f"bundle {contract.identifier} has no threshold for a false-positive budget of {max_fpr:g}; "
                f"it states: {known}"
            )
        threshold = at[max_fpr]
    lower = min(band.lower, threshold) if band else threshold
    return Verdict(slope, intercept, threshold, lower, calibrated=calibration is not None)
