"""Bounds of a proportion from k of n independent trials, and a test of two proportions that knows of groups."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mesoscope.metrics.undefined import Bools, Ints, Number, Undefined


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval: its coverage is never below `level`.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits …", Biometrika 26, 1934.

    Raises:
        ValueError: not 0 <= hits <= trials, or no trial.
    """
    _check(hits, trials)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def wilson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval: shorter, with a coverage of about `level`.

    Source: Wilson, "Probable inference, the law of succession …", JASA 22, 1927.

    Raises:
        ValueError: not 0 <= hits <= trials, or no trial.
    """
    _check(hits, trials)
    z = float(stats.norm.ppf((1 + level) / 2))
    share, squared = hits / trials, z * z / trials
    centre = (share + squared / 2) / (1 + squared)
    reach = z / (1 + squared) * np.sqrt(share * (1 - share) / trials + squared / (4 * trials))
    # at the edges rounding leaves 1e-17 where the formula gives 0
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def _check(hits: int, trials: int) -> None:
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no proportion")


def rates_differ(hit: Bools, inside: Bools, groups: Ints) -> Number:
    """P-value of "the share of hits is the same inside and outside", two-sided.

    Fisher's exact test where every row is its own group. Else both counts are divided by their design effect first
    (how much less the rows of a group tell than as many independent ones) and rounded to whole numbers. Groups that
    have rows on both sides make the test conservative.

    Sources: Fisher 1935; Rao and Scott, "A simple method for the analysis of clustered binary data", Biometrics 48,
    1992.

    Args:
        hit: (N,).
        inside: (N,), which side a row is on.
        groups: (N,) codes.
    """
    if not inside.any() or inside.all():
        return Undefined("one of the two sides is empty")
    table = []
    for side in (inside, ~inside):
        hits, rows = int(hit[side].sum()), int(side.sum())
        effect = design_effect(hit[side], groups[side])
        shrunk = max(1, round(rows / effect))
        some = min(shrunk, round(hits / effect))
        table.append((some, shrunk - some))
    return float(stats.fisher_exact(table).pvalue)


def design_effect(hit: Bools, groups: Ints) -> float:
    """Variance of the share of hits by group over that of independent rows, at least 1.

    Where all rows are alike nothing can be estimated: as if the rows of a group were copies of one another.
    """
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if sizes.max() == 1:
        return 1.0
    share, rows, count = hit.mean(), hit.size, sizes.size
    if share in (0, 1) or count == 1:
        return float((sizes**2).sum() / rows)
    residual = np.bincount(codes, weights=hit.astype(np.float64)) - share * sizes
    variance = count / (count - 1) * float((residual**2).sum()) / rows**2
    return max(1.0, float(variance / (share * (1 - share) / rows)))
