"""A run whose recipe has an SVM: network, machine, bundle; and a network that is kept as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from safetensors.torch import load_file  # noqa: E402

from mesoscope.engine import Judge, engines  # noqa: E402
from mesoscope.errors import UsageError  # noqa: E402
from mesoscope.manifest import read_manifest, write_manifest  # noqa: E402
from mesoscope.preprocess import to_batch  # noqa: E402
from mesoscope_train.detectors import build_detector, parse_architecture  # noqa: E402
from mesoscope_train.detectors.base import autograd_map  # noqa: E402
from mesoscope_train.errors import ExportError, WeightsError  # noqa: E402
from mesoscope_train.export import load_module  # noqa: E402
from mesoscope_train.recipes import recipe_named, settings_from  # noqa: E402
from mesoscope_train.svm.reference import write_reference  # noqa: E402
from mesoscope_train.svm.step import reference_of  # noqa: E402
from mesoscope_train.training import session  # noqa: E402
from mesoscope_train.training.exporting import export_run  # noqa: E402
from mesoscope_train.training.pixels import decoded  # noqa: E402
from mesoscope_train.training.run import Run  # noqa: E402

SMALL = ["loop.batch_size=8", "loop.accelerator=cpu", "data.workers=0", "model.size=64", "stages.0.epochs=1"]
SMALL += ["model.detector=cnn-small", "svm.c=[1.0, 10.0]", "svm.gamma=[0.3, 1.0]", "svm.folds=3"]


def recipe(manifest: Path, *settings: str):
    named = recipe_named("mesoinception-svm")
    return settings_from(named, None, [*SMALL, f"data.manifests=['{manifest}']", *settings])


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def run(tiny_manifest, tmp_path_factory) -> Run:
    return session.start(recipe(tiny_manifest), tmp_path_factory.mktemp("runs") / "svm")


@pytest.fixture(scope="module")
def bundle(run, tmp_path_factory):
    return export_run(run, tmp_path_factory.mktemp("bundles"), name="svm")


def test_the_machine_is_of_the_training_part_alone(run):
    facts = run.facts("svm")
    assert (facts["kind"], facts["rows"], facts["groups"]) == ("exact", 32, 16)
    assert len(facts["tried"]) == 4
    assert facts["best"] in facts["tried"]
    assert run.facts("result")["svm"] == facts["validation"]["svm"]
    validation = read_manifest(run.manifest_file)
    wanted = {
        path for path, split in zip(validation.values("path"), validation.values("split"), strict=True)
        if split == "validation"
    }  # fmt: skip
    assert set(reference_of(run)) == wanted


def test_both_engines_say_what_scikit_learn_said(run, bundle):
    manifest, spec = read_manifest(run.manifest_file), bundle.contract.preprocess
    known = reference_of(run)
    inputs = to_batch([decoded(manifest.file(path)) for path in known], spec)
    expected = np.array(list(known.values()))
    assert np.ptp(expected) > 0.1
    for engine in engines:
        logits, _ = Judge.open(bundle, engine)(inputs)
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)


def test_the_bundle_is_built_again_without_a_pickle(run, bundle):
    vectors = run.facts("svm")["vectors"]
    assert bundle.contract.architecture == f"cnn-small:svm={vectors}"
    state = load_file(bundle.path / "weights.safetensors")
    assert state["svm.vectors"].shape == (vectors, 128)
    module = load_module(bundle)
    manifest, known = read_manifest(run.manifest_file), reference_of(run)
    inputs = torch.from_numpy(to_batch([decoded(manifest.file(path)) for path in known], bundle.contract.preprocess))
    with torch.no_grad():
        torch.testing.assert_close(
            module(inputs).double(), torch.tensor(list(known.values()), dtype=torch.double), rtol=0, atol=1e-4
        )


def test_the_map_is_the_gradient_of_the_decision_function(bundle):
    module = load_module(bundle)
    inputs = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = autograd_map(module, "relu", inputs).numpy()
    assert np.abs(expected).max() > 0
    _, maps = Judge.open(bundle)(inputs.numpy())
    np.testing.assert_allclose(maps, expected, rtol=0, atol=1e-3 * np.abs(expected).max())
    module.svm = None
    plain = autograd_map(module, "relu", inputs).numpy()
    assert not np.allclose(plain / np.abs(plain).max(), expected / np.abs(expected).max(), atol=1e-2), (
        "the output layer's map is another one"
    )


def test_the_card_says_what_stands_in_the_graph(bundle):
    assert "support vector machine" in bundle.card
    assert "It is exact, with" in bundle.card


def test_a_graph_that_differs_from_scikit_learn_is_not_written(run, tmp_path, monkeypatch):
    known = reference_of(run)
    shifted = tmp_path / "shifted.parquet"
    write_reference(shifted, list(known), np.array(list(known.values())) + 2e-4)
    from mesoscope_train.svm.reference import read_reference

    monkeypatch.setattr("mesoscope_train.training.exporting.reference_of", lambda _run: read_reference(shifted))
    with pytest.raises(ExportError, match=r"its logits differ by 0\.0002"):
        export_run(run, tmp_path, name="svm")
    assert not (tmp_path / "svm-1").exists()


def test_a_network_that_is_given_is_kept(run, tiny_manifest, tmp_path):
    again = session.start(recipe(tiny_manifest, f"model.weights={run.path}"), tmp_path / "again")
    assert not any(again.stages_directory.iterdir()), "no stage ran"
    assert again.facts("result")["epoch"] == 0
    assert again.facts("svm") == run.facts("svm")
    for file in ("model.safetensors", "svm.safetensors"):
        assert (again.path / file).read_bytes() == (run.path / file).read_bytes(), file
    card = export_run(again, tmp_path, name="kept").card
    assert "The network was kept as its first weights are" in card


def test_a_bundle_with_an_svm_gives_its_network_again(bundle, run, tiny_manifest, tmp_path):
    settings = recipe(tiny_manifest, f"model.weights={bundle.path}", "svm.exact_rows=10", "svm.landmarks=20")
    again = session.start(settings, tmp_path / "again")
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    assert again.facts("svm")["kind"] == "nystroem"
    assert again.facts("svm")["vectors"] == 20
    assert "approximated (Nystroem) by 20 landmarks" in export_run(again, tmp_path, name="near").card


def test_it_is_trained_where_that_is_asked_for(run, tiny_manifest, tmp_path):
    settings = recipe(tiny_manifest, f"model.weights={run.path}", "svm.network=train")
    assert session.start(settings, tmp_path / "on").facts("result")["epoch"] == 1


def test_what_makes_no_run_is_said_before_anything_is_trained(tiny_manifest, tmp_path):
    with pytest.raises(UsageError, match=r"svm\.network: keep needs the weights of a whole network"):
        session.start(recipe(tiny_manifest, "svm.network=keep"), tmp_path / "a")
    with pytest.raises(UsageError, match="an SVM is fitted, not trained"):
        session.start(recipe(tiny_manifest, "model.detector=cnn-small:svm=5"), tmp_path / "b")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_a_class_of_one_group_is_said(tiny_manifest, tmp_path):
    manifest = read_manifest(tiny_manifest)
    fakes = np.array([label == "fake" for label in manifest.values("label")])
    first = np.array([split == "train" for split in manifest.values("split")]) & fakes
    few = manifest.take(~first | (np.cumsum(first) == 1))
    path = tiny_manifest.parent / "few.parquet"
    write_manifest(few, path)
    with pytest.raises(UsageError, match="all fake training pictures are one group"):
        session.start(recipe(path), tmp_path / "few")


def test_a_damaged_machine_is_said(run, tmp_path):
    import shutil

    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")))
    (copy.path / "svm.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"svm\.safetensors is not the SVM of a run"):
        export_run(copy, tmp_path, name="x")
    shutil.copy(run.path / "svm.safetensors", copy.path)
    (copy.path / "svm-validation.parquet").unlink()
    with pytest.raises(UsageError, match="train the run's SVM again"):
        export_run(copy, tmp_path, name="x")


@pytest.mark.parametrize("options", ["svm=0", "svm=some", "svm=3,svm=4", "svm=-1"])
def test_a_number_of_vectors_that_is_none_is_refused(options):
    with pytest.raises(UsageError, match="number of a support vector machine's vectors"):
        parse_architecture(f"cnn-small:{options}")


@pytest.mark.parametrize("text", ["meso4:svm=3", "cnn-small:head_units=16,svm=5", "cnn-1:size=32,svm=2"])
def test_every_detector_takes_an_svm(text):
    assert str(parse_architecture(text)) == text
    module = build_detector(text).eval()
    size = parse_architecture(text).preprocess.size
    random = torch.Generator().manual_seed(0)
    batch = torch.rand(2, 3, size, size, generator=random)
    with torch.no_grad():
        features = module.features(batch)
        module.svm.mean.copy_(features.mean(0))
        module.svm.vectors.normal_(generator=random)
        module.svm.coefficients.normal_(generator=random)
        module.svm.gamma.fill_(0.5 / features.shape[1])
        logits, maps = module.forward_with_map(batch)
    torch.testing.assert_close(module(batch), logits)
    expected = autograd_map(module, parse_architecture(text).map_layer, batch)
    torch.testing.assert_close(maps, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    if "size" in text:
        assert str(parse_architecture(text).at_size(48)[0]) == "cnn-1:size=48,svm=2"
