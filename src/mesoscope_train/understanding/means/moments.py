"""Running means and spreads of arrays, cell by cell, in the memory of a few arrays.

`Moments` merges batches as T. F. Chan, G. H. Golub and R. J. LeVeque do ("Algorithms for computing the sample
variance", The American Statistician 37, 1983), which B. P. Welford's update is for batches of one. `GroupedMean` adds
what the standard error of a mean needs where pictures of one group (frames of one video) belong together. Both count
each place apart: a face that was turned to the common frame does not fill it everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Moments:
    """Mean and standard deviation over pictures.

    Args:
        shape: (K, h, w) of one picture's values.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = torch.zeros(1, *shape[1:], dtype=torch.float64)
        self._mean = torch.zeros(shape, dtype=torch.float64)
        self._squares = torch.zeros(shape, dtype=torch.float64)

    def add(self, values: Tensor, weight: Tensor) -> None:
        """Take a batch.

        Args:
            values: (B, K, h, w) float32, finite.
            weight: (B, 1, h, w), 1 where a picture has values and 0 where not.
        """
        count = weight.sum(0, dtype=torch.float64)
        mean = (values * weight).sum(0, dtype=torch.float64) / count.clamp_min(1)
        squares = (((values - mean.float()) * weight) ** 2).sum(0, dtype=torch.float64)
        total = self.count + count
        apart = mean - self._mean
        share = count / total.clamp_min(1)
        self._mean += apart * share
        self._squares += squares + apart**2 * self.count * share
        self.count = total

    @property
    def mean(self) -> Floats:
        """(K, h, w); NaN where no picture had a value."""
        return torch.where(self.count > 0, self._mean, torch.nan).numpy()

    @property
    def std(self) -> Floats:
        """(K, h, w), over pictures, with n - 1; NaN where fewer than two had a value."""
        variance = self._squares / (self.count - 1).clamp_min(1)
        return torch.where(self.count > 1, variance.sqrt(), torch.nan).numpy()


class GroupedMean:
    """The mean of maps over pictures, and its standard error when whole groups are what was drawn.

    With S_g and n_g the sum and the number of a group's pictures, the variance of ``mean = sum S_g / sum n_g`` is
    ``G / (G - 1) * sum (S_g - n_g mean)^2 / (sum n_g)^2`` (the linearised ratio estimator; W. G. Cochran, "Sampling
    Techniques", 1977, section 9A). Its parts are sums, so only the group that is being read is held: pictures must
    come group by group.

    Args:
        shape: (h, w).
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._open: int | None = None
        self._sum, self._number = np.zeros(shape), np.zeros(shape)
        self._n, self._s = np.zeros(shape), np.zeros(shape)
        self._ss, self._sn, self._nn, self._groups = (np.zeros(shape) for _ in range(4))

    def add(self, maps: Tensor, weight: Tensor, groups: Ints) -> None:
        """Take pictures.

        Args:
            maps: (B, h, w).
            weight: (B, h, w), 1 or 0.
            groups: (B,) int; a group that was left never comes back.
        """
        for group in dict.fromkeys(groups.tolist()):
            mine = torch.from_numpy(groups == group)
            if group != self._open:
                self._close()
                self._open = group
            self._sum += (maps[mine] * weight[mine]).sum(0, dtype=torch.float64).numpy()
            self._number += weight[mine].sum(0, dtype=torch.float64).numpy()

    def _close(self) -> None:
        self._s += self._sum
        self._n += self._number
        self._ss += self._sum**2
        self._sn += self._sum * self._number
        self._nn += self._number**2
        self._groups += self._number > 0
        self._sum, self._number = np.zeros(self._shape), np.zeros(self._shape)

    @property
    def mean(self) -> Floats:
        """(h, w); NaN where no picture had a value."""
        self._close()
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._s / np.where(self._n > 0, self._n, np.nan)

    @property
    def groups(self) -> int:
        """How many groups there were."""
        self._close()
        return int(self._groups.max())

    @property
    def standard_error(self) -> Floats:
        """(h, w); NaN where fewer than two groups had a value."""
        mean = self.mean
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = self._ss - 2 * mean * self._sn + mean**2 * self._nn
            enough = np.where(self._groups > 1, self._groups / (self._groups - 1), np.nan)
            return np.sqrt(enough * np.maximum(spread, 0)) / self._n
