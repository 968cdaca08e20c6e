"""AUC inside folds and its interval, against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mesoscope_train.data.audit.auc import Labelled, bootstrap_aucs, estimate_auc, fold_pairs
from mesoscope_train.data.audit.classifying import assign_folds, held_out_scores


def labelled(size, *, seed=0, groups=None, folds=5, shift=1.0):
    """Scores of `size` rows, fakes `shift` higher, with ties."""
    random = np.random.default_rng(seed)
    fake = random.permutation(size) % 2 == 0
    group = np.arange(size) if groups is None else random.integers(0, groups, size)
    scores = np.round(random.normal(size=size) + shift * fake, 1)
    return scores, Labelled(fake, group, group % folds)


def plain(scores, rows):
    return estimate_auc(scores, rows, draws=50).auc


def test_one_fold_is_sklearns_auc():
    scores, rows = labelled(300, folds=1)
    assert plain(scores, rows) == pytest.approx(roc_auc_score(rows.fake, scores))


def test_folds_are_weighted_by_their_pairs_and_not_compared():
    scores, rows = labelled(301, groups=40)
    scores = scores + 10 * rows.fold  # models of different folds may be off by anything
    total = pairs = 0
    for fold in range(5):
        inside = rows.fold == fold
        count = rows.fake[inside].sum() * (~rows.fake[inside]).sum()
        total += count * roc_auc_score(rows.fake[inside], scores[inside])
        pairs += count
    assert plain(scores, rows) == pytest.approx(total / pairs)
    assert roc_auc_score(rows.fake, scores) < 0.6 < plain(scores, rows)


def test_a_fold_of_one_class_adds_nothing():
    scores, rows = labelled(100, folds=2)
    alone = Labelled(rows.fake & (rows.fold == 0), rows.group, rows.fold)
    first = rows.fold == 0
    assert plain(scores, alone) == pytest.approx(roc_auc_score(rows.fake[first], scores[first]))


def test_weights_are_repetitions():
    scores, rows = labelled(60, groups=12)
    counts = np.random.default_rng(1).integers(0, 4, 12)
    pairs, concordant = fold_pairs(scores, rows, counts[None].astype(float))
    again = np.repeat(np.arange(60), counts[rows.group])
    repeated = Labelled(rows.fake[again], rows.group[again], rows.fold[again])
    assert concordant[0] / pairs[0] == pytest.approx(plain(scores[again], repeated))


def test_bootstrap_draws_groups_as_a_loop_does():
    scores, rows = labelled(200, groups=25, folds=1, shift=0.7)
    random = np.random.default_rng(5)
    looped = []
    for _ in range(600):
        drawn = np.concatenate([np.flatnonzero(rows.group == group) for group in random.integers(0, 25, 25)])
        looped.append(roc_auc_score(rows.fake[drawn], scores[drawn]))
    drawn = bootstrap_aucs(scores, rows, seed=0)
    assert drawn.mean() == pytest.approx(np.mean(looped), abs=0.01)
    assert drawn.std() == pytest.approx(np.std(looped), rel=0.12)


def test_groups_are_the_observations():
    """Twenty copies of each row are no more evidence than one."""
    scores, rows = labelled(80)
    copies = np.repeat(np.arange(80), 20)
    many = Labelled(rows.fake[copies], rows.group[copies], rows.fold[copies])
    one, twenty = estimate_auc(scores, rows), estimate_auc(scores[copies], many)
    assert (twenty.low, twenty.high) == pytest.approx((one.low, one.high), abs=0.01)


def test_interval_is_widened_for_the_folds():
    scores, rows = labelled(400)
    found = estimate_auc(scores, rows)
    angle = lambda auc: np.arcsin(np.sqrt(auc))  # noqa: E731
    reach = 1.959964 * 1.5 * angle(bootstrap_aucs(scores, rows, seed=0)).std()  # five folds: sqrt(1 + 5 / 4)
    assert angle(found.high) - angle(found.auc) == pytest.approx(reach, rel=1e-3)
    assert angle(found.auc) - angle(found.low) == pytest.approx(reach, rel=1e-3)
    single = estimate_auc(scores, Labelled(rows.fake, rows.group, np.zeros(400, int)))
    assert single.high - single.low < 0.72 * (found.high - found.low)


def test_a_higher_level_is_wider_and_a_seed_repeats():
    scores, rows = labelled(200)
    wide, narrow = estimate_auc(scores, rows, level=0.99), estimate_auc(scores, rows)
    assert wide.low < narrow.low < narrow.auc < narrow.high < wide.high
    assert estimate_auc(scores, rows) == narrow
    assert estimate_auc(scores, rows, seed=1) != narrow


def test_classes_apart_still_have_an_interval():
    """None of 30 misplaced: Clopper and Pearson's lower end is 0.025 ** (1 / 30)."""
    fake = np.arange(60) < 30
    found = estimate_auc(fake.astype(float), Labelled(fake, np.arange(60), np.arange(60) % 5))
    assert (found.auc, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 30))


def _features(kind, random):
    """Columns that mean nothing, labels, groups."""
    if kind == "pairs":  # each group holds a fake and its nearly equal original
        group = np.repeat(np.arange(60), 2)
        return random.normal(size=(60, 4))[group] + 0.3 * random.normal(size=(120, 4)), np.arange(120) % 2 == 0, group
    if kind == "frames":  # each group is one label and nearly one picture
        group = np.repeat(np.arange(40), 5)
        return (
            random.normal(size=(40, 4))[group] + 0.3 * random.normal(size=(200, 4)),
            (random.permutation(40) % 2 == 0)[group],
            group,
        )
    return random.normal(size=(100, 4)), random.permutation(100) < 25, np.arange(100)


def nearest_mean(columns, fake, fold):
    """Held-out scores of the least classifier there is: which class's mean is nearer. Fast, and it overfits too."""
    scores = np.empty(fake.size)
    for number in np.unique(fold):
        inside, seen = fold == number, fold != number
        means = [columns[seen & rows].mean(axis=0) for rows in (fake, ~fake)]
        scores[inside] = columns[inside] @ (means[0] - means[1])
    return scores


@pytest.mark.parametrize("kind", ["pairs", "frames", "uneven"])
def test_labels_that_mean_nothing_give_a_half_inside_the_interval(kind):
    """A hundred and fifty data sets of each kind: no pull below 0.5, and an interval that nearly always covers it."""
    random = np.random.default_rng(0)
    aucs, covered = [], 0
    for seed in range(150):
        columns, fake, group = _features(kind, random)
        rows = Labelled(fake, group, assign_folds(fake, group, seed=seed))
        found = estimate_auc(nearest_mean(columns, fake, rows.fold), rows, draws=100)
        aucs.append(found.auc)
        covered += found.low <= 0.5 <= found.high
    assert abs(np.mean(aucs) - 0.5) < 3 * np.std(aucs) / np.sqrt(150)
    assert covered >= 138  # with 143 expected of 150, fewer come once in a hundred times


def test_the_classifiers_find_nothing_where_nothing_is():
    random = np.random.default_rng(0)
    for seed in range(3):
        columns, fake, group = _features("pairs", random)
        rows = Labelled(fake, group, assign_folds(fake, group, seed=seed))
        found = estimate_auc(held_out_scores(columns, fake, rows.fold), rows, draws=200)
        assert found.low <= 0.5 <= found.high


def test_no_group_stands_in_two_folds_and_classes_are_even():
    random = np.random.default_rng(0)
    group = random.integers(0, 60, 600)
    fake = random.random(600) < 0.3
    fold = assign_folds(fake, group, seed=0)
    assert all(np.unique(fold[group == each]).size == 1 for each in range(60))
    assert set(fold) == set(range(5))
    assert all(0.2 < fake[fold == each].mean() < 0.4 for each in range(5))


def test_one_huge_group_leaves_both_classes_to_learn_from():
    group = np.concatenate([np.zeros(5000, int), np.arange(1, 20)])
    fake = np.concatenate([np.ones(5000, bool), np.arange(1, 20) % 2 == 0])
    fold = assign_folds(fake, group, seed=0)
    scores = held_out_scores(np.random.default_rng(0).normal(size=(fake.size, 1)), fake, fold)
    found = estimate_auc(scores, Labelled(fake, group, fold))
    assert 0 <= found.low < found.high <= 1


@pytest.mark.parametrize("shape", ["shift", "one value", "spread"])
def test_every_shape_of_a_shortcut_is_found(shape):
    random = np.random.default_rng(0)
    fake = random.permutation(200) % 2 == 0
    values = random.normal(size=200)
    if shape == "shift":
        values = values + 3 * fake
    elif shape == "one value":
        values = np.where(fake, 0.1, values)
    else:
        values = np.where(fake, 0.1 * values, values)
    fold = assign_folds(fake, np.arange(200), seed=0)
    scores = held_out_scores(values[:, None], fake, fold)
    assert estimate_auc(scores, Labelled(fake, np.arange(200), fold)).auc > 0.85
