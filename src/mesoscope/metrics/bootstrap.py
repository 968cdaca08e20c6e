"""The bootstrap by group: groups are drawn again, not rows, because twenty frames of a video are one observation.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; Field and Welsh, "Bootstrapping clustered
data", JRSS B 69, 2007 (the cluster bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from mesoscope.metrics.undefined import Floats, Undefined

FEWEST_GROUPS = 5
"""Below so many groups the draws say nothing of what another sample would give."""
_CELLS_AT_ONCE = 200_000
"""A block of draws times rows has at most so many numbers: bounds the memory, and fits a cache."""


def draw_groups(groups: int, draws: int, seed: int, *, rows: int | None = None) -> Iterator[Floats]:
    """How often each group counts in each draw, block by block.

    The draws depend on the seed and the number of groups alone, not on the size of the blocks.

    Args:
        groups: how many there are.
        draws: how many draws in all.
        seed: of the generator.
        rows: of what the weights are meant for, to bound the memory.

    Yields:
        (D, groups) float64, whole numbers that add up to `groups` in each row.
    """
    random = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // max(groups, rows or 0, 1))
    for start in range(0, draws, at_once):
        count = min(at_once, draws - start)
        drawn = random.integers(0, groups, (count, groups)) + groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(np.float64)


def expanded(level: float, groups: int) -> float:
    """The share of the draws' middle that makes an interval of `level` where there are few groups.

    Percentiles are too narrow then: draws spread by the variance of the sample, which is (n - 1) / n of an unbiased
    one, and as a normal does, not as Student's t. For 100 groups it hardly matters.

    Source: Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69, 2015 (the
    expanded percentile interval).

    Args:
        level: wanted.
        groups: at least 2; those of the rarer class, for a number that takes both.
    """
    reach = (groups / (groups - 1)) ** 0.5 * float(stats.t.ppf((1 + level) / 2, groups - 1))
    return 1 - 2 * float(stats.norm.sf(reach))


def percentile_interval(draws: Floats, level: float) -> tuple[float, float] | Undefined:
    """The middle `level` of the draws; NaN stands for a draw in which there was no such number.

    Returns:
        low and high; or why not: more than a tenth of the draws had no such number.
    """
    valid = draws[np.isfinite(draws)]
    if valid.size < 0.9 * draws.size or valid.size == 0:
        return Undefined("in more than a tenth of the draws of groups there was no such number")
    low, high = np.quantile(valid, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def band(draws: Floats, level: float) -> tuple[Floats, Floats]:
    """Pointwise interval of a curve: (D, K) to low (K,) and high (K,); NaN are left out, NaN where all are."""
    with np.errstate(all="ignore"):
        held = np.ma.masked_invalid(draws)
    result = np.full((2, draws.shape[1]), np.nan)
    for point in np.flatnonzero(~np.ma.getmaskarray(held).all(axis=0)):
        result[:, point] = np.quantile(held[:, point].compressed(), ((1 - level) / 2, (1 + level) / 2))
    return result[0], result[1]
