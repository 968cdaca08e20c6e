"""``mesoscope calibrate``, from an imported bundle without calibration to `detect --max-fpr`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from PIL import Image

from mesoscope.bundle import CONTRACT_FILE, BundleContract, TrainingData, load_bundle, read_bundle
from mesoscope.calibrate import verdict_for
from mesoscope.cli import application
from mesoscope.engine import Judge
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest
from mesoscope.media import open_picture
from mesoscope.preprocess import to_batch

SIZE = 40
PICTURES = 60


@pytest.fixture(scope="module")
def bundle(bundle_of):
    """Without calibration, thresholds or band, as an import leaves it; small pictures are no hindrance."""
    return bundle_of("meso4")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, bundle) -> Path:
    """Sixty single pictures, called fake where the bundle scores them high, but for every sixth."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        side = 4 * 2 ** (number % 4)
        noise = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
        noise.resize((64, 64), Image.Resampling.BICUBIC).save(root / f"{number:02}.png")
    crops = [open_picture(root / f"{number:02}.png").pixels for number in range(PICTURES)]
    logits = Judge.open(bundle)(to_batch(crops, bundle.contract.preprocess))[0]
    (root / "logits.json").write_text(json.dumps(logits.tolist()))
    return root


def labels_of(pictures: Path) -> list[str]:
    logits = np.array(json.loads((pictures / "logits.json").read_text()))
    fake = logits > np.median(logits)
    fake[::6] ^= True
    return ["fake" if one else "real" for one in fake]


def written(
    pictures: Path, path: Path, *, dataset: str = "noise", per_group: int = 1, split: str | None = "validation"
) -> Path:
    builder = ManifestBuilder(pictures)
    for number, label in enumerate(labels_of(pictures)):
        group = f"{label}-{number // (2 * per_group)}"
        builder.add(Row(path=f"{number:02}.png", label=label, group=group, dataset=dataset, split=split))
    write_manifest(builder.build("made by hand"), path)
    return path


@pytest.fixture
def manifest(pictures, tmp_path) -> Path:
    return written(pictures, tmp_path / "m.parquet")


def run(*arguments: object):
    return CliRunner().invoke(application(), [str(argument) for argument in arguments])


def calibrated(bundle, manifest, out, *more):
    return run("calibrate", "--bundle", bundle.path, "--manifest", manifest, "--out", out, *more)


def copy_with(bundle, place: Path, **changes) -> BundleContract:
    """A copy of the bundle with another contract."""
    import shutil

    path = Path(shutil.copytree(bundle.path, place / bundle.path.name))
    contract = bundle.contract.model_copy(update=changes)
    (path / CONTRACT_FILE).write_text(contract.model_dump_json())
    return read_bundle(path)


def test_from_no_calibration_to_a_budget_in_detect(bundle, manifest, pictures, tmp_path):
    with_limit = copy_with(
        bundle, tmp_path, limits=["It knows noise.", "Not calibrated: its number is no probability."]
    )
    refused = run("detect", pictures / "00.png", "--bundle", with_limit.path, "--faces", "none", "--max-fpr", "0.05")
    assert refused.exit_code == 2
    done = calibrated(with_limit, manifest, tmp_path / "out")
    assert done.exit_code == 0, done.output
    made = load_bundle(str(tmp_path / "out" / "test-meso4-2"))
    answer = run(
        "detect", pictures / "00.png", "--bundle", made.path, "--faces", "none", "--max-fpr", "0.05", "--json"
    )
    assert answer.exit_code == 0, answer.output
    assert "uncalibrated" not in answer.output
    thresholds = made.contract.thresholds
    assert thresholds.n_real_groups >= 20
    assert thresholds.manifest_sha256 == read_manifest(manifest).digest()
    assert thresholds.chosen_on == "validation groups of noise, each group weighing the same"
    assert not any(limit.startswith("Not calibrated") for limit in made.contract.limits)
    assert made.contract.limits[0] == "It knows noise."
    # the promise, on the very pictures: a share of one group less than the budget allows
    logits = np.array(json.loads((pictures / "logits.json").read_text()))
    real = np.array(labels_of(pictures)) == "real"
    verdict = verdict_for(made.contract, 0.1)
    called = np.array([verdict.probability(logit) >= verdict.threshold for logit in logits])
    assert called[real].mean() <= 0.1


def test_the_original_stays_and_the_graph_is_the_same(bundle, manifest, tmp_path):
    before = bundle.sha256
    assert calibrated(bundle, manifest, tmp_path).exit_code == 0
    made = load_bundle(str(tmp_path / "test-meso4-2"))
    assert read_bundle(bundle.path).sha256 == before
    assert made.graph.read_bytes() == bundle.graph.read_bytes()
    assert made.contract.preprocess == bundle.contract.preprocess


def test_the_card_says_what_was_chosen_and_on_what(bundle, manifest, tmp_path):
    done = calibrated(bundle, manifest, tmp_path)
    card = load_bundle(str(tmp_path / "test-meso4-2")).card
    for words in ("## Calibration", read_manifest(manifest).digest(), "| `--max-fpr`", "| before |", "| after |",
                  "log-loss, held-out groups"):  # fmt: skip
        assert words in card
    assert card.count("## Calibration") == 1
    assert "taken: " in done.output
    assert "smallest log-loss" in done.output
    again = calibrated(load_bundle(str(tmp_path / "test-meso4-2")), manifest, tmp_path)
    assert again.exit_code == 0, again.output
    assert load_bundle(str(tmp_path / "test-meso4-3")).card.count("## Calibration") == 1


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_each_method_can_be_asked_for(bundle, manifest, tmp_path, method):
    done = calibrated(bundle, manifest, tmp_path, "--method", method, "--version", "7.1", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    made = load_bundle(str(tmp_path / "test-meso4-7.1"))
    assert made.contract.calibration.method == said["calibration"]["method"] == method
    assert {one["method"] for one in said["methods"]} == {"unchanged", "temperature", "platt", "isotonic"}


def test_a_picture_that_cannot_be_read_takes_no_part_and_is_told(bundle, pictures, tmp_path):
    manifest = read_manifest(written(pictures, tmp_path / "m.parquet"))
    paths = manifest.values("path")
    gone = manifest.with_column("path", ["gone.png", *paths[1:]])
    write_manifest(gone, tmp_path / "gone.parquet")
    done = calibrated(bundle, tmp_path / "gone.parquet", tmp_path)
    assert done.exit_code == 0, done.output
    assert "1 of its rows ended as error and took no part" in done.stderr
    assert "1 rows without a score took no part" in load_bundle(str(tmp_path / "test-meso4-2")).card


def test_what_the_sample_is_too_small_for_is_told(bundle, pictures, tmp_path):
    done = calibrated(bundle, written(pictures, tmp_path / "m.parquet", per_group=3), tmp_path)
    assert done.exit_code == 0, done.output
    assert "groups of real pictures are too few for a budget of 0.01, 0.02, 0.05" in done.stderr
    refused = run(
        "detect", pictures / "00.png", "-b", tmp_path / "test-meso4-2", "--faces", "none", "--max-fpr", "0.01"
    )
    assert refused.exit_code == 2
    assert "cannot promise a false-positive budget of 0.01" in refused.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--split", "test"], "nothing is chosen on a test part"),
        (["--split", "validation,test"], "nothing is chosen on a test part"),
        (["--split", "dev"], "name validation, or train"),
        (["--split", "train"], "no row in its train part"),
        (["--method", "beta"], "--method beta"),
        (["--version", "2-beta"], "is no version"),
        (["--faces", "nobody"], "nobody"),
        (["--face-model", "x.onnx"], "name the finder with --faces"),
    ],
)
def test_wrong_usage_is_refused_with_a_sentence(bundle, manifest, tmp_path, more, says):
    done = calibrated(bundle, manifest, tmp_path / "out", *more)
    assert done.exit_code == 2
    assert says in done.stderr
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_place_that_is_taken_is_refused_before_the_work(bundle, manifest, tmp_path):
    (tmp_path / "test-meso4-2").mkdir()
    done = calibrated(bundle, manifest, tmp_path)
    assert done.exit_code == 2
    assert "already there" in done.stderr
    assert "judging" not in done.stderr


def trained_on(name: str, digest: str | None) -> list[TrainingData]:
    return [TrainingData(name=name, terms="none", n_real=1, n_fake=1, manifest_sha256=digest)]


def test_training_rows_are_refused_and_validation_rows_of_the_same_manifest_are_not(bundle, pictures, tmp_path):
    train = written(pictures, tmp_path / "train.parquet", split="train")
    own = copy_with(bundle, tmp_path, training_data=trained_on("noise", read_manifest(train).digest()))
    done = calibrated(own, train, tmp_path, "--split", "train", "--unseen")
    assert done.exit_code == 2
    assert "trained on the train part of this very manifest" in done.stderr
    validation = written(pictures, tmp_path / "validation.parquet")
    again = copy_with(bundle, tmp_path / "b", training_data=trained_on("noise", read_manifest(validation).digest()))
    assert calibrated(again, validation, tmp_path).exit_code == 0


def test_rows_that_may_have_been_trained_on_need_somebodys_word(bundle, manifest, tmp_path):
    other = copy_with(bundle, tmp_path, training_data=trained_on("noise", "0" * 64))
    done = calibrated(other, manifest, tmp_path)
    assert done.exit_code == 2
    assert "was trained on rows of noise" in done.stderr
    vouched = calibrated(other, manifest, tmp_path, "--unseen")
    assert vouched.exit_code == 0, vouched.output
    assert "--unseen" in load_bundle(str(tmp_path / "test-meso4-2")).card


def test_one_class_few_groups_and_no_split_are_refused(bundle, pictures, tmp_path):
    manifest = read_manifest(written(pictures, tmp_path / "m.parquet"))
    fakes = np.array([label == "fake" for label in manifest.values("label")])
    write_manifest(manifest.take(fakes), tmp_path / "fakes.parquet")
    assert "are fake" in calibrated(bundle, tmp_path / "fakes.parquet", tmp_path).stderr
    written(pictures, tmp_path / "few.parquet", per_group=15)
    assert "too few" in calibrated(bundle, tmp_path / "few.parquet", tmp_path).stderr
    written(pictures, tmp_path / "none.parquet", split=None)
    done = calibrated(bundle, tmp_path / "none.parquet", tmp_path)
    assert "has no split" in done.stderr
    assert done.exit_code == 2
