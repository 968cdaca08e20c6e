"""What a calibration is learned from: logits, labels and groups of validation pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mesoscope_train.errors import CalibrationError

MIN_GROUPS = 5
"""Groups of either class below which nothing is fitted: five folds need them, and so does any promise."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def group_weights(groups: Sequence[Any] | npt.NDArray[Any]) -> Floats:
    """One over the size of each picture's group, so that a video with many frames counts once. (N,)."""
    _, index, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[index]
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Validation pictures of one bundle.

    Attributes:
        logits: (N,) float64, higher = more likely fake.
        fake: (N,) bool.
        groups: (N,) int64; equal numbers are one group.
    """

    logits: Floats
    fake: Bools
    groups: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def n_real_groups(self) -> int:
        """Groups that hold a real."""
        return int(np.unique(self.groups[~self.fake]).size)

    @property
    def n_fake_groups(self) -> int:
        """Groups that hold a fake."""
        return int(np.unique(self.groups[self.fake]).size)

    @property
    def weights(self) -> Floats:
        """Each group of each label weighs one in all. (N,); they sum to `n_real_groups` + `n_fake_groups`."""
        return group_weights(2 * np.unique(self.groups, return_inverse=True)[1] + self.fake)

    @property
    def balanced(self) -> Floats:
        """The weights, both classes weighing one half in all. (N,); they sum to 1."""
        weights = self.weights
        for label in (True, False):
            weights[self.fake == label] /= 2 * weights[self.fake == label].sum()
        return weights

    def take(self, rows: npt.NDArray[Any]) -> Sample:
        """The rows of these indices, or where a boolean array is true."""
        return Sample(self.logits[rows], self.fake[rows], self.groups[rows])


def checked(sample: Sample) -> Sample:
    """The sample, if something can be learned from it.

    Raises:
        CalibrationError: a logit is not finite, a class is missing, all logits are equal, or groups are too few.
    """
    bad = int((~np.isfinite(sample.logits)).sum())
    if bad:
        raise CalibrationError(f"{bad:,} of {len(sample):,} scores are not numbers; the bundle cannot be calibrated")
    n_fake = int(sample.fake.sum())
    if not n_fake or n_fake == len(sample):
        only = "fake" if n_fake else "real"
        raise CalibrationError(
            f"all {len(sample):,} pictures with a score are {only}: a calibration needs both real and fake ones"
        )
    few = min(sample.n_real_groups, sample.n_fake_groups)
    if few < MIN_GROUPS:
        raise CalibrationError(
            f"{sample.n_real_groups:,} groups of real and {sample.n_fake_groups:,} of fake pictures are too few: at "
            f"least {MIN_GROUPS} of either are needed (a group is a source video or a person, however many pictures)"
        )
    if np.ptp(sample.logits) == 0:
        raise CalibrationError("all scores are equal: the bundle does not tell these pictures apart")
    return sample
