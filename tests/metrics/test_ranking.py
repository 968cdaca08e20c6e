"""Ranking measures against scikit-learn, torchmetrics and plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from sklearn import metrics as sk
from torchmetrics.functional.classification import binary_auroc, binary_average_precision

from mesoscope.metrics import (
    Undefined,
    auc_draws,
    average_precision,
    equal_error_rate,
    recall_at_fpr,
    roc_auc,
)
from mesoscope.metrics.bootstrap import draw_groups
from mesoscope.metrics.ranking import Ladder, roc_vertices


def drawn(seed: int, rows: int = 400, ties: bool = False):
    random = np.random.default_rng(seed)
    fake = random.random(rows) < 0.4
    scores = random.normal(size=rows) + fake
    return fake, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_auc_and_average_precision_are_those_of_scikit_learn_and_torchmetrics(seed: int, ties: bool):
    fake, scores = drawn(seed, ties=ties)
    assert roc_auc(fake, scores) == pytest.approx(sk.roc_auc_score(fake, scores), abs=1e-12)
    assert average_precision(fake, scores) == pytest.approx(sk.average_precision_score(fake, scores), abs=1e-12)
    # torchmetrics puts logits through a float32 sigmoid unless they are probabilities already
    probabilities, labels = torch.sigmoid(torch.from_numpy(scores)), torch.from_numpy(fake).long()
    assert roc_auc(fake, scores) == pytest.approx(float(binary_auroc(probabilities, labels)), abs=1e-6)
    assert average_precision(fake, scores) == pytest.approx(
        float(binary_average_precision(probabilities, labels)), abs=1e-6
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_eer_is_where_the_curve_of_scikit_learn_crosses_the_diagonal(seed: int, ties: bool):
    fake, scores = drawn(seed, ties=ties)
    fpr, tpr, _ = sk.roc_curve(fake, scores, drop_intermediate=False)
    # along the curve, not over fpr: it has vertical pieces
    at = np.arange(fpr.size)
    crossing = brentq(lambda t: np.interp(t, at, fpr) + np.interp(t, at, tpr) - 1, 0, fpr.size - 1, xtol=1e-13)
    assert equal_error_rate(fake, scores) == pytest.approx(np.interp(crossing, at, fpr), abs=1e-9)


@pytest.mark.parametrize("fpr_asked", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("ties", [False, True])
def test_recall_at_a_rate_is_the_best_point_of_scikit_learns_curve(fpr_asked: float, ties: bool):
    fake, scores = drawn(5, ties=ties)
    fpr, tpr, _ = sk.roc_curve(fake, scores, drop_intermediate=False)
    assert recall_at_fpr(fake, scores, fpr_asked) == pytest.approx(tpr[fpr <= fpr_asked].max(), abs=1e-12)


def test_a_rate_that_is_a_whole_number_of_reals_allows_that_number():
    # 0.05 of 20 reals is one; floats say 0.05 * 20 = 1.0 and 0.07 * 100 = 7.000000000000001
    reals, fakes = np.arange(20.0), np.array([18.5, 0.5])
    fake = np.repeat([False, True], [20, 2])
    assert recall_at_fpr(fake, np.concatenate([reals, fakes]), 0.05) == 0.5


@pytest.mark.parametrize("ties", [False, True])
def test_weights_count_as_scikit_learns_sample_weights(ties: bool):
    fake, scores = drawn(7, ties=ties)
    weights = np.random.default_rng(1).integers(0, 4, (5, fake.size)).astype(float)
    descent = Ladder.of(fake, scores).descend(weights)
    for row, found, precise in zip(weights, descent.auc(), descent.average_precision(), strict=True):
        assert found == pytest.approx(sk.roc_auc_score(fake, scores, sample_weight=row), abs=1e-12)
        assert precise == pytest.approx(sk.average_precision_score(fake, scores, sample_weight=row), abs=1e-12)


def test_weighted_eer_and_recall_are_those_of_repeated_rows():
    fake, scores = drawn(8, rows=120)
    weights = np.random.default_rng(2).integers(0, 3, (4, fake.size))
    descent = Ladder.of(fake, scores).descend(weights.astype(float))
    for row, eer, recall in zip(weights, descent.eer(), descent.recall_at(0.05), strict=True):
        again = np.repeat(np.arange(fake.size), row)
        assert eer == pytest.approx(equal_error_rate(fake[again], scores[again]), abs=1e-12)
        assert recall == pytest.approx(recall_at_fpr(fake[again], scores[again], 0.05), abs=1e-12)


def test_a_weighting_with_one_class_has_no_number():
    fake, scores = drawn(9, rows=50)
    descent = Ladder.of(fake, scores).descend(np.stack([fake, ~fake]).astype(float))
    for found in (descent.auc(), descent.average_precision(), descent.eer(), descent.recall_at(0.05)):
        assert np.isnan(found).all()


def test_bootstrap_of_the_auc_is_that_of_rows_drawn_by_group():
    fake, scores = drawn(11, rows=90)
    group = np.random.default_rng(0).integers(0, 30, 90)
    found = auc_draws(fake, scores, group, 30, draws=20, seed=4)
    for value, weights in zip(found, np.concatenate(list(draw_groups(30, 20, 4))), strict=True):
        again = np.repeat(np.arange(90), weights[group].astype(int))
        assert value == pytest.approx(sk.roc_auc_score(fake[again], scores[again]), abs=1e-12)


def test_vertices_are_all_corners_of_the_curve():
    fake, scores = drawn(12, ties=True)
    fpr, tpr, thresholds = sk.roc_curve(fake, scores, drop_intermediate=False)
    for found, wanted in zip(roc_vertices(fake, scores), (fpr, tpr, thresholds), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


MEASURES = [roc_auc, average_precision, equal_error_rate, lambda fake, scores: recall_at_fpr(fake, scores, 0.05)]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("fake", "scores", "words"),
    [
        ([True] * 4, [1, 2, 3, 4], "no real"),
        ([False] * 4, [1, 2, 3, 4], "no fake"),
        ([False, True] * 30, [2.0] * 60, "all scores are equal"),
        ([False, True, True], [1, np.nan, np.inf], "2 of 3 scores are not finite"),
        ([], [], "nothing was answered"),
    ],
)
def test_what_cannot_be_ranked_says_why(measure, fake, scores, words):
    found = measure(np.array(fake, bool), np.array(scores, float))
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_a_rate_of_one_percent_takes_a_hundred_reals():
    fake, scores = np.repeat([False, True], [99, 50]), np.arange(149.0)
    found = recall_at_fpr(fake, scores, 0.01)
    assert isinstance(found, Undefined)
    assert "99 reals are too few for a rate of 1 %: it takes 100" in found.reason
    assert recall_at_fpr(np.append(fake, False), np.append(scores, -1.0), 0.01) == 1.0


def test_arrays_that_do_not_belong_together_are_a_mistake():
    with pytest.raises(ValueError, match="two arrays"):
        roc_auc(np.array([True, False]), np.arange(3.0))
    with pytest.raises(ValueError, match="two arrays"):
        roc_auc(np.array([1, 0]), np.arange(2.0))
