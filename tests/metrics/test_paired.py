"""Paired tests against their definitions, written out the slow way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from mesoscope.metrics import Difference, Undefined, auc_draws, delong, mcnemar
from mesoscope.metrics.paired import auc_covariance


def scored(seed: int, rows: int = 60, groups: int | None = None):
    random = np.random.default_rng(seed)
    group = np.arange(rows) if groups is None else random.integers(0, groups, rows)
    shared = random.normal(size=rows)[group % rows]
    fake = random.random(rows) < 0.5
    first = shared + fake + random.normal(size=rows)
    second = np.round(shared + 0.5 * fake + random.normal(size=rows), 1)
    return fake, first, second, group


def kernel(fake_score: float, real_score: float) -> float:
    return 1.0 if fake_score > real_score else 0.5 if fake_score == real_score else 0.0


def covariance_by_definition(fake, scores, group):
    """Obuchowski 1997, equations as printed, with loops."""
    fakes, reals = np.flatnonzero(fake), np.flatnonzero(~fake)
    v10 = [{i: np.mean([kernel(s[i], s[j]) for j in reals]) for i in fakes} for s in scores]
    v01 = [{j: np.mean([kernel(s[i], s[j]) for i in fakes]) for j in reals} for s in scores]
    area = [np.mean(list(v.values())) for v in v10]
    names = sorted(set(group))
    x = [[sum(v[i] - a for i in fakes if group[i] == name) for name in names] for v, a in zip(v10, area, strict=True)]
    y = [[sum(v[j] - a for j in reals if group[j] == name) for name in names] for v, a in zip(v01, area, strict=True)]
    i10, i01, both = len(set(group[fakes])), len(set(group[reals])), len(names)
    m, n = len(fakes), len(reals)
    found = np.empty((2, 2))
    for a, b in product(range(2), range(2)):
        s10 = i10 / ((i10 - 1) * m) * np.dot(x[a], x[b])
        s01 = i01 / ((i01 - 1) * n) * np.dot(y[a], y[b])
        s11 = both / (both - 1) * (np.dot(x[a], y[b]) + np.dot(x[b], y[a]))
        found[a, b] = s10 / m + s01 / n + s11 / (m * n)
    return area, found


@pytest.mark.parametrize("groups", [None, 15])
@pytest.mark.parametrize("seed", range(3))
def test_covariance_is_that_of_the_papers(seed: int, groups: int | None):
    fake, first, second, group = scored(seed, groups=groups)
    areas, covariance = auc_covariance(fake, np.stack([first, second]), group)
    wanted_areas, wanted = covariance_by_definition(fake, (first, second), group)
    np.testing.assert_allclose(areas, wanted_areas, atol=1e-12)
    np.testing.assert_allclose(covariance, wanted, atol=1e-12)


def test_delong_without_groups_is_the_textbook_formula():
    fake, first, second, _ = scored(4, rows=80)
    found = delong(fake, first, second)
    v10 = [[np.mean([kernel(a, b) for b in s[~fake]]) for a in s[fake]] for s in (first, second)]
    v01 = [[np.mean([kernel(a, b) for a in s[fake]]) for b in s[~fake]] for s in (first, second)]
    s = np.cov(v10) / fake.sum() + np.cov(v01) / (~fake).sum()
    z = (np.mean(v10[0]) - np.mean(v10[1])) / np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    assert isinstance(found, Difference)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert found.low < found.difference < found.high
    assert found.high - found.low == pytest.approx(2 * 1.959963984540054 * found.error, rel=1e-9)


def test_error_by_group_agrees_with_the_bootstrap_of_groups():
    fake, first, second, group = scored(6, rows=1500, groups=200)
    found = delong(fake, first, second, group)
    drawn = [auc_draws(fake, one, group, 200, draws=1000, seed=1) for one in (first, second)]
    assert isinstance(found, Difference)
    assert found.error == pytest.approx(np.std(drawn[0] - drawn[1]), rel=0.1)


def test_copies_of_every_row_in_its_group_prove_nothing_more():
    fake, first, second, group = scored(7, rows=100)
    again = np.repeat(np.arange(100), 5)
    by_group = delong(fake[again], first[again], second[again], group[again])
    by_row = delong(fake[again], first[again], second[again])
    once = delong(fake, first, second)
    assert by_group.p == pytest.approx(once.p, rel=1e-9)
    assert by_row.p < once.p


def test_two_that_rank_alike_cannot_be_tested():
    fake, first, _, _ = scored(8)
    found = delong(fake, first, 3 * first + 1)
    assert isinstance(found, Undefined)
    assert "alike" in found.reason


@pytest.mark.parametrize(
    ("fake", "group", "words"),
    [
        ([True] * 6, range(6), "no real"),
        ([True, True, True, False, False, False], [0, 0, 0, 1, 2, 3], "single group"),
    ],
)
def test_delong_says_what_it_lacks(fake, group, words):
    found = delong(np.array(fake), np.arange(6.0), np.arange(6.0)[::-1].copy(), np.array(group))
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_delong_refuses_what_is_no_number():
    found = delong(np.array([True, False]), np.array([1.0, 0.0]), np.array([np.nan, 0.0]))
    assert isinstance(found, Undefined)
    assert "1 of 2 scores are not finite" in found.reason


def test_mcnemar_without_groups_is_the_binomial_test():
    random = np.random.default_rng(0)
    for _ in range(5):
        first, second = random.random(60) < 0.7, random.random(60) < 0.6
        only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
        wanted = stats.binomtest(only_first, only_first + only_second).pvalue
        assert mcnemar(first, second) == pytest.approx(wanted, abs=1e-12)


def test_mcnemar_by_group_counts_all_choices_of_signs():
    random = np.random.default_rng(3)
    first, second = random.random(60) < 0.75, random.random(60) < 0.6
    group = random.integers(0, 10, 60)
    signed = [int((first[group == g].astype(int) - second[group == g]).sum()) for g in range(10)]
    seen = abs(sum(signed))
    totals = [abs(sum(s * d for s, d in zip(signs, signed, strict=True))) for signs in product((-1, 1), repeat=10)]
    assert mcnemar(first, second, group) == pytest.approx(np.mean(np.array(totals) >= seen), abs=1e-12)


def test_mcnemar_of_the_same_answers_is_no_test():
    right = np.array([True, False, True])
    found = mcnemar(right, right)
    assert isinstance(found, Undefined)
    assert "nothing to test" in found.reason
