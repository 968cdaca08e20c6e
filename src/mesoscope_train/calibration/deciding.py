"""Calibration, thresholds and band together, as they are written into a bundle."""

from __future__ import annotations

from dataclasses import dataclass

from mesoscope.bundle import Band, Calibration, Thresholds
from mesoscope_train.calibration.budgets import BUDGETS, MISSED, Origin, choose, smallest_budget, upper_bound
from mesoscope_train.calibration.choosing import UNCHANGED, Choice, Method, choose_method
from mesoscope_train.calibration.fitting import METHODS, AnyCalibration, probabilities
from mesoscope_train.calibration.reliability import Reliability, reliability_of
from mesoscope_train.calibration.sample import Sample, checked

PLAIN = Calibration(method="temperature", slope=1.0, intercept=0.0)
"""The plain sigmoid, as a calibration."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a bundle gets, and what speaks for it.

    Attributes:
        calibration, thresholds, band: of the contract.
        choice: the methods, cross-validated.
        before: how the probabilities were without it, on the same pictures.
        after: how they are on held-out groups.
    """

    calibration: AnyCalibration
    thresholds: Thresholds
    band: Band
    choice: Choice
    before: Reliability
    after: Reliability

    @property
    def notes(self) -> list[str]:
        """What the sample is too small for, in sentences."""
        groups = self.thresholds.n_real_groups
        missing = [budget for budget in BUDGETS if budget < smallest_budget(groups) - 1e-9]
        notes = []
        if missing:
            notes.append(
                f"{groups:,} groups of real pictures are too few for a budget of "
                f"{', '.join(f'{budget:g}' for budget in missing)}: the smallest that so many can promise is "
                f"{smallest_budget(groups):.3g} in expectation, and "
                f"{upper_bound(smallest_budget(groups), groups, one_each=True):.3g} with 95 % confidence; "
                f"{round(1 / min(missing)) - 1:,} groups are needed for {min(missing):g}"
            )
        if self.band.max_missed > MISSED:
            notes.append(
                f"{self.thresholds.n_fake_groups:,} groups of fakes are too few to keep the share of fakes called "
                f"real below {MISSED:g}; the inconclusive band is made for {self.band.max_missed:g}"
            )
        return notes

    @property
    def notes_as_sentences(self) -> list[str]:
        """`notes`, each with its capital and its stop."""
        return [f"{note[0].upper()}{note[1:]}." for note in self.notes]


def decide(
    sample: Sample, origin: Origin, *, method: Method = "auto", earlier: AnyCalibration | None = None
) -> Decided:
    """Calibration, thresholds and band from validation pictures.

    Args:
        sample: of the bundle that is to be calibrated.
        origin: the data.
        method: one of `METHODS`, or ``auto``.
        earlier: the calibration the bundle has so far, for the comparison; None: the plain sigmoid.

    Raises:
        CalibrationError: the pictures do not make a calibration.
    """
    choice = choose_method(checked(sample), method, earlier)
    unchanged = choice.method == UNCHANGED
    calibration = (earlier or PLAIN) if unchanged else METHODS[choice.method](sample)
    thresholds, band = choose(probabilities(calibration, sample.logits), sample, origin)
    return Decided(
        calibration,
        thresholds,
        band,
        choice,
        before=reliability_of(probabilities(earlier, sample.logits), sample),
        after=reliability_of(probabilities(None, choice.chosen.held_out), sample),
    )
