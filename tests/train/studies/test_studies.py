"""Every study's plan hangs together; claims are looked up where they stand; the page says what was not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.errors import UsageError
from mesoscope_train.studies import Inputs, Record, find_sources, studies
from mesoscope_train.studies.content import Ran, command_of, page_of
from mesoscope_train.studies.measured import measure
from mesoscope_train.studies.plan import Claim, Looked
from mesoscope_train.studies.writing import write_study

NAMES = ("mesonet-visual", "gan-faces", "mesoinception-svm", "photo-vs-ai", "dfdc-transfer")


@pytest.fixture
def data(tmp_path) -> Path:
    """Every folder that any study reads, empty but for the names that tell it."""
    root = tmp_path / "data"
    for name in studies:
        for source in studies[name].sources:
            for held in source.holds:
                place = root / source.folder / held
                if place.suffix:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.touch()
                else:
                    place.mkdir(parents=True, exist_ok=True)
    return root


def without(data: Path, study: str, *roles: str) -> dict[str, Path]:
    found, _missing = find_sources(studies[study], data)
    return {role: folder for role, folder in found.items() if role not in roles}


def test_the_five_are_there():
    assert sorted(studies, key=lambda name: studies[name].number) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("optional", [True, False])
def test_a_plan_hangs_together(name, fast, optional, data):
    study = studies[name]
    optional_roles = () if optional else tuple(source.role for source in study.sources if not source.required)
    inputs = Inputs(data.resolve(), without(data, name, *optional_roles), fast)
    steps = study.plan(inputs)
    names = [step.name for step in steps]
    assert len(set(names)) == len(names)
    for number, step in enumerate(steps):
        assert set(step.needs) <= set(names[:number]), f"{step.name} needs what comes later"
        assert step.makes
        assert not any(Path(made).is_absolute() for made in step.makes)
    evaluations = {step.name for step in steps if step.command[0] == "evaluate"}
    for claim in study.claims(inputs):
        assert claim.measured is None or claim.measured.step in evaluations
        assert claim.why
    for exhibit in study.exhibits(inputs):
        assert exhibit.step in names
    training = [step for step in steps if step.command[0] == "train"]
    assert training
    assert all(("--fast" in step.command) == fast for step in training)


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_and_option_of_a_plan_exists(name, data):
    from mesoscope_train.recipes import recipe_named, settings_from

    for step in studies[name].plan(Inputs(data.resolve(), without(data, name))):
        if step.command[0] == "train":
            words = list(step.command)
            settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
            settings_from(recipe_named(words[words.index("--recipe") + 1]), None, settings)


def test_imagenet_rows_are_run_where_they_may_be(data):
    found = without(data, "gan-faces")
    blocked = {step.name for step in studies["gan-faces"].plan(Inputs(data, found)) if step.not_here}
    assert blocked == {"train-densenet121", "train-xception", "train-resnet50"}
    steps = studies["gan-faces"].plan(Inputs(data, found, imagenet=True))
    assert not any(step.not_here for step in steps)
    (five,) = (step for step in steps if step.name == "evaluate-five")
    assert "bundles/resnet50-1" in five.command


def test_missing_and_half_missing_sources_are_named(data):
    import shutil

    shutil.rmtree(data / "dfdc-faces" / "faces_224")
    with pytest.raises(UsageError, match="dfdc-faces lacks faces_224"):
        find_sources(studies["dfdc-transfer"], data)
    shutil.rmtree(data / "mesonet-weights")
    found, missing = find_sources(studies["mesonet-visual"], data)
    assert "weights" not in found
    assert [source.role for source in missing] == ["weights"]
    with pytest.raises(UsageError, match="there is no directory"):
        find_sources(studies["dfdc-transfer"], data / "nowhere")


LOOKED = Looked("evaluate-x", "e/metrics.json", "mine", "faces", "auc")
CLAIM = Claim("AUC", "0.9", LOOKED, "other data")


def metrics(tmp_path: Path, value: object) -> None:
    """A metrics.json with one reading."""
    reading = {
        "bundle": "mine-1", "manifest": "faces", "tier": "clean", "unit": "picture", "threshold": 0.5, "lower": 0.5,
        "counts": {"real": 5, "fake": 5, "answered_real": 5, "answered_fake": 5, "groups": 4},
        "metrics": {"auc": value}, "confusion": {"absent": "not asked for"},
    }  # fmt: skip
    whole = {
        "provenance": {"mesoscope": "1", "scored_by": "1", "command": "c", "date": "d"}, "settings": {},
        **{name: [] for name in ("bundles", "manifests", "tiers", "warnings", "slice_columns", "gaps")},
        "comparisons": [], "falls": [], "readings": [reading],
    }  # fmt: skip
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "metrics.json").write_text(json.dumps(whole))


def test_a_claim_is_looked_up_with_its_interval(tmp_path):
    metrics(tmp_path, {"value": 0.8, "low": 0.7, "high": 0.9, "n": 10, "n_groups": 4})
    row = measure(CLAIM, {"evaluate-x": Record("evaluate-x", "done")}, tmp_path)
    assert (row.value, row.low, row.high, row.n, row.n_groups) == (0.8, 0.7, 0.9, 10, 4)
    assert row.answer == "0.800 (0.700–0.900), 10 pictures in 4 groups"
    other = Claim("AUC", "0.9", Looked("evaluate-x", "e/metrics.json", "theirs", "faces", "auc"), "other data")
    assert "theirs was not evaluated" in measure(other, {"evaluate-x": Record("evaluate-x", "kept")}, tmp_path).answer


def test_what_could_not_be_measured_is_a_reason_and_no_number(tmp_path):
    metrics(tmp_path, {"absent": "one class only"})
    row = measure(CLAIM, {"evaluate-x": Record("evaluate-x", "done")}, tmp_path)
    assert (row.value, row.answer) == (None, "one class only")
    skipped = {"evaluate-x": Record("evaluate-x", "skipped", reason="it needs export-mine")}
    assert measure(CLAIM, skipped, tmp_path).answer == "not run here: it needs export-mine"
    (tmp_path / "e" / "metrics.json").write_text("{")
    assert "cannot be read" in measure(CLAIM, {"evaluate-x": Record("evaluate-x", "done")}, tmp_path).answer


def test_the_page_says_what_was_not_run_and_how_to_run_it(data, tmp_path):
    study, out = studies["dfdc-transfer"], tmp_path / "out"
    out.mkdir()
    inputs = Inputs(data.resolve(), without(data, "dfdc-transfer"), fast=True)
    steps = study.plan(inputs)
    records = {step.name: Record(step.name, "skipped", reason="it needs import-dfdc") for step in steps}
    records[steps[0].name] = Record(steps[0].name, "failed", reason="no room <left>")
    ran = Ran(study, inputs, steps, records, (), out)
    page = page_of(ran)
    assert [box.level for box in page.boxes] == ["warning", "leak"]
    assert len(page.not_run.rows) == len(steps)
    assert all(row.value is None for row in page.claims)
    html, pdf, facts = write_study(ran)
    text = html.read_text(encoding="utf-8")
    assert "A smoke test" in text
    assert "no room &lt;left&gt;" in text
    assert str(inputs.data) not in text
    assert command_of(steps[0], inputs) == f"mesoscope {' '.join(steps[0].command)}".replace(str(inputs.data), "DATA")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert json.loads(facts.read_text(encoding="utf-8"))["smoke_test"] is True
