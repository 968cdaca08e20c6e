"""Whether probabilities mean what they say, groups and both classes weighing alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mesoscope.metrics.probability import bins_of
from mesoscope_train.calibration.sample import Floats, Sample

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of about the same probability.

    Attributes:
        low, high: the probabilities it is of.
        weight: its share of all.
        stated: mean probability; NaN where it is empty.
        found: share of fakes, both classes weighing alike; NaN where it is empty.
    """

    low: float
    high: float
    weight: float
    stated: float
    found: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities are from what is found.

    Attributes:
        log_loss, brier: proper scores: mean of -log and of the square of what is missing to the truth.
        ece: expected calibration error over `BINS` bins: mean distance of what is stated and what is found.
        bins: for the table.
    """

    log_loss: float
    brier: float
    ece: float
    bins: tuple[Bin, ...]


def reliability_of(probability: Floats, sample: Sample) -> Reliability:
    """Measure probabilities (N,) in [0, 1] against the labels."""
    weights, truth = sample.balanced, sample.fake.astype(np.float64)
    inside = np.clip(probability, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
    log_loss = -float(weights @ np.where(sample.fake, np.log(inside), np.log1p(-inside)))
    places = bins_of(probability, BINS)
    mass, stated, found = (
        np.bincount(places, weights * column, BINS) for column in (np.ones_like(truth), probability, truth)
    )
    with np.errstate(invalid="ignore"):
        rows = zip(mass, stated / mass, found / mass, strict=True)
        bins = tuple(Bin(number / BINS, (number + 1) / BINS, *map(float, row)) for number, row in enumerate(rows))
    return Reliability(
        log_loss, float(weights @ (probability - truth) ** 2), float(np.abs(stated - found).sum()), bins
    )
