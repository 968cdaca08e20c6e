"""What int8 costs, measured right: against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from mesoscope.bundle import load_bundle
from mesoscope.calibrate import verdict_for
from mesoscope.errors import UsageError
from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.calibration.rows import Source
from mesoscope_train.errors import ExportError
from mesoscope_train.quantising.cost import Compared, Labels, cost_of
from mesoscope_train.quantising.run import check, choose_rows


def outputs(logits, maps):
    return [np.asarray(logits, np.float32), np.asarray(maps, np.float32)]


@pytest.fixture
def cost():
    random = np.random.default_rng(0)
    fake = np.repeat([False, True], 60)
    before = random.normal(0, 2, 120) + 2 * fake
    after = before + random.normal(0, 0.4, 120)
    maps = random.normal(0, 1, (120, 4, 4))
    changed = maps.copy()
    changed[7, 1, 2] += 5.0
    changed[8] = -changed[8]
    found = Compared()
    for half in (slice(0, 50), slice(50, 120)):
        found.add(outputs(before[half], maps[half]), outputs(after[half], changed[half]))
    contract = load_bundle("mesoscope-face").contract
    labels = Labels(fake, np.arange(120) // 2)
    return cost_of(found, (2.0, 1.0), labels, contract), (before, after, fake, maps), found, contract


def test_the_figures_are_scikit_learns(cost):
    measured, (before, after, fake, _), _, contract = cost
    verdict = verdict_for(contract)
    for reading, logits in ((measured.before, before), (measured.after, after)):
        called = [verdict.probability(float(np.float32(logit))) >= verdict.threshold for logit in logits]
        assert reading.auc == pytest.approx(roc_auc_score(fake, logits.astype(np.float32)))
        assert reading.accuracy == pytest.approx(balanced_accuracy_score(fake, called))
        assert reading.auc_low < reading.auc < reading.auc_high
    assert (measured.before.milliseconds, measured.after.milliseconds) == (2.0, 1.0)


def test_changes_are_the_largest_and_the_mean(cost):
    measured, (before, after, _, maps), found, contract = cost
    change = np.abs(before - after)
    assert measured.largest_logit == pytest.approx(change.max(), abs=1e-5)
    assert measured.mean_logit == pytest.approx(change.mean(), abs=1e-5)
    largest = max(5.0, 2 * np.abs(maps[8]).max())
    assert measured.largest_map == pytest.approx(largest / np.abs(maps).max(), rel=1e-5)
    assert measured.map_correlation == pytest.approx(1.0), "the median picture's map stays"
    correlations = np.concatenate(found.map_correlation)
    assert correlations[8] == pytest.approx(-1)
    assert correlations[7] == pytest.approx(
        np.corrcoef(maps[7].ravel(), (maps[7] + 5.0 * np.eye(16)[6].reshape(4, 4)).ravel())[0, 1], abs=1e-6
    )
    verdict = verdict_for(contract)
    same = [verdict.outcome(verdict.probability(a)) == verdict.outcome(verdict.probability(b))
            for a, b in zip(before, after, strict=True)]  # fmt: skip
    assert measured.same_outcome == pytest.approx(np.mean(same))


def test_flat_maps_agree_with_flat_maps_only():
    found = Compared()
    flat, bumpy = np.zeros((1, 2, 2)), np.array([[[0, 1], [0, 0]]])
    found.add(outputs([0], flat), outputs([0], flat))
    found.add(outputs([0], flat), outputs([0], bumpy))
    np.testing.assert_array_equal(np.concatenate(found.map_correlation), [1, 0])


def test_a_copy_that_loses_too_much_is_refused_with_the_figure(cost):
    measured = cost[0]

    def with_after(**changes):
        return measured.model_copy(update={"after": measured.before.model_copy(update=changes)})

    check("b-1", {"openvino": with_after(auc=measured.before.auc - 0.0099)}, 0.01)
    with pytest.raises(ExportError, match=r"in onnxruntime its auc falls from .* by more than 0\.01"):
        check("b-1", {"openvino": with_after(), "onnxruntime": with_after(auc=measured.before.auc - 0.0101)}, 0.01)
    with pytest.raises(ExportError, match="its accuracy falls"):
        check("b-1", {"openvino": with_after(accuracy=measured.before.accuracy - 0.02)}, 0.01)
    check("b-1", {"openvino": with_after(accuracy=measured.before.accuracy - 0.02)}, 0.03)
    with pytest.raises(ExportError, match=r"maps correlate .* by 0\.50 only"):
        check("b-1", {"openvino": with_after().model_copy(update={"map_correlation": 0.5})}, 0.01)


def source(*parts: str, per_part: int = 30) -> Source:
    builder = ManifestBuilder(Path())
    for part in parts:
        for number in range(per_part):
            label = "fake" if number % 2 else "real"
            group = f"{part}-{label}-{number // 6}"
            builder.add(Row(path=f"{part}-{number}.png", label=label, group=group, dataset="d", split=part))
    return Source(builder.build("made by hand"), "0" * 64)


def test_ranges_are_found_on_training_pictures_and_the_cost_on_validation_pictures():
    rows = choose_rows(source("train", "validation", "test"), 10, 20)
    assert rows.part == "train"
    assert set(rows.ranges.values("split")) == {"train"}
    assert set(rows.measured.values("split")) == {"validation"}
    assert (len(rows.ranges), len(rows.measured)) == (10, 20)
    for chosen in (rows.ranges, rows.measured):
        assert set(chosen.values("label")) == {"real", "fake"}


def test_without_a_training_part_no_group_is_used_twice():
    rows = choose_rows(source("validation", "test", per_part=60), 4, 100)
    assert rows.part == "validation"
    assert not set(rows.ranges.values("group")) & set(rows.measured.values("group"))
    assert set(rows.measured.values("split")) == {"validation"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (source("train", "test"), "no row in its validation part"),
        (
            Source(source("train").manifest.take(np.arange(3)).with_column("split", [None] * 3), "0" * 64),
            "has no split",
        ),
    ],
)
def test_without_a_validation_part_nothing_is_measured(given, says):
    with pytest.raises(UsageError, match=says):
        choose_rows(given, 10, 10)


def test_one_class_is_refused():
    given = source("train", "validation").manifest
    fakes = given.take(np.array([label == "fake" for label in given.values("label")]))
    with pytest.raises(UsageError, match="it has only fake pictures left"):
        choose_rows(Source(fakes, "0" * 64), 10, 10)


def test_pictures_that_may_have_been_trained_on_are_told():
    from mesoscope_train.quantising.run import _caution

    bundle = load_bundle("mesoscope-face")
    given = source("train", "validation")
    assert _caution(bundle, given, given.manifest) == ""
    known = given.manifest.with_column("dataset", ["dfdc-faces"] * len(given.manifest))
    assert "trained on dfdc-faces, listed in another manifest" in _caution(bundle, given, known)
    own = Source(known, str(bundle.contract.training_data[0].manifest_sha256))
    assert _caution(bundle, own, known) == ""
