"""A run from manifest to bundle: what stops it before it begins, what it keeps, what `detect` makes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from PIL import Image  # noqa: E402

from mesoscope import Detector  # noqa: E402
from mesoscope.bundle import load_bundle  # noqa: E402
from mesoscope.cli import application  # noqa: E402
from mesoscope.errors import ManifestError, UsageError  # noqa: E402
from mesoscope.manifest import read_manifest, write_manifest  # noqa: E402
from mesoscope_train.errors import LeakError  # noqa: E402
from mesoscope_train.recipes import recipe_named, settings_from, smoke_test  # noqa: E402
from mesoscope_train.training import session  # noqa: E402
from mesoscope_train.training.exporting import export_run  # noqa: E402
from mesoscope_train.training.run import Run  # noqa: E402

SMALL = ["loop.batch_size=8", "loop.accelerator=cpu", "data.workers=0", "model.size=64", "model.train_size=64"]
SMALL += ["loop.precision=32-true", "loop.ema=0.9"]


def recipe(manifest: Path, *settings: str):
    base = recipe_named("dfdc-transfer:slim-resnet")
    return smoke_test(settings_from(base, None, [*SMALL, f"data.manifests=['{manifest}']", *settings]))


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def run(tiny_manifest, tmp_path_factory) -> Run:
    """A finished smoke test."""
    out = tmp_path_factory.mktemp("runs") / "first"
    return session.start(recipe(tiny_manifest), out, command="mesoscope train --fast")


@pytest.fixture
def changed(tiny_manifest, tmp_path):
    """The tiny manifest after a change, in a place of its own."""

    def make(change) -> Path:
        root = shutil.copytree(tiny_manifest.parent, tmp_path / "tiny", ignore=shutil.ignore_patterns(".mesoscope"))
        path = root / "changed.parquet"
        write_manifest(change(read_manifest(root / "tiny.parquet"), root), path)
        return path

    return make


def test_what_a_run_keeps(run, tiny_manifest):
    for file in ("recipe.yaml", "manifest.parquet", "data.json", "environment.json", "history.csv", "curves.png"):
        assert (run.path / file).is_file(), file
    data = run.facts("data")
    assert data["train"] == {"real": 16, "fake": 16, "groups": 16}
    assert data["validation"] == {"real": 8, "fake": 8, "groups": 8}
    assert data["manifest_sha256"] == read_manifest(tiny_manifest).digest()
    assert data["first_weights"]["source"] == "none"
    assert data["leaks"] == []
    result = run.facts("result")
    assert result["smoke_test"] is True
    assert result["parameters"] > 100_000
    assert [told["command"] for told in run.facts("environment")["sessions"]] == ["mesoscope train --fast"]


def test_nobody_advertises(tiny_manifest, tmp_path, caplog, capfd):
    session.start(recipe(tiny_manifest), tmp_path / "run")
    said = "".join(capfd.readouterr()) + caplog.text
    assert "LitLogger" not in said
    assert "TPU" not in said


def test_a_finished_run_stays_as_it_is(run):
    before = run.weights_file.stat().st_mtime_ns
    assert session.resume(run.path).facts("result") == run.facts("result")
    assert run.weights_file.stat().st_mtime_ns == before


def test_from_run_to_bundle_to_an_answer(run, tmp_path, portrait):
    done = CliRunner().invoke(
        application(),
        ["bundle", "export", str(run.path), "--out", str(tmp_path), "--name", "tiny", "--terms", "tiny=CC0"],
    )
    assert done.exit_code == 0, done.output
    bundle = load_bundle(str(tmp_path / "tiny-1"))
    contract = bundle.contract
    assert contract.architecture == "slim-resnet"
    assert contract.calibration is not None
    assert contract.training_data[0].terms == "CC0"
    assert (contract.training_data[0].n_real, contract.training_data[0].n_fake) == (16, 16)
    assert contract.parity.inputs == 16
    assert "smoke test" in contract.limits[0]
    card = (bundle.path / "card.md").read_text()
    assert "mesoscope train --fast" in card
    assert "| validation | 8 | 8 | 8 |" in card
    assert "| tiny | 16 | 16 | CC0 |" in card
    answer = Detector.load(bundle.path, faces="none").detect(portrait)
    assert 0 <= answer.probability <= 1


def test_terms_of_sets_that_took_no_part_are_refused(run, tmp_path):
    done = CliRunner().invoke(
        application(), ["bundle", "export", str(run.path), "--out", str(tmp_path), "--terms", "other=CC0"]
    )
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 2


def test_a_copied_run_is_exported_with_the_root_of_its_pictures(run, tiny_manifest, tmp_path):
    far = tmp_path / "far" / "away"
    copy = Run(shutil.copytree(run.path, far / "copy"))
    with pytest.raises(ManifestError, match="name the right one with --root"):
        export_run(copy, tmp_path, name="copy")
    root = read_manifest(tiny_manifest).root
    done = CliRunner().invoke(
        application(), ["bundle", "export", str(copy.path), "--out", str(tmp_path), "--root", str(root)]
    )
    assert done.exit_code == 0, done.output
    assert load_bundle(str(tmp_path / "copy-1")).contract.training_data[0].name == "tiny"


def test_a_run_goes_on_from_an_earlier_one(run, tiny_manifest, tmp_path):
    """Fakes that were collected later: the second run starts with the first one's weights, its head among them."""
    second = session.start(recipe(tiny_manifest, f"model.weights='{run.path}'"), tmp_path / "second")
    first = second.facts("data")["first_weights"]
    assert first["source"] == "run first"
    assert first["loaded"] > 0
    assert first["head"] != "fresh"


def test_a_frozen_backbone_learns_nothing(run, tiny_manifest, tmp_path):
    from safetensors.torch import load_file

    stages = "stages=[{name: head, epochs: 1, train: head}]"
    frozen = session.start(
        recipe(tiny_manifest, f"model.weights='{run.path}'", stages, "loop.ema=null"), tmp_path / "h"
    )
    before, after = load_file(run.weights_file), load_file(frozen.weights_file)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("output_head") for name in changed), "BatchNorm's statistics among the rest"


def test_an_unreadable_row_is_left_out_and_said(changed, tmp_path):
    def spoil(manifest, root):
        (root / "03.png").write_bytes(b"no picture")
        return manifest

    run = session.start(recipe(changed(spoil)), tmp_path / "run")
    data = run.facts("data")
    assert data["unreadable_rows"] == ["03.png"]
    assert data["train"]["fake"] == 15
    assert not any("cannot be read" in warning for warning in data["warnings"]), "what took no part is no fault"


def test_a_leak_stops_before_anything_is_trained_unless_it_is_named(changed, tmp_path):
    def leak(manifest, root):
        groups = manifest.values("group")
        return manifest.with_column("group", [*groups[:-1], groups[0]])

    path = changed(leak)
    with pytest.raises(LeakError, match="--allow-leak group"):
        session.start(recipe(path), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    run = session.start(recipe(path), tmp_path / "allowed", allow_leaks=["group"])
    assert run.facts("data")["allowed_leaks"] == ["group"]
    assert run.facts("data")["leaks"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest, root: manifest.take([row for row in range(48) if row % 2]), "both classes are needed"),
        (lambda manifest, root: manifest.with_column("split", [None] * 48), "has no split"),
        (lambda manifest, root: manifest.with_column("split", ["train"] * 48), "no readable row in its validation"),
    ],
)
def test_manifests_that_make_no_run(changed, tmp_path, change, message):
    with pytest.raises(UsageError, match=message):
        session.start(recipe(changed(change)), tmp_path / "run")


def test_folds(changed, tmp_path):
    path = changed(lambda manifest, root: manifest.with_column("fold", [row // 2 % 3 for row in range(48)]))
    run = session.start(recipe(path, "data.fold=1"), tmp_path / "run")
    assert run.facts("data")["validation"]["groups"] == 8
    with pytest.raises(UsageError, match="has no fold 7"):
        session.start(recipe(path, "data.fold=7"), tmp_path / "other")


def test_no_manifest_and_weights_of_another_network(tiny_manifest, tmp_path, run):
    with pytest.raises(UsageError, match="no manifest"):
        session.start(recipe_named("mesonet-visual"), tmp_path / "a")
    other = settings_from(
        recipe_named("mesonet-visual"), None, [f"data.manifests=['{tiny_manifest}']", f"model.weights='{run.path}'"]
    )
    with pytest.raises(UsageError, match="is of another architecture"):
        session.start(other, tmp_path / "b")
    assert not (tmp_path / "b").exists(), "what did not begin leaves nothing behind"


def test_the_command_shows_lists_and_refuses(tiny_manifest, tmp_path):
    def invoke(*arguments: str):
        return CliRunner().invoke(application(), ["train", *arguments])

    listed = invoke("--list")
    assert listed.exit_code == 0
    assert "gan-faces" in listed.output
    shown = invoke("--recipe", "photo-vs-ai", "--show", "--epochs", "3", "--batch-size", "8")
    assert "epochs: 3" in shown.output
    assert "batch_size: 8" in shown.output
    assert invoke().exit_code == 2
    assert invoke("--recipe", "mesonet-visual", "--manifest", str(tiny_manifest)).exit_code == 2
    assert invoke("--resume", str(tmp_path), "--out", "x").exit_code == 2
    assert invoke("--recipe", "mesonet-visual", "--set", "loop.batchsize=3", "--show").exit_code == 2


def test_compare_prints_what_the_runs_wrote(run, tmp_path):
    figure = tmp_path / "five.png"
    done = CliRunner().invoke(application(), ["compare", str(run.path), "--json", "--figure", str(figure)])
    assert done.exit_code == 0, done.output
    line = json.loads(done.stdout)[0]
    assert line["val_auc"] == run.facts("result")["val_auc"]
    assert line["smoke_test"] is True
    assert Image.open(figure).size[0] > 500


BLENDED = ["blend={}", "data.pairs=false", "loop.ema=null"]


@pytest.mark.parametrize("columns", [70, 200])
def test_no_figure_is_cut_in_a_narrow_terminal(run, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    said = CliRunner().invoke(application(), ["compare", str(run.path)]).stdout
    result = run.facts("result")
    for figure in (f"{result['val_loss']:.4f}", f"{result['val_auc']:.4f}", f"{result['parameters']:,}"):
        assert figure in said
    assert "…" not in said


def test_real_faces_alone_train_by_blending(changed, tmp_path, capsys):
    def only_real(manifest, root):
        return manifest.take([row for row in range(48) if row % 2 == 0])

    run = session.start(recipe(changed(only_real), *BLENDED), tmp_path / "run")
    assert "its own fakes are left out; the validation part has no fakes" in capsys.readouterr().err
    data = run.facts("data")
    assert data["train"] == {"real": 16, "fake": 0, "groups": 16}
    assert data["self_blended"] == {"train": {"crop": 16}, "validation": {"crop": 8}}
    assert not any("one class" in warning for warning in data["warnings"])
    assert 0 <= run.facts("result")["val_auc"] <= 1
    bundle = export_run(run, tmp_path, name="blended")
    assert (bundle.contract.calibration, bundle.contract.thresholds, bundle.contract.band) == (None, None, None)
    limits = " ".join(bundle.contract.limits)
    assert "blended of real faces" in limits
    assert "all 8 pictures with a score are real" in limits
    assert [(data.n_real, data.n_fake) for data in bundle.contract.training_data] == [(16, 0)]


def test_fakes_of_the_validation_part_are_used_where_there_are_some(changed, tmp_path):
    def no_training_fakes(manifest, root):
        return manifest.take([row for row in range(48) if row % 2 == 0 or row >= 32])

    run = session.start(recipe(changed(no_training_fakes), *BLENDED), tmp_path / "run")
    assert run.facts("data")["validation"] == {"real": 8, "fake": 8, "groups": 8}
    assert run.facts("data")["self_blended"] == {"train": {"crop": 16}}


def test_faces_without_landmarks_where_they_are_needed(tiny_manifest, tmp_path):
    settings = ["blend={needs: landmarks}", *BLENDED[1:]]
    with pytest.raises(UsageError, match="16 of 16 real faces have no landmarks"):
        session.start(recipe(tiny_manifest, *settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_blending_without_a_real_face(changed, tmp_path):
    path = changed(lambda manifest, root: manifest.take([row for row in range(48) if row % 2 or row >= 32]))
    with pytest.raises(UsageError, match="no readable row in its train part"):
        session.start(recipe(path, *BLENDED), tmp_path / "run")


def test_a_blended_picture_is_a_function_of_its_draw(tiny_manifest):
    """Whatever was asked for before, in whatever process: so a resumed run sees what an unbroken one does."""
    from mesoscope_train.augment import Flip, Jpeg
    from mesoscope_train.augment.outline import in_a_crop
    from mesoscope_train.augment.self_blend import SelfBlend
    from mesoscope_train.detectors import parse_architecture
    from mesoscope_train.training.examples import parts_of
    from mesoscope_train.training.order import EpochOrder
    from mesoscope_train.training.pictures import Pictures, Twins

    train, _ = parts_of(read_manifest(tiny_manifest), None, set(), blended=True)
    spec = parse_architecture("slim-resnet").preprocess.model_copy(update={"size": 64})

    def fresh():
        points = [in_a_crop()] * len(train)
        return Twins(train.files, spec, (Flip(), Jpeg()), blend=SelfBlend(), points=points)

    order = EpochOrder(train.fake, train.groups, batch_size=8, seed=1, twins=True)
    draws = [draw for batch in order.batches(0) for draw in batch]
    forwards, backwards = fresh(), fresh()
    seen = {draw: forwards[draw] for draw in draws}
    for draw in reversed(draws):
        pixels, label, row = backwards[draw]
        assert torch.equal(pixels, seen[draw][0])
        assert (label, row) == (float(draw.blended), draw.row) == seen[draw][1:]
    for real, fake in zip(draws[::2], draws[1::2], strict=True):
        assert not torch.equal(seen[real][0], seen[fake][0])
    plain = Pictures(train.files, train.fake, spec)
    validation = fresh()
    assert len(validation) == 2 * len(plain)
    assert torch.equal(validation[5][0], validation[5][0])
    assert [validation[number][1:] for number in (4, 5)] == [(0.0, 2), (1.0, 2)]
