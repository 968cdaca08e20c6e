"""The whole way from scores to numbers, checked against scikit-learn and by hand; and bad inputs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import CATALOGUE, Absent, Caution, Metric, Metrics
from mesoscope_train.evaluation.scores import read_scores, write_scores


def one(metrics: Metrics, **key):
    found = list(metrics.find(**{"slice": None, **key}))
    assert len(found) == 1
    return found[0]


def reasons(reading) -> dict[str, str]:
    return {name: found.absent for name, found in reading.metrics.items() if isinstance(found, Absent)}


@pytest.fixture(scope="module")
def measured(rows, logits_of, table, scores, quick):
    """Two bundles on one manifest at three tiers; one picture in ten has no score."""
    made, tables = rows(), []
    for seed, bundle in enumerate(("b-1", "c-1")):
        for tier in ("clean", "hard", "jpeg-60"):
            logits = list(logits_of(made, seed=seed, shift=1.0 - 0.3 * (tier != "clean")))
            logits[seed::10] = [None] * len(logits[seed::10])
            tables.append(table(made, logits, bundle=bundle, tier=tier, threshold=0.6, lower=0.4, slope=0.7))
    known = scores(*tables)
    return known, measure(known, quick)


def test_numbers_of_pictures_are_those_of_scikit_learn(measured):
    known, metrics = measured
    rows = [row for row in known.table.to_pylist() if (row["bundle"], row["tier"]) == ("c-1", "hard")]
    scored = [row for row in rows if row["logit"] is not None]
    fake = np.array([row["label"] == "fake" for row in scored])
    logit, p = (np.array([row[name] for row in scored]) for name in ("logit", "probability"))
    reading = one(metrics, bundle="c-1", tier="hard", unit="picture")
    wanted = {
        "auc": sk.roc_auc_score(fake, logit),
        "average_precision": sk.average_precision_score(fake, logit),
        "accuracy": sk.accuracy_score(fake, p >= 0.6),
        "balanced_accuracy": sk.balanced_accuracy_score(fake, p >= 0.6),
        "log_loss": sk.log_loss(fake, p),
        "brier": sk.brier_score_loss(fake, p),
        "answered": len(scored) / len(rows),
        "coverage": sum(row["outcome"] in ("fake", "real") for row in rows) / len(rows),
        "accuracy_all": sum(row["outcome"] == row["label"] for row in rows) / len(rows),
    }
    for name, value in wanted.items():
        assert reading.value(name) == pytest.approx(value, abs=1e-9), name
    assert list(reading.metrics) == list(CATALOGUE)
    tn, fp, fn, tp = sk.confusion_matrix(fake, p >= 0.6).ravel()
    matrix = reading.confusion
    assert (matrix.real_as_real, matrix.real_as_fake, matrix.fake_as_real, matrix.fake_as_fake) == (tn, fp, fn, tp)
    report = sk.classification_report(fake, p >= 0.6, target_names=["real", "fake"], output_dict=True)
    for label in ("real", "fake"):
        found = reading.classes[label]
        assert [found.precision.value, found.recall.value, found.f1.value, found.support] == pytest.approx(
            [report[label][name] for name in ("precision", "recall", "f1-score", "support")], abs=1e-9
        )


@pytest.mark.parametrize("aggregation", ["mean", "top-k"])
def test_numbers_of_groups_are_those_of_their_aggregated_logits(measured, aggregation: str):
    known, metrics = measured
    groups: dict[str, list[float]] = {}
    labels = {}
    for row in known.table.to_pylist():
        if (row["bundle"], row["tier"]) == ("b-1", "clean"):
            labels[row["group"]] = row["label"] == "fake"
            groups.setdefault(row["group"], []).extend([] if row["logit"] is None else [row["logit"]])
    logit = np.array([np.mean(of) if aggregation == "mean" else max(of) for of in groups.values()])
    fake = np.array(list(labels.values()))
    reading = one(metrics, bundle="b-1", tier="clean", unit="group", aggregation=aggregation)
    assert reading.value("auc") == pytest.approx(sk.roc_auc_score(fake, logit), abs=1e-9)
    # the bundle's calibration holds for a group's logit too
    p = 1 / (1 + np.exp(-0.7 * logit))
    assert reading.value("brier") == pytest.approx(sk.brier_score_loss(fake, p), abs=1e-9)
    assert reading.value("accuracy") == pytest.approx(sk.accuracy_score(fake, p >= 0.6), abs=1e-9)
    assert reading.counts.total == 40
    assert not list(metrics.find(unit="video"))


def test_what_has_no_score_is_counted_in_every_reading(measured):
    known, metrics = measured
    for reading in metrics.readings:
        counts = reading.counts
        if reading.slice is None and reading.unit == "picture":
            assert counts.total == 120
            assert counts.not_applicable_real + counts.not_applicable_fake == 12
            assert counts.reasons == {"no face found": 12}
    outcomes = [row["outcome"] for row in known.table.to_pylist() if (row["bundle"], row["tier"]) == ("b-1", "clean")]
    counts = one(metrics, bundle="b-1", tier="clean", unit="picture").counts
    assert counts.inconclusive_real + counts.inconclusive_fake == outcomes.count("inconclusive") > 0


def test_curves_agree_with_the_numbers_and_sweeps_have_none(measured):
    _, metrics = measured
    reading = one(metrics, bundle="b-1", tier="clean", unit="picture")
    curves, counts = reading.curves, reading.counts
    assert np.trapezoid(curves.roc.tpr, curves.roc.fpr) == pytest.approx(reading.value("auc"), abs=1e-9)
    assert curves.roc.at_threshold == pytest.approx(
        (reading.value("false_positive_rate"), reading.value("accuracy_fake"))
    )
    assert curves.precision_recall.at_threshold[1] == pytest.approx(reading.classes["fake"].precision.value)
    assert curves.precision_recall.prevalence == reading.value("prevalence")
    bins = curves.reliability
    distance = np.abs(np.subtract(bins.mean_probability, bins.share_fake))
    assert np.average(distance, weights=bins.n) == pytest.approx(reading.value("ece"), abs=1e-9)
    for histogram in (curves.probabilities, curves.logits):
        assert (sum(histogram.real), sum(histogram.fake)) == (counts.answered_real, counts.answered_fake)
    assert curves.probabilities.at_threshold == 0.6
    # sigmoid(0.7 * logit) = 0.6
    assert curves.logits.at_threshold == pytest.approx(np.log(0.6 / 0.4) / 0.7)
    assert curves.risk_coverage.risk[-1] == pytest.approx(1 - reading.value("accuracy"))
    assert curves.risk_coverage.at_band[1] == pytest.approx(1 - reading.value("conclusive_accuracy"))
    swept = one(metrics, bundle="b-1", tier="jpeg-60", unit="picture")
    assert swept.curves is None
    assert not swept.classes
    assert swept.value("auc") is not None
    assert one(metrics, bundle="b-1", tier="hard", unit="picture").curves is not None


def test_every_number_comes_again_from_the_file_alone(measured, quick, tmp_path):
    known, metrics = measured
    write_scores(known, tmp_path / "scores.parquet")
    again = measure(read_scores(tmp_path / "scores.parquet"), quick)
    metrics.write(tmp_path / "metrics.json")
    assert Metrics.from_json((tmp_path / "metrics.json").read_text(encoding="utf-8")) == metrics == again
    assert metrics.provenance.scores_sha256 == known.digest()


def test_facts_of_the_scores_are_handed_on(rows, logits_of, table, scores, quick):
    made = rows(30)
    caution = Caution(code="again", message="seen before", bundle="b-1", manifest="m")
    said = Caution(code="uncalibrated", message="said already", bundle="b-1")
    metrics = measure(
        scores(table(made, logits_of(made)), cautions=[caution, said], again=["m"], max_fpr=0.05), quick
    )
    assert metrics.warnings[:2] == [caution, said]
    assert [one.code for one in metrics.warnings].count("uncalibrated") == 1
    assert metrics.manifests[0].again
    assert (metrics.provenance.max_fpr, metrics.provenance.command) == (0.05, "mesoscope evaluate …")


def test_progress_names_each_part(rows, logits_of, table, scores, quick):
    made, told = rows(30), []
    tables = [table(made, logits_of(made), tier=tier) for tier in ("clean", "web")]
    measure(scores(*tables), quick, progress=told.append)
    assert told == ["m: b-1 at clean", "m: b-1 at web"]


def codes(metrics: Metrics) -> set[str]:
    return {caution.code for caution in metrics.warnings}


def test_one_class_leaves_the_rest(rows, logits_of, table, scores, quick):
    made = [{**row, "label": "real"} for row in rows()]
    metrics = measure(scores(table(made, logits_of(made))), quick)
    reading = one(metrics, unit="picture")
    assert reasons(reading)["auc"] == "there is no fake among the answered"
    assert isinstance(reading.metrics["false_positive_rate"], Metric)
    assert isinstance(reading.curves.roc, Absent)
    assert isinstance(reading.classes["fake"].recall, Absent)
    assert reading.curves.probabilities.fake == [0] * 40
    assert "one-class" in codes(metrics)
    # slices still have their false positives compared
    assert {gap.metric for gap in metrics.gaps} == {"false_positive_rate"}


def test_ten_pictures_say_what_they_are_too_few_for(rows, logits_of, table, scores, quick):
    made = rows(10, frames=1)
    metrics = measure(scores(table(made, logits_of(made))), quick)
    reading = one(metrics, unit="picture")
    assert set(reasons(reading)) == {"recall_at_fpr_1", "recall_at_fpr_5"}
    assert "small" in codes(metrics)
    assert not list(metrics.find(unit="group"))


def test_equal_scores_rank_nothing(rows, table, scores, quick):
    made = rows()
    metrics = measure(scores(table(made, [0.3] * 120)), quick)
    reading = one(metrics, unit="picture")
    assert "all scores are equal" in reasons(reading)["auc"]
    assert reading.value("accuracy") == 0.5
    assert isinstance(reading.curves.precision_recall, Absent)
    assert sum(reading.curves.logits.real) == 60


def test_a_bundle_without_any_answer_is_in_the_file(rows, logits_of, table, scores, quick):
    made = rows(60)
    metrics = measure(
        scores(
            table(made, logits_of(made)),
            table(made, [None] * 60, bundle="mute-1", outcome="error"),
        ),
        quick,
    )
    reading = one(metrics, bundle="mute-1", unit="picture")
    assert reading.counts.error_real + reading.counts.error_fake == 60
    assert reading.value("answered") == 0
    assert reasons(reading)["accuracy"] == "nothing was answered"
    assert isinstance(reading.confusion, Absent)
    assert "unanswered" in codes(metrics)
    groups = one(metrics, bundle="mute-1", unit="group", aggregation="mean")
    assert groups.counts.error_real + groups.counts.error_fake == 20
    assert {comparison.n for comparison in metrics.comparisons} == {0}


def test_a_manifest_without_groups_is_warned_of(rows, logits_of, table, scores, quick):
    made = [{name: value for name, value in row.items() if name != "group"} for row in rows()]
    metrics = measure(scores(table(made, logits_of(rows()))), quick)
    assert "no-groups" in codes(metrics)
    assert one(metrics, unit="picture").metrics["auc"].n_groups == 120


def test_one_group_has_numbers_without_intervals(rows, logits_of, table, scores, quick):
    made = [{**row, "group": "one"} for row in rows()]
    reading = one(measure(scores(table(made, logits_of(rows()))), quick), unit="picture")
    assert reading.metrics["auc"].no_interval == "only 1 group: too few to draw again"
    assert reading.curves.roc.low == []


def test_training_rows_are_warned_of(rows, logits_of, table, scores, quick):
    made = [{**row, "split": "train" if index < 30 else "test"} for index, row in enumerate(rows())]
    metrics = measure(scores(table(made, logits_of(made))), quick)
    assert "train-rows" in codes(metrics)
    assert metrics.manifests[0].splits == {"test": 90, "train": 30}


def test_no_rows_and_two_thresholds_are_refused(rows, logits_of, table, scores, quick):
    made = rows(30)
    first = table(made, logits_of(made))
    with pytest.raises(UsageError, match="no scores to measure"):
        measure(scores(first.slice(0, 0)), quick)
    with pytest.raises(UsageError, match="two thresholds, under the name b-1"):
        measure(scores(first, table(made, logits_of(made), tier="web", threshold=0.7)), quick)
