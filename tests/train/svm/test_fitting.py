"""Choice by groups, the fit against scikit-learn, the approximation, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the learning side needs the 'train' extra")

from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mesoscope.errors import UsageError
from mesoscope_train.recipes.settings import Svm
from mesoscope_train.svm.fitting import alternating, choose, fit, folds_of


def by_definition(machine, features):
    """The decision value written out in float64, with plain loops over the formula's parts."""
    scaled = (np.asarray(features, np.float64) - machine.mean) / machine.scale
    distances = ((scaled[:, None] - machine.vectors[None]) ** 2).sum(2)
    return np.exp(-machine.gamma * distances) @ machine.coefficients + machine.intercept


@pytest.mark.parametrize("balanced", [False, True])
def test_the_exact_machine_is_scikit_learns(rows, balanced):
    features, fake, _ = rows
    uneven = fake | (np.arange(len(fake)) % 8 == 0)  # so that the weight of classes matters
    machine = fit(features, uneven, Svm(balanced=balanced), c=2.0, gamma=0.8)
    theirs = make_pipeline(
        StandardScaler(), SVC(C=2.0, gamma=0.8 / 4, class_weight="balanced" if balanced else None)
    ).fit(features.astype(float), uneven)
    np.testing.assert_allclose(machine.decide(features), theirs.decision_function(features.astype(float)), atol=1e-9)
    np.testing.assert_allclose(by_definition(machine, features), machine.decide(features), atol=1e-9)
    assert machine.exact


def test_the_approximation_has_the_same_form_and_comes_near(rows):
    features, fake, _ = rows
    exact = fit(features, fake, Svm(), c=1.0, gamma=1.0)
    near = fit(features, fake, Svm(exact_rows=100, landmarks=60), c=1.0, gamma=1.0)
    assert not near.exact
    assert len(near.vectors) == 60
    np.testing.assert_allclose(by_definition(near, features), near.decide(features), atol=1e-8)
    assert np.abs(near.coefficients).max() < 100, "small eigenvalues are left out, or float32 would not hold it"
    aucs = [roc_auc_score(fake, machine.decide(features)) for machine in (exact, near)]
    assert aucs[1] > aucs[0] - 0.02 > 0.9


def test_signs_alternate_so_that_a_sum_in_float32_stays_small(rows):
    features, fake, _ = rows
    machine = fit(features, fake, Svm(), c=1.0, gamma=0.3)
    one_class_first = machine.coefficients[machine.coefficients > 0].sum()
    assert np.abs(np.cumsum(machine.coefficients)).max() < 0.1 * one_class_first
    assert alternating(np.array([-1.0, -2.0, -3.0, 4.0])).tolist() == [0, 1, 3, 2]
    assert alternating(np.array([2.0])).tolist() == [0]


def test_a_feature_that_hardly_moves_is_not_blown_up(rows):
    features, fake, _ = rows
    still = np.column_stack([features, 1e-7 * features[:, 0] + 3, np.zeros(len(features))]).astype(np.float32)
    assert fit(still, fake, Svm(), c=1.0, gamma=1.0).scale[4:].tolist() == [1.0, 1.0]


def test_folds_keep_groups_together(rows):
    _, fake, groups = rows
    folds = folds_of(fake, groups, 5, seed=0)
    assert len(folds) == 5
    for learned, held_out in folds:
        assert not set(groups[learned]) & set(groups[held_out])
    assert sorted(np.concatenate([held_out for _, held_out in folds])) == list(range(len(fake)))


def test_fewer_groups_give_fewer_folds():
    fake = np.array([False, True] * 6)
    assert len(folds_of(fake, np.arange(12) // 4, 5, seed=0)) == 3


def test_groups_matter_for_the_choice():
    """Rows of a group that repeat themselves: ungrouped folds find them again, grouped ones cannot."""
    random = np.random.default_rng(1)
    places = random.normal(size=(30, 2)) * 3
    groups = np.repeat(np.arange(30), 8)
    fake = np.repeat(random.permutation(30) < 15, 8)
    features = places[groups] + random.normal(size=(240, 2)) * 0.01
    best, tried = choose(features, fake, groups, Svm(c=(1.0, 100.0), gamma=(0.1, 10.0)))
    assert max(one.accuracy for one in tried) < 0.75
    rows_apart = StratifiedKFold(5, shuffle=True, random_state=0)
    leaky = cross_val_score(make_pipeline(StandardScaler(), SVC(C=100.0, gamma=5.0)), features, fake, cv=rows_apart)
    assert leaky.mean() > 0.95
    assert best in tried


def test_the_choice_is_the_best_by_what_was_asked(rows):
    features, fake, groups = rows
    for measure in ("accuracy", "auc"):
        best, tried = choose(features, fake, groups, Svm(measure=measure))
        assert len(tried) == 12
        assert getattr(best, measure) == pytest.approx(max(getattr(one, measure) for one in tried), abs=1e-6)
    equal, _ = choose(features * 0, fake, groups, Svm())
    assert (equal.c, equal.gamma) == (0.1, 0.1), "of equals the simplest"


def test_the_approximation_is_chosen_by_the_same_grid(rows):
    features, fake, groups = rows
    best, tried = choose(features, fake, groups, Svm(c=(0.1, 1.0), gamma=(0.3, 1.0), exact_rows=10, landmarks=50))
    assert len(tried) == 4
    assert best.auc > 0.9


@pytest.mark.parametrize(
    ("fake", "groups", "says"),
    [
        ([True] * 6, [0, 1, 2, 3, 4, 5], "none of the 6 training pictures is real"),
        ([False] * 6, [0, 1, 2, 3, 4, 5], "none of the 6 training pictures is fake"),
        ([False, False, True, True], [0, 1, 2, 2], "all fake training pictures are one group"),
    ],
)
def test_what_cannot_be_fitted_is_said(fake, groups, says):
    fake, groups = np.array(fake), np.array(groups)
    with pytest.raises(UsageError, match=says):
        folds_of(fake, groups, 5, seed=0)


def test_groups_that_cannot_be_shared_out_are_said():
    with pytest.raises(UsageError, match="both halves hold both classes"):
        folds_of(np.array([True, True, False, False]), np.array([0, 1, 2, 3]), 1, seed=0)
