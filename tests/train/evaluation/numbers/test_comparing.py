"""Two bundles on the same pictures, tiers against clean, manifests against the best one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from mesoscope.metrics import delong, holm
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import Absent


def comparison(metrics, metric: str, **fields):
    wanted = {"first": "a-1", "second": "b-1", "unit": "picture", **fields}
    (found,) = (
        one for one in metrics.comparisons
        if one.metric == metric and all(getattr(one, name) == value for name, value in wanted.items())
    )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def three(rows, logits_of, table, scores, quick):
    """Three bundles on 150 pictures, by groups of three; the first and the second each miss some pictures."""
    made = rows(150)
    logits = {"a-1": logits_of(made, seed=0), "b-1": logits_of(made, seed=1, shift=0.2)}
    logits["c-1"] = 2 * logits["a-1"] + 0.5
    said = {name: list(of) for name, of in logits.items()}
    said["a-1"][3] = said["b-1"][70] = said["b-1"][71] = None
    tables = [table(made, of, bundle=name, threshold=0.7 if name == "c-1" else 0.5) for name, of in said.items()]
    return made, logits, measure(scores(*tables), quick)


def test_pairs_are_compared_on_what_both_answered(three):
    made, logits, metrics = three
    both = [i for i in range(150) if i not in (3, 70, 71)]
    fake = np.array([row["label"] == "fake" for row in made])[both]
    group = np.array([int(row["group"][1:]) for row in made])[both]
    first, second = (logits[name][both] for name in ("a-1", "b-1"))
    found = comparison(metrics, "auc")
    assert (found.n, found.left_out, found.n_groups) == (147, 3, 50)
    assert found.first_value.value == pytest.approx(sk.roc_auc_score(fake, first), abs=1e-9)
    assert found.second_value.value == pytest.approx(sk.roc_auc_score(fake, second), abs=1e-9)
    assert found.difference.value == pytest.approx(found.first_value.value - found.second_value.value)
    alone, grouped = found.tests
    assert (alone.name, grouped.name) == ("DeLong", "DeLong by group")
    assert alone.p == pytest.approx(delong(fake, first, second).p, rel=1e-6)
    assert grouped.p == pytest.approx(delong(fake, first, second, group).p, rel=1e-6)
    assert found.decisive == "DeLong by group"
    right = [(scores >= 0) == fake for scores in (first, second)]
    only = [int((right[i] & ~right[1 - i]).sum()) for i in (0, 1)]
    assert comparison(metrics, "accuracy").tests[0].p == pytest.approx(
        stats.binomtest(only[0], sum(only)).pvalue, rel=1e-9
    )


def test_differences_are_drawn_in_pairs(three):
    _, _, metrics = three
    found = comparison(metrics, "auc")
    spread = found.difference.high - found.difference.low
    apart = [one.high - one.low for one in (found.first_value, found.second_value)]
    assert 0 < spread < sum(apart)


def test_p_values_are_corrected_over_the_pairs(three):
    _, _, metrics = three
    tested = [one for one in metrics.comparisons if one.metric == "accuracy" and one.unit == "picture"]
    assert len(tested) == 3
    last = [one.tests[-1] for one in tested]
    np.testing.assert_allclose([one.p_holm for one in last], holm([one.p for one in last]))
    assert [one.significant for one in tested] == [one.p_holm < 0.05 for one in last]
    assert all(one.tests[0].p_holm is None for one in tested)


def test_two_that_rank_alike_differ_by_nothing_and_are_not_tested(three):
    _, _, metrics = three
    found = comparison(metrics, "auc", first="a-1", second="c-1")
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.tests == []
    assert found.decisive is None
    assert not found.significant
    # though their thresholds differ
    assert comparison(metrics, "accuracy", first="a-1", second="c-1").difference.value != 0


def test_groups_are_compared_one_by_one(three):
    _, _, metrics = three
    found = comparison(metrics, "auc", unit="group")
    assert (found.aggregation, found.n, found.n_groups, found.decisive) == ("mean", 50, 50, "DeLong")


@pytest.fixture(scope="module")
def fallen(rows, logits_of, table, scores, quick):
    """One bundle: good on `home`, at chance on `abroad`, with fakes only on `fakes`; worse at a tier and a sweep."""
    made = rows(150)
    fakes = [row for row in made if row["label"] == "fake"]
    clean = logits_of(made)
    harder = clean * 0.3 + np.random.default_rng(5).normal(size=150)
    tables = [
        table(made, clean, manifest="home"),
        table(made, harder, manifest="home", tier="hard"),
        table(made, [None, *harder[1:]], manifest="home", tier="jpeg-30"),
        table(made, logits_of(made, seed=4, shift=0.0), manifest="abroad"),
        table(fakes, logits_of(fakes), manifest="fakes"),
    ]
    return measure(scores(*tables), quick)


def fall(metrics, metric: str, **fields):
    (found,) = (
        one for one in metrics.falls
        if (one.metric, one.unit) == (metric, "picture") and all(getattr(one, k) == v for k, v in fields.items())
    )  # fmt: skip
    return found


def test_falls_between_manifests_begin_at_the_best(fallen):
    found = fall(fallen, "auc", kind="manifest", to_manifest="abroad")
    assert found.from_manifest == "home"
    assert found.difference.value == pytest.approx(found.to_value.value - found.from_value.value)
    assert found.difference.value < found.difference.high < 0
    # Newcombe's way: squares of the two half intervals add up
    below = np.hypot(found.to_value.value - found.to_value.low, found.from_value.high - found.from_value.value)
    assert found.difference.value - found.difference.low == pytest.approx(below)
    lone = fall(fallen, "auc", kind="manifest", to_manifest="fakes")
    assert lone.difference == Absent(absent="there is no real among the answered")
    assert fall(fallen, "accuracy", kind="manifest", to_manifest="fakes").difference.value is not None


def test_falls_to_tiers_are_paired_on_the_same_pictures(fallen):
    found = fall(fallen, "auc", kind="tier", to_tier="jpeg-30")
    assert (found.from_tier, found.from_manifest, found.to_manifest) == ("clean", "home", "home")
    assert found.from_value.n == found.to_value.n == found.difference.n == 149
    assert found.difference.value < 0
    assert {one.to_tier for one in fallen.falls if one.kind == "tier"} == {"hard", "jpeg-30"}


def test_a_lone_manifest_falls_nowhere(three):
    _, _, metrics = three
    assert metrics.falls == []
