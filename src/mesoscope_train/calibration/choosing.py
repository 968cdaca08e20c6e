"""Which calibration: by cross-validation over groups, the simpler one where that costs no more than chance does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from mesoscope_train.calibration.fitting import METHODS, AnyCalibration, Fit, calibrated_logits, fit_platt
from mesoscope_train.calibration.sample import MIN_GROUPS, Floats, Sample
from mesoscope_train.errors import CalibrationError

FOLDS = MIN_GROUPS
UNCHANGED = "unchanged"
"""The candidate without a parameter: the calibration the bundle has, or the plain sigmoid."""
Method = Literal["auto", "temperature", "platt", "isotonic"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One method, cross-validated.

    Attributes:
        method: its name.
        held_out: (N,) calibrated logit of each picture, from a fit that its group took no part in.
        loss: log-loss of those, groups and both classes weighing alike.
        worse: how much more that is than the best one's.
        error: standard error of that difference, over groups.
    """

    method: str
    held_out: Floats
    loss: float
    worse: float = 0.0
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that was chosen, the candidates in order of simplicity, and why in a sentence."""

    method: str
    candidates: tuple[Candidate, ...]
    why: str

    @property
    def chosen(self) -> Candidate:
        """The candidate that was chosen."""
        return next(candidate for candidate in self.candidates if candidate.method == self.method)


def choose_method(sample: Sample, method: Method = "auto", earlier: AnyCalibration | None = None) -> Choice:
    """Cross-validate the methods and take one; what is there already is a candidate, the simplest.

    Log-loss is the score because it is proper: no probability but the true one makes it smallest. Of all methods
    whose loss is within one standard error of the best one's (of the *difference*, over groups), the simplest is
    taken: the rule of Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984, section 3.4.3.

    Args:
        sample: checked (`mesoscope_train.calibration.sample.checked`).
        method: take this one, whatever the others do.
        earlier: what the bundle has so far; None for the plain sigmoid.

    Raises:
        CalibrationError: the scores do not rise with the label, or the method that was asked for cannot be fitted.
    """
    fit_platt(sample)  # where not even a line rises, steps that do are chance
    folds = folds_of(sample)
    tried: list[Candidate] = []
    refused: dict[str, CalibrationError] = {}
    for name, fit in METHODS.items():
        try:
            tried.append(_cross_validated(name, fit, sample, folds))
        except CalibrationError as error:
            refused[name] = error
    if not tried or (method != "auto" and method in refused):
        raise next(iter(refused.values())) if method == "auto" else refused[method]
    as_it_is = calibrated_logits(earlier, sample.logits)
    unchanged = Candidate(UNCHANGED, as_it_is, float(sample.balanced @ losses(as_it_is, sample)))
    candidates = _compared(sample, [unchanged, *tried])
    if method != "auto":
        return Choice(method, candidates, f"{method} was asked for")
    near = [candidate for candidate in candidates if candidate.worse <= candidate.error]
    return Choice(near[0].method, candidates, _why(near[0], candidates))


def folds_of(sample: Sample) -> npt.NDArray[np.int64]:
    """A fold of each picture, (N,): no group in two, both classes spread."""
    folds = np.zeros(len(sample), np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, held_out) in enumerate(splitter.split(sample.logits, sample.fake, sample.groups)):
        folds[held_out] = number
    return folds


def losses(z: Floats, sample: Sample) -> Floats:
    """Log-loss of each picture's calibrated logit, (N,)."""
    return np.asarray(np.logaddexp(0, np.where(sample.fake, -z, z)))


def _cross_validated(name: str, fit: Fit, sample: Sample, folds: npt.NDArray[np.int64]) -> Candidate:
    held_out = np.empty(len(sample))
    for fold in np.unique(folds):
        inside = folds == fold
        held_out[inside] = calibrated_logits(fit(sample.take(~inside)), sample.logits[inside])
    return Candidate(name, held_out, float(sample.balanced @ losses(held_out, sample)))


def _compared(sample: Sample, tried: list[Candidate]) -> tuple[Candidate, ...]:
    best = min(tried, key=lambda candidate: candidate.loss)
    of_best = losses(best.held_out, sample)
    return tuple(
        Candidate(
            candidate.method,
            candidate.held_out,
            candidate.loss,
            candidate.loss - best.loss,
            standard_error(losses(candidate.held_out, sample) - of_best, sample),
        )
        for candidate in tried
    )


def standard_error(values: Floats, sample: Sample) -> float:
    """Of the mean of `values` (N,), groups and both classes weighing alike: pictures of a group vary together."""
    weights, centred = sample.balanced, values.copy()
    for label in (True, False):
        rows = sample.fake == label
        centred[rows] -= np.average(values[rows], weights=weights[rows])
    _, index = np.unique(sample.groups, return_inverse=True)
    shares = np.bincount(index, weights * centred)
    return float(np.sqrt(shares.size / (shares.size - 1) * (shares**2).sum()))


def _why(chosen: Candidate, candidates: tuple[Candidate, ...]) -> str:
    best = min(candidates, key=lambda candidate: candidate.loss)
    if chosen is best:
        return f"{_title(chosen)} has the smallest log-loss on held-out groups, {chosen.loss:.4f}"
    return (
        f"{_title(best)} has the smallest log-loss on held-out groups, {best.loss:.4f}; {_title(chosen)} is simpler "
        f"and loses {chosen.worse:.4f} more, less than one standard error of that difference ({chosen.error:.4f})"
    )


def _title(candidate: Candidate) -> str:
    return "what the bundle has already" if candidate.method == UNCHANGED else candidate.method
