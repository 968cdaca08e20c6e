"""Differences of two estimates, of independent samples or of the same units."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mesoscope.metrics.bootstrap import FEWEST_GROUPS, expanded, percentile_interval
from mesoscope.metrics.estimates import Estimate
from mesoscope.metrics.paired import auc_covariance
from mesoscope.metrics.ranking import unrankable
from mesoscope.metrics.sample import Sample
from mesoscope.metrics.undefined import Floats, Number, Undefined


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """First minus second, of two samples that share nothing; its interval is recovered from theirs.

    Where they do share groups the interval is, if anything, too wide (unless what they share pulls them apart).

    Sources: Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17, 1998 (method 10); Zou and Donner, the same journal, 27, 2008, for any two estimates.
    """
    value, n, groups = first.value - second.value, first.n + second.n, first.n_groups + second.n_groups
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value, None, None, first.no_interval or second.no_interval, n, groups)
    below = float(np.hypot(first.value - first.low, second.high - second.value))
    above = float(np.hypot(first.high - first.value, second.value - second.low))
    return Estimate(value, value - below, value + above, None, n, groups)


def paired_difference(
    first: tuple[Estimate, Floats | None], second: tuple[Estimate, Floats | None], level: float, *, groups: int
) -> Estimate:
    """First minus second, of the same units, drawn alike: estimates and draws as `estimate_with_draws` gives them.

    `groups` are those of the rarer class, for a number that takes both.
    """
    (one, draws), (other, other_draws) = first, second
    value = one.value - other.value
    if draws is None or other_draws is None or groups < FEWEST_GROUPS:
        reason = one.no_interval or other.no_interval or "there are too few groups to draw again"
        return Estimate(value, None, None, reason, one.n, one.n_groups)
    interval = percentile_interval(draws - other_draws, expanded(level, groups))
    if isinstance(interval, Undefined):
        return Estimate(value, None, None, interval.reason, one.n, one.n_groups)
    return Estimate(value, *interval, None, one.n, one.n_groups)


def aucs_differ(first: Sample, second: Sample) -> Number:
    """P-value of "two samples that share nothing have the same AUC", two-sided, by group.

    Source: as `mesoscope.metrics.paired.delong`, without a covariance.
    """
    areas, variance = [], 0.0
    for sample in (first, second):
        reason = unrankable(sample.fake, sample.logit) if sample.fake.size else Undefined("nothing was answered")
        if reason:
            return reason
        area, covariance = auc_covariance(sample.fake, sample.logit[None], sample.group)
        if isinstance(covariance, Undefined):
            return covariance
        areas.append(float(area[0]))
        variance += float(covariance[0, 0])
    if variance <= 0:
        return Undefined("both separate the classes wholly: there is no variance to test against")
    return 2 * float(stats.norm.sf(abs(areas[0] - areas[1]) / variance**0.5))
