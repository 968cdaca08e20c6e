"""Intervals of means that are honest about groups: twenty frames of a video are one observation.

The draws are those of `mesoscope.metrics.bootstrap`: whole groups, with replacement; the interval is the middle 95 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesoscope.metrics.bootstrap import FEWEST_GROUPS, draw_groups, percentile_interval
from mesoscope.metrics.undefined import Undefined

DRAWS = 1000
LEVEL = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its 95 % interval.

    Attributes:
        value: NaN where there is nothing to measure.
        low, high: NaN also where there are too few groups for an interval.
        n, groups: rows and groups behind it.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int

    def beyond(self, chance: float) -> int:
        """1 where the whole interval lies above `chance`, -1 where below, 0 where it holds it or there is none."""
        if self.low > chance:
            return 1
        return -1 if self.high < chance else 0

    def words(self, digits: int = 2) -> str:
        """``1.21 (1.10 to 1.32)``."""
        if not np.isfinite(self.value):
            return "–"
        if not np.isfinite(self.low):
            return f"{self.value:.{digits}f} (too few groups)"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"

    def to_json(self) -> dict[str, object]:
        """Plain values; null for NaN."""
        number = {name: getattr(self, name) for name in ("value", "low", "high")}
        known = {name: None if not np.isfinite(value) else float(value) for name, value in number.items()}
        return {**known, "n": self.n, "n_groups": self.groups}


def mean_of(values: Floats, groups: npt.NDArray[np.int64], seed: int = 0) -> Measured:
    """The mean of rows, each weighing the same.

    Args:
        values: (N,) float64; NaN rows are left out.
        groups: (N,) which rows belong together.
        seed: of the draws.
    """
    known = np.isfinite(values)
    return combined(lambda means: means[:, 0], [(values[known], groups[known])], seed)


def combined(
    statistic: Callable[[Floats], Floats], samples: list[tuple[Floats, npt.NDArray[np.int64]]], seed: int = 0
) -> Measured:
    """A function of the means of several samples that may share groups (a difference, a ratio).

    Args:
        statistic: (D, K) means of the K samples to (D,).
        samples: values (N_k,) and groups (N_k,); a group is drawn into all samples that hold it.
        seed: of the draws.
    """
    rows = sum(len(values) for values, _ in samples)
    every, codes = np.unique(np.concatenate([groups for _, groups in samples]), return_inverse=True)
    if any(len(values) == 0 for values, _ in samples):
        return Measured(np.nan, np.nan, np.nan, rows, len(every))
    sums, counts = np.zeros((len(every), len(samples))), np.zeros((len(every), len(samples)))
    start = 0
    for number, (values, _) in enumerate(samples):
        mine = codes[start : start + len(values)]
        np.add.at(sums[:, number], mine, values)
        np.add.at(counts[:, number], mine, 1)
        start += len(values)
    value = float(statistic((sums.sum(0) / counts.sum(0))[None])[0])
    drawn = []
    for weights in draw_groups(len(every), DRAWS, seed):
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may miss a small sample altogether
            drawn.append(statistic((weights @ sums) / (weights @ counts)))
    found = percentile_interval(np.concatenate(drawn), LEVEL)
    low, high = (np.nan, np.nan) if len(every) < FEWEST_GROUPS or isinstance(found, Undefined) else found
    return Measured(value, low, high, rows, len(every))
