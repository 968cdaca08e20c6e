"""Tests of two detectors on the same units, that know which units belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal, stats

from mesoscope.metrics.ranking import unrankable
from mesoscope.metrics.undefined import Bools, Floats, Ints, Number, Undefined, group_codes, unfit


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second.

    Attributes:
        first, second: AUCs.
        difference: first minus second.
        error: standard error of the difference.
        p: of "there is no difference", two-sided.
        low, high: interval of the difference.
    """

    first: float
    second: float
    difference: float
    error: float
    p: float
    low: float
    high: float


def delong(
    fake: Bools, first: Floats, second: Floats, groups: Ints | None = None, *, level: float = 0.95
) -> Difference | Undefined:
    """Two AUCs on the same units.

    Sources: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44, 1988; by ranks as Sun and Xu, IEEE Signal Processing Letters 21, 2014;
    with groups: Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics 53, 1997.

    Scores are (N,); `groups` (N,) says what belongs together, None that every unit stands alone; `level` is that of
    the interval.
    """
    for scores in (first, second):
        reason = unfit(fake, scores) or unrankable(fake, scores)
        if reason:
            return reason
    areas, covariance = auc_covariance(fake, np.stack([first, second]), groups)
    if isinstance(covariance, Undefined):
        return covariance
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    # what is left of equal numbers after rounding is no variance
    if variance <= 1e-14 * float(covariance[0, 0] + covariance[1, 1]):
        return Undefined("the two rank these units alike: there is no variance to test against")
    error = variance**0.5
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    p = 2 * float(stats.norm.sf(abs(difference) / error))
    return Difference(
        float(areas[0]), float(areas[1]), difference, error, p, difference - reach, difference + reach
    )  # fmt: skip


def auc_covariance(fake: Bools, scores: Floats, groups: Ints | None = None) -> tuple[Floats, Floats | Undefined]:
    """AUCs of K scores on the same units, (K,), and the covariance of these, (K, K).

    Both classes are present. The covariance is undefined where a class comes from a single group.

    Args:
        fake: (N,).
        scores: (K, N).
        groups: as for `delong`.
    """
    placements = np.stack([_placements(fake, one) for one in scores])
    fakes, reals = int(fake.sum()), int((~fake).sum())
    areas = placements[:, fake].mean(axis=1)
    codes, count = group_codes(np.arange(fake.size) if groups is None else groups)
    if min(np.unique(codes[fake]).size, np.unique(codes[~fake]).size) < 2:
        return areas, Undefined("one of the classes comes from a single group")
    # what each group adds to the two sums, less what it would if it were as all others
    from_fakes = _group_sums(placements[:, fake] - areas[:, None], codes[fake], count)
    from_reals = _group_sums(placements[:, ~fake] - areas[:, None], codes[~fake], count)
    with_fake, with_real = np.unique(codes[fake]).size, np.unique(codes[~fake]).size
    cross = from_fakes @ from_reals.T * count / max(1, count - 1) / (fakes * reals)
    covariance = (
        from_fakes @ from_fakes.T * with_fake / (with_fake - 1) / fakes**2
        + from_reals @ from_reals.T * with_real / (with_real - 1) / reals**2
        + cross
        + cross.T
    )
    return areas, covariance


def _placements(fake: Bools, scores: Floats) -> Floats:
    """For a fake: share of the reals below it; for a real: share of the fakes above it; ties count half. (N,)."""
    whole = stats.rankdata(scores)
    result = np.empty(scores.size)
    result[fake] = (whole[fake] - stats.rankdata(scores[fake])) / (~fake).sum()
    result[~fake] = 1 - (whole[~fake] - stats.rankdata(scores[~fake])) / fake.sum()
    return result


def _group_sums(values: Floats, codes: Ints, count: int) -> Floats:
    return np.stack([np.bincount(codes, weights=one, minlength=count) for one in values])


def mcnemar(first_right: Bools, second_right: Bools, groups: Ints | None = None) -> Number:
    """P-value of "both are equally often right", exact and two-sided.

    Each group's difference in right answers could as well have had the other sign: the test counts in how many of all
    2^G choices of signs the total is at least as far from 0. Where each unit is its own group that is McNemar's exact
    test.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12,
    1947; the sign-flip test for groups: Fisher, "The Design of Experiments", 1935, § 21.

    Both arrays are (N,), whether each answer is right; `groups` (N,) says what belongs together, None that every unit
    stands alone.
    """
    codes, count = group_codes(np.arange(first_right.size) if groups is None else groups)
    signed = np.bincount(codes, weights=first_right.astype(np.float64) - second_right, minlength=count)
    sizes, numbers = np.unique(np.abs(signed[signed != 0]).astype(np.int64), return_counts=True)
    if not sizes.size:
        return Undefined("the two are right on the same units (group by group): there is nothing to test")
    # distribution of the sum of those groups that take the plus sign
    chances = np.ones(1)
    for size, number in zip(sizes, numbers, strict=True):
        spread = np.zeros(size * number + 1)
        spread[::size] = stats.binom.pmf(np.arange(number + 1), number, 0.5)
        chances = signal.convolve(chances, spread, method="direct")
    total = int((sizes * numbers).sum())
    plus = (total + int(abs(signed.sum()))) // 2
    return float(min(1.0, 2 * chances[plus:].sum()))
