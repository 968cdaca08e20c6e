"""Labels and scores of many units, checked once, as the other modules take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mesoscope.metrics.aggregation import log_odds
from mesoscope.metrics.undefined import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Answered units, and by their groups those that got no answer.

    Attributes:
        fake: (N,) labels of the answered.
        logit: (N,) finite; ranks them.
        probability: (N,) in [0, 1]; calibrated, or the plain sigmoid.
        group: (N,) codes 0 … groups - 1.
        groups: how many groups there are, those without an answer among them.
        threshold: probability from which on a unit is called fake.
        lower: below it a unit is called real; between the two, inconclusive.
        silent: (groups,) units without a score, of each group.
    """

    fake: Bools
    logit: Floats
    probability: Floats
    group: Ints
    groups: int
    threshold: float
    lower: float
    silent: Ints

    def __post_init__(self) -> None:
        rows = self.fake.shape
        if {self.logit.shape, self.probability.shape, self.group.shape} != {rows} or len(rows) != 1:
            raise ValueError("the arrays of a sample have one entry for each unit")
        if self.silent.shape != (self.groups,) or (self.group.size and self.group.max() >= self.groups):
            raise ValueError(f"groups are codes below {self.groups}")
        if not np.isfinite(self.logit).all() or not ((self.probability >= 0) & (self.probability <= 1)).all():
            raise ValueError("a score that is not a number is no answer; it belongs to the silent")

    @property
    def called_fake(self) -> Bools:
        """(N,) on the fake side of the threshold."""
        return np.asarray(self.probability >= self.threshold)

    @property
    def inconclusive(self) -> Bools:
        """(N,) inside the band, [lower, threshold)."""
        return np.asarray((self.probability >= self.lower) & ~self.called_fake)

    @property
    def sureness(self) -> Floats:
        """(N,) distance from the threshold in log-odds, at least 0; rounded, so that equally far is equal."""
        distance = np.abs(log_odds(self.probability) - log_odds(np.array([self.threshold])))
        return np.asarray(np.round(distance, 9))

    @property
    def rarer_groups(self) -> int:
        """Groups of the class that has fewer, among the answered."""
        return min(np.unique(self.group[side]).size for side in (self.fake, ~self.fake))

    def take(self, rows: Bools | Ints) -> Sample:
        """Some of the answered units, by mask or in the order of indices; groups keep their codes, none is silent."""
        return Sample(
            self.fake[rows], self.logit[rows], self.probability[rows], self.group[rows],
            self.groups, self.threshold, self.lower, np.zeros_like(self.silent),
        )  # fmt: skip

    def with_silent(self, silent: Ints) -> Sample:
        """The same answers beside others that were not given, (groups,)."""
        return replace(self, silent=silent)

    def compact(self) -> Sample:
        """The same with codes for those groups only that have a unit, answered or not."""
        counts = np.bincount(self.group, minlength=self.groups) + self.silent
        present = np.flatnonzero(counts)
        codes = np.zeros(self.groups, np.int64)
        codes[present] = np.arange(present.size)
        return replace(self, group=codes[self.group], groups=int(present.size), silent=self.silent[present])
