"""The order of rows: whole epochs, balance, pairs, processes that share out, places to go on from."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.training.order import EpochOrder

FAKE = np.array([False] * 7 + [True] * 20)
GROUPS = np.array([0, 1, 2, 3, 4, 5, 6, *(i % 10 for i in range(20))])


def order(**changes):
    return EpochOrder(FAKE, GROUPS, **{"batch_size": 4, "seed": 3, **changes})


def rows(batches):
    return [draw.row for batch in batches for draw in batch]


def test_an_epoch_takes_each_row_once_and_each_epoch_another_order():
    first, second = order().rows(0), order().rows(1)
    assert sorted(first) == sorted(second) == list(range(27))
    assert list(first) != list(second)
    assert list(first) == list(order().rows(0))
    assert len(order()) == 6


def test_going_on_from_a_place_gives_the_rest():
    whole = list(order().batches(2))
    assert list(order().batches(2, skip=4)) == whole[4:]


def test_processes_share_the_rows_out():
    parts = [rows(order(rank=rank, world=3).batches(0)) for rank in range(3)]
    assert not set(parts[0]) & set(parts[1])
    together = [row for part in parts for row in part]
    assert len(together) == 24 == len(set(together))
    assert len(order(world=3)) == 2


def test_even_takes_the_larger_class_once_and_the_smaller_in_whole_rounds():
    drawn = order(balance="even").rows(0)
    assert FAKE[drawn].sum() == 20 == (~FAKE[drawn]).sum()
    counts = np.bincount(drawn)
    assert set(counts[7:]) == {1}
    assert set(counts[:7]) <= {2, 3}


def test_pairs_stand_side_by_side_and_of_one_group_where_they_can():
    drawn = order(pairs=True).rows(0)
    real, fake = drawn[::2], drawn[1::2]
    assert not FAKE[real].any()
    assert FAKE[fake].all()
    together = GROUPS[real] == GROUPS[fake]
    assert set(GROUPS[real[together]]) == set(range(7)), "each group that has both gives a pair"
    assert sorted(fake) == list(range(7, 27)), "every fake once"
    for batch in order(pairs=True).batches(0):
        chances = [draw.chance for draw in batch]
        assert chances[::2] == chances[1::2], "changed alike"
        assert len(set(chances)) == 2


def test_chance_belongs_to_seed_epoch_and_place():
    first, other = (next(order(seed=seed).batches(1))[0].chance for seed in (3, 4))
    assert first == (3, 1, 0)
    assert other == (4, 1, 0)


@pytest.mark.parametrize("pairs", [True, False])
def test_too_few_rows_give_no_batch(pairs):
    assert len(order(batch_size=64, pairs=pairs)) == 0


def test_twins_are_a_row_as_it_is_and_blended_changed_alike():
    real = EpochOrder(np.zeros(7, bool), np.arange(7), batch_size=4, seed=3, twins=True)
    whole = [draw for batch in real.batches(1) for draw in batch]
    assert len(real) == 3
    assert [draw.blended for draw in whole] == [False, True] * 6
    for first, second in zip(whole[::2], whole[1::2], strict=True):
        assert (first.row, first.chance) == (second.row, second.chance)
    assert len({draw.row for draw in whole}) == 6, "every row once, but for what fills no batch"
    assert len({draw.chance for draw in whole}) == 6
    assert list(real.batches(1, skip=2)) == list(real.batches(1))[2:]
    assert not any(draw.blended for batch in order(pairs=True).batches(0) for draw in batch)
