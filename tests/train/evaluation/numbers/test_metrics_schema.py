"""What the models of metrics.json refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.metrics_schema import (
    CATALOGUE,
    Counts,
    Gap,
    Histogram,
    Key,
    Metric,
    Metrics,
    PrCurve,
    Reading,
    RocCurve,
)

KEY = {"bundle": "b-1", "manifest": "m", "tier": "clean", "unit": "picture"}
COUNTS = {"real": 2, "fake": 1, "answered_real": 1, "answered_fake": 1, "error_real": 1, "groups": 2}


def test_a_metric_has_an_interval_or_a_reason():
    Metric(value=0.5, low=0.4, high=0.6, n=3, n_groups=3)
    Metric(value=0.5, no_interval="one group", n=3, n_groups=1)
    for wrong in (
        {},
        {"low": 0.4},
        {"low": 0.4, "high": 0.6, "no_interval": "one group"},
        {"low": 0.6, "high": 0.4},
    ):
        with pytest.raises(ValidationError):
            Metric(value=0.5, n=3, n_groups=3, **wrong)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5 or so", None])
def test_what_is_no_number_is_no_metric(value):
    with pytest.raises(ValidationError):
        Metric(value=value, no_interval="x", n=1, n_groups=1)


@pytest.mark.parametrize(
    "change",
    [{"real": 3}, {"error_real": 0}, {"inconclusive_real": 2}, {"answered_fake": 2}, {"groups": -1}, {"lost": 1}],
)
def test_counts_lose_nothing(change):
    assert Counts(**COUNTS).total == 3
    with pytest.raises(ValidationError):
        Counts(**{**COUNTS, **change})


def test_many_rows_have_an_aggregation_and_single_ones_none():
    Key(**{**KEY, "unit": "video"}, aggregation="mean")
    for wrong in ({**KEY, "aggregation": "mean"}, {**KEY, "unit": "video"}, {**KEY, "unit": "frame"}):
        with pytest.raises(ValidationError):
            Key(**wrong)


def test_a_gap_is_of_a_slice():
    with pytest.raises(ValidationError, match="gap is of a slice"):
        Gap(**KEY, metric="auc", inside={"absent": "x"}, outside={"absent": "x"}, difference={"absent": "x"},
            test={"absent": "x"}, significant=False)  # fmt: skip


def test_a_reading_holds_metrics_of_the_catalogue_only():
    fields = {**KEY, "threshold": 0.5, "lower": 0.5, "counts": COUNTS, "confusion": {"absent": "x"}}
    reading = Reading(**fields, metrics={"auc": {"absent": "one class"}})
    assert reading.value("auc") is None
    assert reading.value("accuracy") is None
    with pytest.raises(ValidationError, match="no such metric: luck"):
        Reading(**fields, metrics={"luck": {"absent": "x"}})


def test_curves_have_as_many_of_each():
    RocCurve(fpr=[0, 1], tpr=[0, 1], at_threshold=(0.1, 0.5))
    with pytest.raises(ValidationError, match="different lengths"):
        RocCurve(fpr=[0, 1], tpr=[0, 1], low=[0.0], high=[1.0], at_threshold=(0.1, 0.5))
    with pytest.raises(ValidationError, match="different lengths"):
        PrCurve(recall=[0, 1], precision=[0, 0.5, 1], prevalence=0.5, at_threshold=None)
    with pytest.raises(ValidationError, match="one edge more"):
        Histogram(edges=[0, 1], real=[1, 2], fake=[1, 2], at_threshold=None)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}', "[1]"])
def test_another_file_is_refused_in_words(text: str):
    with pytest.raises(UsageError, match=r"not the metrics\.json of an evaluation"):
        Metrics.from_json(text)


def test_every_metric_has_a_title_and_a_sentence():
    for name, named in CATALOGUE.items():
        assert named.title, name
        assert named.meaning.endswith("."), name


def models(model: type, seen: set[type]) -> set[type]:
    """A model and all that its fields hold."""
    if model in seen:
        return seen
    seen.add(model)
    for field in model.model_fields.values():
        held = [field.annotation]
        while held:
            kind = held.pop()
            held += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                models(kind, seen)
    return seen


def test_every_field_and_metric_is_documented():
    page = (Path(__file__).parents[4] / "docs" / "metrics-json.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([a-z0-9_]+)`", page)) | set(re.findall(r'"([a-z0-9_]+)": ', page))
    found = models(Metrics, set())
    assert len(found) > 20
    assert {name for model in found for name in model.model_fields} | set(CATALOGUE) <= listed
