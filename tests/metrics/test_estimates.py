"""All measures of a sample against scikit-learn and torchmetrics, and the reasons of those that are not there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics as sk
from torchmetrics.functional.classification import binary_calibration_error

from mesoscope.metrics import Estimate, Intervals, Sample, Undefined, estimate_all
from mesoscope.metrics.bootstrap import draw_groups, expanded
from mesoscope.metrics.estimates import NAMES

QUICK = Intervals(draws=200)


def sample(seed: int = 0, rows: int = 300, groups: int = 60, **changed) -> Sample:
    random = np.random.default_rng(seed)
    fake = changed.pop("fake", random.random(rows) < 0.4)
    logit = changed.pop("logit", np.round(random.normal(size=rows) * 2 + 2 * fake - 1, 1))
    fields = {
        "fake": fake,
        "logit": logit,
        "probability": 1 / (1 + np.exp(-logit)),
        "group": random.integers(0, groups, rows),
        "groups": groups,
        "threshold": 0.6,
        "lower": 0.3,
        "silent": np.zeros(groups, np.int64),
    }
    return Sample(**{**fields, **changed})


def by_definition(s: Sample) -> dict[str, float]:
    """Each measure once more, by scikit-learn where it has it."""
    y, p, called = s.fake, s.probability, s.probability >= s.threshold
    clear = (p < s.lower) | called
    right = clear & (y == called)
    everything = y.size + s.silent.sum()
    fpr, tpr, _ = sk.roc_curve(y, s.logit, drop_intermediate=False)
    report = sk.classification_report(y, called, labels=[False, True], output_dict=True, zero_division=np.nan)
    return {
        "auc": sk.roc_auc_score(y, s.logit),
        "average_precision": sk.average_precision_score(y, s.logit),
        "recall_at_fpr_1": tpr[fpr <= 0.01].max(),
        "recall_at_fpr_5": tpr[fpr <= 0.05].max(),
        "accuracy": sk.accuracy_score(y, called),
        "accuracy_at_half": sk.accuracy_score(y, s.logit >= 0),
        "balanced_accuracy": sk.balanced_accuracy_score(y, called),
        "accuracy_real": report["False"]["recall"],
        "accuracy_fake": report["True"]["recall"],
        "false_positive_rate": 1 - report["False"]["recall"],
        "false_negative_rate": 1 - report["True"]["recall"],
        "precision_fake": report["True"]["precision"],
        "precision_real": report["False"]["precision"],
        "f1_fake": report["True"]["f1-score"],
        "f1_real": report["False"]["f1-score"],
        "log_loss": sk.log_loss(y, p),
        "brier": sk.brier_score_loss(y, p),
        "mse_scores": sk.mean_squared_error(y, p),
        "rmse_scores": sk.root_mean_squared_error(y, p),
        "mse_labels": sk.mean_squared_error(y, called),
        "rmse_labels": sk.root_mean_squared_error(y, called),
        "prevalence": y.mean(),
        "answered": y.size / everything,
        "coverage": clear.sum() / everything,
        "accuracy_all": right.sum() / everything,
        "conclusive_accuracy": right.sum() / clear.sum(),
    }


@pytest.mark.parametrize("seed", range(3))
def test_measures_are_those_of_scikit_learn(seed: int):
    s = sample(seed, silent=np.random.default_rng(seed).integers(0, 3, 60))
    found = estimate_all(s, QUICK)
    for name, wanted in by_definition(s).items():
        assert found[name].value == pytest.approx(wanted, abs=1e-9), name
    # the three that scikit-learn lacks have tests of their own
    assert set(found) == set(NAMES) == {*by_definition(s), "eer", "ece", "aurc"}


def test_calibration_error_is_that_of_torchmetrics():
    s = sample(3, logit=np.random.default_rng(3).normal(size=300))
    wanted = binary_calibration_error(torch.from_numpy(s.probability), torch.from_numpy(s.fake).long(), n_bins=15)
    assert estimate_all(s, QUICK)["ece"].value == pytest.approx(float(wanted), abs=1e-9)


def test_area_under_risk_is_the_mean_over_what_is_kept():
    s = sample(4, logit=np.random.default_rng(4).normal(size=300), threshold=0.5, lower=0.5)
    surest = np.argsort(-np.abs(s.logit))
    wrong = (s.fake != s.called_fake)[surest]
    wanted = np.mean([wrong[: k + 1].mean() for k in range(300)])
    assert estimate_all(s, QUICK)["aurc"].value == pytest.approx(wanted, abs=1e-9)


def test_equally_sure_answers_are_kept_or_put_aside_together():
    logit = np.array([3.0, 3.0, -3.0, 1.0])
    s = sample(rows=4, groups=4, fake=np.array([True, False, False, True]), logit=logit, threshold=0.5, lower=0.5)
    # three are kept at once, one of them wrong; then the fourth
    assert estimate_all(s, QUICK)["aurc"].value == pytest.approx(0.75 * 1 / 3 + 0.25 * 1 / 4)


def test_intervals_are_percentiles_over_rows_drawn_by_group():
    s = sample(5)
    found = estimate_all(s, Intervals(draws=40, level=0.9))
    drawn: dict[str, list[float]] = {}
    for weights in np.concatenate(list(draw_groups(60, 40, 0))):
        again = np.repeat(np.arange(300), weights[s.group].astype(int))
        part = Sample(
            s.fake[again], s.logit[again], s.probability[again], s.group[again],
            60, s.threshold, s.lower, np.zeros(60, np.int64),
        )  # fmt: skip
        for name, value in by_definition(part).items():
            drawn.setdefault(name, []).append(value)
    for name in set(drawn) - {"answered"}:
        middle = expanded(0.9, found[name].n_groups if name not in BOTH_CLASSES else s.rarer_groups)
        low, high = np.nanquantile(drawn[name], ((1 - middle) / 2, (1 + middle) / 2))
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-9), name


def test_groups_of_copies_make_wider_intervals_than_rows():
    once = sample(6, rows=100, groups=100, group=np.arange(100))
    again = np.repeat(np.arange(100), 9)
    copies = {name: getattr(once, name)[again] for name in ("fake", "logit", "probability", "group")}
    grouped = estimate_all(sample(rows=900, groups=100, **copies), QUICK)
    alone = estimate_all(sample(rows=900, groups=900, **{**copies, "group": np.arange(900)}), QUICK)
    single = estimate_all(once, QUICK)
    for name in ("auc", "accuracy", "brier"):
        ends = (single[name].low, single[name].high)
        assert (grouped[name].low, grouped[name].high) == pytest.approx(ends, abs=1e-9)
        assert grouped[name].high - grouped[name].low > 2 * (alone[name].high - alone[name].low)


def test_units_and_groups_are_those_the_measure_counts():
    s = sample(7, silent=np.array([5] + [0] * 59))
    found = estimate_all(s, QUICK)
    assert found["false_positive_rate"].n == (~s.fake).sum()
    assert found["false_positive_rate"].n_groups == len(set(s.group[~s.fake]))
    assert found["auc"].n == found["accuracy"].n == 300
    assert found["answered"].n == 305
    assert found["precision_fake"].n == s.called_fake.sum()


def test_none_mistaken_of_so_many_is_not_certainty():
    s = sample(rows=40, groups=40, fake=np.arange(40) % 2 == 0, logit=np.where(np.arange(40) % 2 == 0, 3.0, -3.0),
               group=np.arange(40))  # fmt: skip
    found = estimate_all(s, QUICK)
    wanted = stats.binomtest(0, 20).proportion_ci(0.95, "exact").high
    assert (found["false_positive_rate"].low, found["false_positive_rate"].high) == pytest.approx((0, wanted))
    assert (found["auc"].low, found["auc"].high) == pytest.approx((1 - wanted, 1))
    wanted_of_all = stats.binomtest(0, 40).proportion_ci(0.95, "exact").high
    assert found["rmse_labels"].high == pytest.approx(wanted_of_all**0.5)
    assert found["accuracy"].low == pytest.approx(1 - wanted_of_all)


def reasons(s: Sample) -> dict[str, str]:
    return {name: one.reason for name, one in estimate_all(s, QUICK).items() if isinstance(one, Undefined)}


BOTH_CLASSES = {"auc", "average_precision", "eer", "recall_at_fpr_1", "recall_at_fpr_5", "balanced_accuracy"}


def test_one_class_leaves_what_takes_no_two():
    of_fakes = reasons(sample(fake=np.ones(300, bool)))
    assert set(of_fakes) == BOTH_CLASSES | {"accuracy_real", "false_positive_rate"}
    assert set(of_fakes.values()) == {"there is no real among the answered"}
    of_reals = reasons(sample(fake=np.zeros(300, bool)))
    assert set(of_reals) == BOTH_CLASSES | {"accuracy_fake", "false_negative_rate"}
    assert set(of_reals.values()) == {"there is no fake among the answered"}


def test_equal_scores_rank_nothing_but_are_answers():
    found = reasons(sample(logit=np.full(300, 0.2)))
    assert {name for name, reason in found.items() if "all scores are equal" in reason} == BOTH_CLASSES - {
        "balanced_accuracy"
    }
    # all of them called real, none outside the band
    assert found["precision_fake"] == "nothing was called fake"
    assert found["conclusive_accuracy"] == "no answer is outside the band"


def test_ten_rows_have_numbers_and_say_what_they_are_too_few_for():
    s = sample(8, rows=10, groups=10, group=np.arange(10), fake=np.arange(10) < 5)
    found = estimate_all(s, QUICK)
    assert set(reasons(s)) == {"recall_at_fpr_1", "recall_at_fpr_5"}
    assert "5 reals are too few" in reasons(s)["recall_at_fpr_5"]
    assert found["auc"].low is not None


@pytest.mark.parametrize("groups", [1, 4])
def test_few_groups_give_numbers_without_intervals(groups: int):
    s = sample(9, groups=groups)
    for name, one in estimate_all(s, QUICK).items():
        assert isinstance(one, Estimate), name
        assert one.low is one.high is None
        assert f"only {groups} group" in one.no_interval


def test_a_rare_class_of_few_groups_has_no_interval_though_the_set_has_many():
    fake = np.arange(300) < 3
    found = estimate_all(sample(10, groups=300, fake=fake, group=np.arange(300)), QUICK)
    assert found["auc"].no_interval == "only 3 groups of the rarer class: too few to draw again"
    assert found["accuracy_fake"].no_interval == "only 3 groups: too few to draw again"
    assert found["accuracy"].no_interval is None


def test_nothing_answered_leaves_the_counts():
    empty = np.zeros(0)
    s = Sample(empty.astype(bool), empty, empty, empty.astype(np.int64), 7, 0.5, 0.5, np.full(7, 2))
    found = estimate_all(s, QUICK)
    assert found["answered"].value == found["accuracy_all"].value == 0
    assert found["answered"].n == 14
    rest = {one.reason for name, one in found.items() if name not in ("answered", "accuracy_all", "coverage")}
    assert rest == {"nothing was answered"}


@pytest.mark.parametrize(
    "changed",
    [
        {"logit": np.array([1.0, np.nan]), "probability": np.array([0.5, 0.5])},
        {"probability": np.array([0.5, 1.5])},
        {"probability": np.array([0.5, np.nan])},
        {"group": np.array([0, 60])},
        {"group": np.array([0])},
        {"silent": np.zeros(3, np.int64)},
    ],
)
def test_a_sample_refuses_what_is_no_score(changed):
    with pytest.raises(ValueError):
        sample(**{"rows": 2, "logit": np.array([1.0, 2.0]), "fake": np.array([True, False]), **changed})
