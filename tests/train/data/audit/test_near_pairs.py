"""The search for near duplicates, against comparing all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.data.audit import near_pairs as module
from mesoscope_train.data.audit.fingerprint import FLAT, LENGTH, mirrored
from mesoscope_train.data.audit.near_pairs import NEAR_DCT, NEAR_GRADIENT, SURE_DCT, alike, near_pairs, passes


def apart(first, second):
    return np.ones(len(first), bool)


def differing(prints, bits, random):
    """The same fingerprints with so many bits of each hash turned round."""
    turned = np.unpackbits(prints, axis=1)
    for row in turned:
        for part in (0, 256):
            row[part + random.choice(256, bits, replace=False)] ^= 1
    return np.packbits(turned, axis=1)


@pytest.fixture(scope="module")
def planted():
    """1,500 fingerprints; row 1000 + i is a copy of row i with 0, 1, 2 … bits wrong, every second one mirrored."""
    random = np.random.default_rng(1)
    prints = random.integers(0, 256, (1500, LENGTH), np.uint8)
    for row in range(400):
        copy = differing(prints[[row]], row % 50, random)
        prints[1000 + row] = (mirrored(copy) if row % 2 else copy)[0]
    return prints


def brute(prints, brute_distances):
    found = set()
    for other in (prints, mirrored(prints)):
        dct, gradient = brute_distances(prints, other)
        first, second = np.nonzero((dct <= SURE_DCT) | ((dct <= NEAR_DCT) & (gradient <= NEAR_GRADIENT)))
        found |= {(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True) if a < b}
    return found


def test_finds_what_comparing_all_pairs_finds(planted, brute_distances):
    truth = brute(planted, brute_distances)
    assert truth == {(row, 1000 + row) for row in range(400) if row % 50 <= NEAR_DCT}
    result = near_pairs(planted, apart)
    found = set(map(tuple, result.rows.tolist()))
    assert found <= truth
    assert len(found) >= 0.97 * len(truth)
    assert {pair for pair in truth if pair[0] % 50 <= 24} <= found
    assert result.complete
    np.testing.assert_array_equal(result.distance, result.rows[:, 0] % 50)


def test_the_order_of_rows_does_not_matter(planted):
    order = np.random.default_rng(2).permutation(len(planted))
    found = near_pairs(planted[order], apart).rows
    assert {tuple(sorted(order[pair].tolist())) for pair in found} == set(
        map(tuple, near_pairs(planted, apart).rows.tolist())
    )


def test_the_same_again(planted):
    np.testing.assert_array_equal(near_pairs(planted, apart).rows, near_pairs(planted, apart).rows)


def test_pairs_that_do_not_matter_are_not_told(planted):
    found = near_pairs(planted, lambda first, second: (first != 7) & (second != 7)).rows
    assert len(found) == len(near_pairs(planted, apart).rows) - 1
    assert not (found == 7).any()


def test_pictures_of_nothing_resemble_nothing(planted):
    prints = planted[:40].copy()
    prints[[3, 4, 5]] = np.frombuffer(FLAT, np.uint8)
    assert near_pairs(prints, apart).rows.shape == (0, 2)


def test_a_gradient_that_differs_is_forgiven_where_the_rest_hardly_does():
    one = np.random.default_rng(3).integers(0, 256, (1, LENGTH), np.uint8)
    for wrong, kept in ((SURE_DCT, True), (SURE_DCT + 1, False)):
        other = np.unpackbits(one)
        other[:wrong] ^= 1
        other[256 : 256 + NEAR_GRADIENT + 1] ^= 1
        assert alike(one, np.packbits(other)[None]).tolist() == [kept]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows(rows):
    prints = np.full((rows, LENGTH), 7, np.uint8)
    assert near_pairs(prints, apart).rows.tolist() == ([[0, 1]] if rows == 2 else [])


def test_five_hundred_copies_hang_together_without_all_their_pairs():
    prints = np.full((500, LENGTH), 0b10110001, np.uint8)
    found = near_pairs(prints, apart).rows
    assert len(found) < 500 * 70
    assert set(range(499)) <= set(found[:, 0].tolist())  # each with a later one: one chain


def test_too_many_pairs_are_said_to_be(monkeypatch):
    monkeypatch.setattr(module, "MAX_PAIRS", 10)
    found = near_pairs(np.full((30, LENGTH), 0b10110001, np.uint8), apart)
    assert len(found.rows) == 10
    assert not found.complete


def test_progress_is_told(planted):
    steps = []
    near_pairs(planted[:50], apart, steps.append)
    assert sum(steps) == passes()
