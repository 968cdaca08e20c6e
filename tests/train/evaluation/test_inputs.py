"""What was asked for, checked before any picture is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesoscope.errors import BundleNotFound, ManifestError, NotCalibrated, UsageError
from mesoscope_train.evaluation.inputs import Request, prepare, select


def ask(*manifests: Path, **changes) -> Request:
    return Request(**{"bundles": ("mesoscope-face",), "manifests": manifests, "out": Path("never"), **changes})


def test_the_test_part_is_what_is_judged(manifest) -> None:
    assert [select(manifest, split, "m")[1] for split in (None, "test", "all")] == ["test", "test", "all rows"]
    assert len(select(manifest, None, "m")[0]) == 8
    assert len(select(manifest, "all", "m")[0]) == 24
    without = manifest.with_column("split", [None] * 24)
    assert select(without, None, "m") == (without, "all rows")


def test_a_part_that_is_not_there_is_refused(manifest) -> None:
    training = manifest.take([n for n, split in enumerate(manifest.values("split")) if split == "train"])
    without = manifest.with_column("split", [None] * 24)
    for wrong, split, message in (
        (training, None, r"the split of m has no test part \(it has: train\)"),
        (training, "validation", "has no validation part"),
        (without, "test", "m has no split"),
        (manifest, "exam", "there is none of that name; there are train, validation, test, all"),
    ):
        with pytest.raises(UsageError, match=message):
            select(wrong, split, "m")


def test_one_value_holds_for_all_manifests_or_each_has_its_own(written, rows) -> None:
    first, second = written(rows, "a"), written(rows[:-1], "b")
    both = prepare(ask(first, second, splits=("all",)))
    assert [(one.judged.name, one.part, one.faces) for one in both.wanted] == [
        ("a", "all rows", "none"),
        ("b", "all rows", "none"),
    ]
    mixed = prepare(ask(first, second, splits=("all", "test"), faces=("none", "dlib")))
    assert [(one.part, one.faces) for one in mixed.wanted] == [("all rows", "none"), ("test", "dlib")]
    assert [mixed.finder_of(one) is None for one in mixed.wanted] == [True, False]
    with pytest.raises(UsageError, match="--faces was given 2 times for 1 manifests"):
        prepare(ask(first, faces=("none", "dlib")))


def test_names_are_made_unique(written, rows, tmp_path, bundle_copy) -> None:
    (tmp_path / "deep").mkdir()
    first = written(rows, "m")
    other = written([replace(row, dataset="other") for row in rows], "deep/m")
    assert [one.judged.name for one in prepare(ask(first, other)).wanted] == ["m", "m-2"]
    contract = bundle_copy / "bundle.json"
    contract.write_text(contract.read_text() + "\n")  # another hash, the same name
    two = prepare(ask(first, bundles=("mesoscope-face", str(bundle_copy))))
    assert [one.name for one in two.bundles] == [f"mesoscope-face-2@{one.bundle.sha256[:8]}" for one in two.bundles]
    assert len({one.name for one in two.bundles}) == 2


def test_scores_depend_on_all_that_they_depend_on(written, rows, data_dir) -> None:
    request = ask(written(rows))
    plain = prepare(request).settings(request)
    yunet = next((data_dir / "yunet").glob("*.onnx"), None)
    for changes in (
        {"splits": ("all",)},
        {"tiers": ("web",)},
        {"sweeps": ("blur",)},
        {"max_fpr": 0.05},
        {"faces": ("dlib",)},
        {"engine": "onnxruntime"},
        {"frames": 3},
        *([{"faces": ("yunet",), "face_models": (yunet,)}] if yunet else []),
    ):
        changed = replace(request, **changes)
        assert prepare(changed).settings(changed) != plain, changes
    measured = replace(request, again=True, threads=1, allow_leaks=("group",))
    assert prepare(measured).settings(measured) == plain


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"bundles": ()}, UsageError, "at least one bundle"),
        ({"bundles": ("nobody",)}, BundleNotFound, "no bundle 'nobody'"),
        ({"bundles": ("mesoscope-face", "mesoscope-face-2")}, UsageError, "the same bundle was named before"),
        ({"max_fpr": 0.03}, UsageError, "no threshold for a false-positive budget of 0.03"),
        ({"tiers": ("webb",)}, UsageError, "there is none of that name"),
        ({"faces": ("eyes",)}, UsageError, "there is no such face finder; there are dlib, yunet, none"),
        ({"face_models": (Path("x.onnx"),)}, UsageError, "no face finder that takes a model file"),
        ({"faces": ("yunet",), "face_models": (Path("x.onnx"),)}, UsageError, "there is no file x.onnx"),
        ({"engine": "steam"}, UsageError, "no such engine"),
        ({"allow_leaks": ("copies",)}, UsageError, "there is no such leak"),
        ({"manifests": ()}, UsageError, "at least one manifest"),
        ({"roots": (Path("nowhere"),)}, ManifestError, "which is no directory"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(written, rows, changes, error, message) -> None:
    with pytest.raises(error, match=message):
        prepare(ask(written(rows), **changes) if "manifests" not in changes else ask(**changes))


def test_the_same_rows_twice_are_refused(written, rows) -> None:
    path = written(rows)
    with pytest.raises(UsageError, match="the same rows were named before"):
        prepare(ask(path, path))
    assert len(prepare(ask(path, path, splits=("test", "validation"))).wanted) == 2


def test_a_budget_needs_a_calibration(written, rows, bundle_copy) -> None:
    import json

    contract = bundle_copy / "bundle.json"
    said = json.loads(contract.read_text())
    contract.write_text(json.dumps({**said, "calibration": None, "thresholds": None, "band": None}))
    with pytest.raises(NotCalibrated):
        prepare(ask(written(rows), bundles=(str(bundle_copy),), max_fpr=0.01))
