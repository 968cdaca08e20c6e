"""Units that change places."""

from __future__ import annotations

from itertools import product

import numpy as np

from mesoscope_train.data.splitting.exchange import exchange
from mesoscope_train.data.splitting.seeded import keys


def cost(parts: np.ndarray, held: np.ndarray, share: np.ndarray) -> float:
    filled = np.array([held[parts == part].sum(axis=0) for part in range(len(share))])
    return float(((filled - share[:, None] * held.sum(axis=0)) ** 2 / share[:, None]).sum())


def test_one_moves_and_two_swap() -> None:
    half, key = np.array([0.5, 0.5]), keys(0, "t", "abcd")
    moved = exchange(np.array([0, 0, 0, 0]), np.ones((4, 1)), half, key)
    assert np.bincount(moved).tolist() == [2, 2]
    swapped = exchange(np.array([0, 0, 1, 1]), np.array([[3.0], [3], [1], [1]]), half, key)
    assert sorted((swapped[0] != swapped[1], swapped[2] != swapped[3])) == [True, True]


def test_no_swap_or_move_is_left_that_helps() -> None:
    share = np.array([0.7, 0.2, 0.1])
    for seed in range(10):
        rng = np.random.default_rng(seed)
        held, start = rng.random((9, 3)), rng.integers(0, 3, 9)
        parts = exchange(start, held, share, keys(seed, "t", map(str, range(9))))
        reached = cost(parts, held, share)
        assert reached <= cost(start, held, share)
        for one, part in product(range(9), range(3)):
            other = parts.copy()
            other[one] = part
            assert cost(other, held, share) > reached - 1e-8
        for one, two in product(range(9), repeat=2):
            other = parts.copy()
            other[[one, two]] = other[[two, one]]
            assert cost(other, held, share) > reached - 1e-8
