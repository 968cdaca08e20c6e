import numpy as np
import pytest
from scipy.stats import spearmanr

from mesoscope.explain.sanity import compare, rank_correlation


def maps(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(6, 6)).astype(np.float32)


def test_rank_correlation_is_scipys() -> None:
    first, second = np.round(maps(0), 1), np.round(maps(1), 1)  # with ties
    assert rank_correlation(first, second) == pytest.approx(abs(spearmanr(first.ravel(), second.ravel())[0]))


def test_a_map_is_like_itself_and_its_negative_and_a_constant_is_like_nothing() -> None:
    assert rank_correlation(maps(0), 3 * maps(0)) == pytest.approx(1)
    assert rank_correlation(maps(0), -maps(0)) == pytest.approx(1)
    assert rank_correlation(maps(0), np.zeros((6, 6), np.float32)) == 0


def test_the_verdict() -> None:
    alike = compare(maps(0), [maps(0), maps(0) ** 3])
    assert not alike.passed
    assert "shows the picture, not the network" in alike.sentence
    apart = compare(maps(0), [maps(1), maps(2), maps(3)])
    assert apart.passed
    assert apart.mean == pytest.approx(np.mean(apart.correlations))
    assert "not the network" not in apart.sentence
