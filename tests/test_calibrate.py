"""The rule from logit to outcome."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

from mesoscope.bundle import Band, BundleContract, Calibration, Isotonic, load_bundle
from mesoscope.calibrate import TAIL, Verdict, verdict_for
from mesoscope.errors import NotCalibrated, UsageError
from mesoscope.types import Outcome


@pytest.fixture
def contract() -> BundleContract:
    return load_bundle("mesoscope-face").contract


def uncalibrated(contract: BundleContract) -> BundleContract:
    return contract.model_copy(update={"calibration": None, "thresholds": None, "band": None})


@pytest.mark.parametrize("logit", [-800.0, -3.2, 0.0, 0.7, 800.0])
def test_probability_is_scipys_sigmoid_of_the_scaled_logit(logit: float) -> None:
    verdict = Verdict(slope=1.7, intercept=-0.4, threshold=0.5, lower=0.5, calibrated=True)
    assert verdict.probability(logit) == pytest.approx(expit(1.7 * logit - 0.4), abs=1e-12)
    assert math.isfinite(verdict.probability(logit))


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [
        (0.8, Outcome.FAKE),
        (0.7999, Outcome.INCONCLUSIVE),
        (0.3, Outcome.INCONCLUSIVE),
        (0.2999, Outcome.REAL),
        (0.0, Outcome.REAL),
        (1.0, Outcome.FAKE),
    ],
)
def test_outcomes_at_the_edges(probability: float, outcome: Outcome) -> None:
    verdict = Verdict(slope=1, intercept=0, threshold=0.8, lower=0.3, calibrated=True)
    assert verdict.outcome(probability) is outcome


def test_a_budget_moves_the_threshold_and_leaves_the_lower_edge(contract: BundleContract) -> None:
    default, strict = verdict_for(contract), verdict_for(contract, 0.01)
    assert contract.thresholds is not None
    assert default.threshold == contract.thresholds.default
    assert strict.threshold > default.threshold
    assert strict.lower == default.lower


def test_a_generous_budget_never_leaves_an_upside_down_band(contract: BundleContract) -> None:
    high = contract.model_copy(update={"band": Band(lower=0.999, upper=0.9995, max_missed=0.1)})
    verdict = verdict_for(high, 0.05)
    assert verdict.lower <= verdict.threshold


def test_thresholds_fall_as_budgets_grow(contract: BundleContract) -> None:
    assert contract.thresholds is not None
    budgets = sorted(contract.thresholds.budgets, key=lambda budget: budget.max_fpr)
    thresholds = [budget.threshold for budget in budgets]
    assert thresholds == sorted(thresholds, reverse=True)


def test_an_unstated_budget_is_refused_with_those_there_are(contract: BundleContract) -> None:
    with pytest.raises(UsageError, match=r"0\.07; it states: 0\.01"):
        verdict_for(contract, 0.07)


def test_a_budget_that_so_few_groups_cannot_promise_names_the_smallest(contract: BundleContract) -> None:
    assert contract.thresholds is not None
    few = contract.thresholds.model_copy(
        update={
            "n_real_groups": 30,
            "budgets": [budget for budget in contract.thresholds.budgets if budget.max_fpr > 0.04],
        }
    )
    with pytest.raises(
        UsageError, match=r"budget of 0\.01: .* 30 groups of real .* 0\.0323 at best; it states: 0\.05, 0\.1"
    ):
        verdict_for(contract.model_copy(update={"thresholds": few}), 0.01)


def test_without_calibration_the_plain_sigmoid_and_one_half(contract: BundleContract) -> None:
    verdict = verdict_for(uncalibrated(contract))
    assert (verdict.threshold, verdict.lower, verdict.calibrated) == (0.5, 0.5, False)
    assert verdict.probability(1.0) == pytest.approx(expit(1.0))


def test_without_calibration_a_budget_names_the_command(contract: BundleContract) -> None:
    with pytest.raises(
        NotCalibrated, match=r"mesoscope calibrate --bundle mesoscope-face-2 --manifest M\.parquet --out"
    ):
        verdict_for(uncalibrated(contract), 0.01)


def test_a_temperature_is_a_slope(contract: BundleContract) -> None:
    cooled = contract.model_copy(update={"calibration": Calibration(method="temperature", slope=0.5, intercept=0.0)})
    assert verdict_for(cooled).probability(2.0) == pytest.approx(expit(1.0))


KNOTS = [(-2.0, -1.5), (0.0, -1.0), (0.5, 2.0)]


@pytest.mark.parametrize("logit", [-900.0, -2.0, -1.0, 0.0, 0.2, 0.5, 3.0, 900.0])
def test_an_isotonic_calibration_is_straight_between_its_knots(contract: BundleContract, logit: float) -> None:
    stepped = contract.model_copy(update={"calibration": Isotonic(method="isotonic", knots=KNOTS)})
    want = np.interp(logit, *zip(*KNOTS, strict=True)) + TAIL * (min(logit + 2.0, 0) + max(logit - 0.5, 0))
    assert verdict_for(stepped).probability(logit) == pytest.approx(expit(want), abs=1e-12)
    assert verdict_for(stepped).calibrated


def test_an_isotonic_calibration_keeps_the_order_of_all_logits(contract: BundleContract) -> None:
    verdict = verdict_for(contract.model_copy(update={"calibration": Isotonic(method="isotonic", knots=KNOTS)}))
    found = [verdict.probability(logit) for logit in np.linspace(-40, 40, 801)]
    assert all(left < right for left, right in pairwise(found))
