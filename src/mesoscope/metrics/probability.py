"""Whether stated probabilities mean what they say: reliability bins and the expected calibration error.

Log-loss and Brier score are sums over units and stand in `mesoscope.metrics.classification`.
"""

from __future__ import annotations

import numpy as np

from mesoscope.metrics.undefined import Bools, Floats, Ints


def bins_of(probability: Floats, bins: int) -> Ints:
    """The bin of each probability, (N,) from 0: bins of equal width, [k / bins, (k + 1) / bins), the last closed."""
    return np.asarray(np.minimum(np.floor(probability * bins), bins - 1), np.int64)


def bin_sums(fake: Bools, probability: Floats, bins: int, group: Ints, groups: int) -> Floats:
    """Units, sum of probabilities and fakes of each bin by group, (groups, 3, bins) float64."""
    places = group * bins + bins_of(probability, bins)
    columns = (None, probability, fake.astype(np.float64))
    sums = [np.bincount(places, weights=column, minlength=groups * bins) for column in columns]
    return np.stack([np.asarray(one, np.float64).reshape(groups, bins) for one in sums], axis=1)


def calibration_error(sums: Floats) -> Floats:
    """Expected calibration error: distance of mean probability and share of fakes, averaged over the units.

    Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015
    (of the probability of fake, not of the confidence in the answer).

    Args:
        sums: (…, 3, bins) as `bin_sums` gives them, summed over groups.

    Returns:
        (…,) NaN where there is no unit.
    """
    total = sums[..., 0, :].sum(axis=-1)
    distance = np.abs(sums[..., 1, :] - sums[..., 2, :]).sum(axis=-1)
    return np.asarray(np.divide(distance, total, out=np.full_like(total, np.nan), where=total > 0))
