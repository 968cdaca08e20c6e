"""Units to parts: by hand, against every possibility, against scikit-learn."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data
from mesoscope_train.data.splitting import Folds, Fractions, split
from mesoscope_train.data.splitting.allocation import allocate
from mesoscope_train.data.splitting.seeded import keys

THREE = (0.7, 0.2, 0.1)
ONE_STRATUM = np.ones((1, 0), int)
TWO_STRATA = np.ones((2, 1), int)


def rows_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)


def filled(sizes: list[int], shares: tuple[float, ...], seed: int = 0) -> list[int]:
    """Rows of each part for units of one stratum."""
    unit = rows_of(sizes)
    part = allocate(unit, np.zeros_like(unit), ONE_STRATUM, shares, keys(seed, "t", map(str, range(len(sizes)))))
    return np.bincount(part[unit], minlength=len(shares)).tolist()


def costs(parts: np.ndarray, counts: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The sum that the module says counts, written out: of many possibilities (K, U), for counts (U, S)."""
    total = counts.sum(axis=0)
    held = np.stack([(parts == part) @ counts for part in range(len(share))], 1)
    return ((held - share[:, None] * total) ** 2 / (share[:, None] * total**2)).sum(axis=(1, 2))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("sizes", "shares", "rows"),
    [
        ([1] * 10, THREE, [7, 2, 1]),
        ([1] * 1000, THREE, [700, 200, 100]),
        ([1] * 1003, (1 / 3,) * 3, [335, 334, 334]),
        ([40, 15, 15, 12, *[1] * 18], THREE, [70, 20, 10]),
        ([70, 20, 10], THREE, [70, 20, 10]),
        ([2] * 50, (0.2,) * 5, [20] * 5),
        ([500, *[1] * 500], THREE, [700, 200, 100]),
        ([5], (0.5, 0.5), [5, 0]),
    ],
)
def test_by_hand(sizes: list[int], shares: tuple[float, ...], rows: list[int], seed: int) -> None:
    assert filled(sizes, shares, seed) == rows


def test_the_rounding_of_many_small_strata_does_not_add_up() -> None:
    # three rows a stratum: 2.1 : 0.6 : 0.3 of each
    part = allocate(
        np.arange(300), np.arange(300) // 3, np.ones((100, 1), int), THREE, keys(0, "t", map(str, range(300)))
    )
    assert np.abs(np.bincount(part) - [210, 60, 30]).max() <= 3, "each alone would give 200 : 100 : 0"
    assert all(np.bincount(part[place : place + 3], minlength=3)[0] in (2, 3) for place in range(0, 300, 3))


def test_a_stratum_that_can_be_met_is_met_to_a_row_whatever_another_lacks() -> None:
    unit = rows_of([85, *[1] * 115])
    stratum = (np.arange(200) >= 100).astype(int)
    part = allocate(unit, stratum, TWO_STRATA, THREE, keys(0, "t", map(str, range(116))))[unit]
    assert np.bincount(part[:100]).tolist() == [85, 10, 5]
    assert np.abs(np.bincount(part[100:]) - [70, 20, 10]).max() <= 1


def test_large_groups_do_not_all_go_to_the_large_part() -> None:
    unit = rows_of([20] * 100 + [1] * 2000)
    part = allocate(unit, np.zeros_like(unit), ONE_STRATUM, THREE, keys(0, "t", map(str, range(2100))))
    assert np.bincount(part[:100]).tolist() == [70, 20, 10]
    assert np.bincount(part[100:]).tolist() == [1400, 400, 200]


@pytest.mark.parametrize("share", [np.array(THREE), np.full(3, 1 / 3)], ids=["70:20:10", "thirds"])
def test_near_the_best_of_all_possibilities(share: np.ndarray) -> None:
    every = np.array(list(product(range(3), repeat=8)))
    ours, best = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        unit = rows_of(np.minimum(rng.pareto(1.5, 8) * 5 + 1, 60).astype(int).tolist())
        stratum = (rng.random(len(unit)) < rng.random(8)[unit]).astype(int)
        counts = np.array([np.bincount(stratum[unit == u], minlength=2) for u in range(8)])
        if not counts.sum(axis=0).all():
            continue
        part = allocate(unit, stratum, TWO_STRATA, tuple(share), keys(seed, "t", map(str, range(8))))
        ours.append(costs(part[None], counts, share)[0])
        best.append(costs(every, counts, share).min())
    assert len(ours) > 20
    # more than half are the best itself; with eight groups, a row more here costs much elsewhere
    assert np.median(np.array(ours) / best) < 1.05
    assert np.mean(ours) < 1.4 * np.mean(best)


@pytest.mark.parametrize("number", [100, 5000], ids=["several orders", "one order"])
def test_units_may_be_numbered_in_any_way(number: int) -> None:
    rng = np.random.default_rng(0)
    unit = rows_of(rng.integers(1, 30, number).tolist())
    stratum = rng.integers(0, 2, len(unit))
    key = keys(0, "t", map(str, range(number)))
    part = allocate(unit, stratum, TWO_STRATA, THREE, key)
    order = rng.permutation(number)
    place = np.argsort(order)
    shuffled = rng.permutation(len(unit))
    again = allocate(place[unit][shuffled], stratum[shuffled], TWO_STRATA, THREE, key[order])
    assert again.tolist() == part[order].tolist()


def deviation(part: np.ndarray, label: np.ndarray, count: int) -> tuple[float, float]:
    """Largest and mean difference of a fold's share of a label from an equal one."""
    off = np.array(
        [
            np.abs(np.bincount(part[label == value], minlength=count) / (label == value).sum() - 1 / count)
            for value in np.unique(label)
        ]
    )
    return float(off.max()), float(off.mean())


def both(manifest, count: int, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Deviations of our folds and of scikit-learn's."""
    label, _ = manifest.codes("label")
    group, _ = manifest.codes("group")
    ours = np.array(split(manifest, Folds(count), seed=seed).manifest.values("fold"))
    theirs = np.empty(len(label), int)
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(label, label, group)
    for number, (_, held) in enumerate(folds):
        theirs[held] = number
    assert all(len(set(ours[group == value].tolist())) == 1 for value in range(group.max() + 1))
    return deviation(ours, label, count), deviation(theirs, label, count)


@pytest.mark.parametrize("count", [3, 5])
def test_as_balanced_as_scikit_learn_on_skewed_groups(skewed, count: int) -> None:
    found = np.array([both(skewed(seed, datasets=1), count, seed) for seed in range(8)])
    (our_worst, our_mean), (their_worst, their_mean) = found.mean(axis=0)
    assert our_worst <= their_worst
    assert our_mean <= their_mean


def test_as_balanced_as_scikit_learn_on_real_videos(data_dir) -> None:
    place = data_dir / "mesonet-faces"
    if not place.is_dir():
        pytest.skip(f"{place} is absent")
    manifest = import_data("mesonet", place, ImportOptions()).manifest
    found = np.array([both(manifest, 5, seed) for seed in range(5)])
    (our_worst, our_mean), (their_worst, their_mean) = found.mean(axis=0)
    assert our_worst <= their_worst
    assert our_mean <= their_mean


def test_the_dfdc_faces_are_split_to_the_row(data_dir) -> None:
    place = data_dir / "dfdc-faces"
    if not place.is_dir():
        pytest.skip(f"{place} is absent")
    manifest = import_data("dfdc-faces", place, ImportOptions(), limit=2000).manifest
    (our_worst, _), (their_worst, _) = both(manifest, 5, 0)
    assert our_worst <= their_worst
    made = split(manifest, Fractions.parse("70:20:10"))
    assert [cell.rows for cell in made.cells] == [1400, 400, 200] * 2
    assert not made.warnings
