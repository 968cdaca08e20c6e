"""Deletion and insertion on networks small enough to compute by hand."""

import numpy as np
import pytest

from mesoscope.explain.cells import at_pixels, ranks, to_cells
from mesoscope.explain.faithfulness import FRACTIONS, measure_faithfulness, moved

SIZE = 16


def linear(weights: np.ndarray):
    """logit = sum of weight times the mean of each 4 x 4 cell."""

    def logits(batch: np.ndarray) -> np.ndarray:
        cells = batch.mean(1).reshape(len(batch), 4, 4, 4, 4).mean((2, 4))
        return (cells * weights).sum((1, 2)).astype(np.float32)

    return logits


def measured(weights, map_, *, towards=1, controls=19, seed=0):
    one, neutral = np.ones((3, SIZE, SIZE), np.float32), np.zeros((3, SIZE, SIZE), np.float32)
    return measure_faithfulness(
        one,
        np.asarray(map_, np.float32),
        linear(weights),
        towards=towards,
        neutral=neutral,
        controls=controls,
        seed=seed,
    )


def one_cell() -> np.ndarray:
    weights = np.zeros((4, 4))
    weights[1, 2] = 8
    return weights


def test_curves_by_hand() -> None:
    found = measured(one_cell(), one_cell())
    # one cell of sixteen carries all: it is the first to go and the first to come
    np.testing.assert_allclose(found.deletion, [8, 0, 0, 0, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(found.insertion, [0, 8, 8, 8, 8, 8, 8], atol=1e-5)
    first = FRACTIONS[1]
    assert found.gain == pytest.approx(8 * (1 - first / 2) - 8 * first / 2)


def test_evidence_for_real_is_the_mirror_image() -> None:
    for_fake, for_real = measured(one_cell(), one_cell()), measured(-one_cell(), -one_cell(), towards=-1)
    np.testing.assert_allclose(for_real.deletion, -for_fake.deletion, atol=1e-5)
    assert for_real.gain == pytest.approx(for_fake.gain)
    assert for_real.better_than_chance == for_fake.better_than_chance


def spread_out() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(4, 4)) * 5


def test_the_true_map_beats_every_random_one() -> None:
    found = measured(spread_out(), spread_out())
    assert found.better_than_chance
    assert found.beaten == 19
    assert found.chance == pytest.approx(0.05)
    assert found.sentence.startswith("Better than all but 0 of 19 random maps")


@pytest.mark.parametrize(
    "map_",
    [-spread_out(), np.zeros((4, 4)), np.full((4, 4), 3.0)],
    ids=["reversed", "nothing", "the same everywhere"],
)
def test_other_maps_are_told_as_no_evidence(map_: np.ndarray) -> None:
    found = measured(spread_out(), map_)
    assert not found.better_than_chance
    assert found.sentence.startswith("No localised evidence:")


def test_a_score_that_does_not_look_gives_no_evidence() -> None:
    assert not measured(np.zeros((4, 4)), spread_out()).better_than_chance


def test_too_few_random_maps_prove_nothing() -> None:
    few = measured(spread_out(), spread_out(), controls=5)
    assert not few.better_than_chance
    assert not few.decides
    assert few.sentence.startswith("Too few random maps to tell: 0 of 5 do as well or better")
    assert measured(spread_out(), spread_out(), controls=19).decides
    assert not measured(spread_out(), spread_out(), controls=0).better_than_chance


def test_maps_of_no_worth_pass_about_as_often_as_chance_allows() -> None:
    rng = np.random.default_rng(0)
    passed = sum(
        measured(spread_out(), rng.normal(size=(4, 4)), seed=trial).better_than_chance for trial in range(100)
    )
    assert passed <= 12  # of 100 at 5 %: more than 12 come by chance once in a thousand runs


def test_the_same_seed_gives_the_same_answer() -> None:
    first, again = measured(spread_out(), spread_out(), seed=7), measured(spread_out(), spread_out(), seed=7)
    np.testing.assert_array_equal(first.random_deletion, again.random_deletion)
    other = measured(spread_out(), spread_out(), seed=8)
    assert not np.array_equal(first.random_deletion, other.random_deletion)


def test_moving_keeps_the_values_and_their_neighbours() -> None:
    rng = np.random.default_rng(0)
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    shifted = moved(values, rng)
    assert shifted.shape == (3, 4)  # not square: never turned
    np.testing.assert_array_equal(np.sort(shifted.ravel()), values.ravel())
    assert any(not np.array_equal(moved(values, rng), values) for _ in range(5))


def test_large_maps_are_summed_up() -> None:
    values = np.random.default_rng(0).normal(size=(70, 64)).astype(np.float32)
    cells = to_cells(values, 32)
    assert cells.shape == (32, 32)
    assert cells.sum() == pytest.approx(values.sum(), rel=1e-4)
    np.testing.assert_allclose(cells[0, 0], values[:2, :2].sum(), rtol=1e-5)
    assert to_cells(values[:8, :8], 32) is not None
    np.testing.assert_array_equal(to_cells(values[:8, :8], 32), values[:8, :8])


def test_ranks_go_from_the_largest_and_ties_fall_by_chance() -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(ranks(np.array([[1.0, 3.0], [2.0, -4.0]], np.float32), rng), [[2, 0], [1, 3]])
    tied = {tuple(ranks(np.zeros((1, 3), np.float32), rng).ravel()) for _ in range(50)}
    assert len(tied) == 6


def test_pixels_know_their_cell() -> None:
    cells = np.arange(9).reshape(3, 3)
    pixels = at_pixels(cells, 8)
    assert pixels.shape == (8, 8)
    assert pixels[0, 0] == 0
    assert pixels[7, 7] == 8
    assert sorted(set(pixels.ravel())) == list(range(9))
