"""``mesoscope understand means``, ``neurons`` and ``editing`` as they are typed, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest, write_manifest


@pytest.fixture
def run(monkeypatch):
    def typed(*words):
        monkeypatch.setattr("sys.argv", ["mesoscope", *map(str, words)])
        return CliRunner().invoke(application(), [*map(str, words)], prog_name="mesoscope")

    return typed


@pytest.fixture
def bundle(subject):
    return subject.bundle.path


def test_means(run, bundle, faces, tmp_path):
    out = tmp_path / "out"
    result = run(
        "understand", "means", "--bundle", bundle, "--manifest", faces, "--out", out, "--layers", "conv2",
        "--channels", "2", "--by", "label",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / "index.html")
    assert "12 pictures in" in result.stderr and "a second" in result.stderr
    page = (out / "index.html").read_text()
    assert "Means by label" in page and "Where the map lies" in page and "too few groups (6)" in page
    assert f"mesoscope understand means --bundle {bundle}" in page
    assert (out / "figures" / "label-fake-minus-real.png").is_file()
    numbers = json.loads((out / "means.json").read_text())
    assert numbers["aligned"] and numbers["pictures"] == 12
    assert {(cell["by"], cell["cell"]): cell["pictures"] for cell in numbers["cells"]} == {
        ("label", "real"): 6,
        ("label", "fake"): 6,
    }
    arrays = np.load(out / "means.npz")
    assert arrays["label/fake/map_mean"].shape == (28, 28)
    assert arrays["label/fake/conv2/mean"].shape == (3, 28, 28)


def test_means_that_are_not_aligned_say_so(run, bundle, faces, tmp_path):
    out = tmp_path / "out"
    result = run(
        "understand", "means", "--bundle", bundle, "--manifest", faces, "--out", out, "--maps-only",
        "--align", "none", "--by", "label", "--pictures", "6",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "not aligned" in result.stderr and "NOT aligned" in (out / "index.html").read_text()
    assert json.loads((out / "means.json").read_text())["regions"] is None


def test_editing(run, bundle, faces, tmp_path):
    out = tmp_path / "out"
    result = run("understand", "editing", "--bundle", bundle, "--manifest", faces, "--out", out)
    assert result.exit_code == 0, result.output
    numbers = json.loads((out / "editing.json").read_text())
    (found,) = numbers["bundles"]
    assert found["faces"] == 12 and found["fakes"] == 6
    verdict = found["mass"]["for fake"]["verdict"]
    assert verdict in result.stdout and verdict in (out / "index.html").read_text()
    assert found["mass"]["either way"]["density"]["left eye"]["edited"]["n"] == 5
    assert (out / "figures" / "bundles-for-fake.png").is_file()


def test_neurons(run, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("mesoscope_train.understanding.neurons.run.MOST_KERNELS", 3)
    out = tmp_path / "out"
    result = run(
        "understand", "neurons", "--bundle", bundle, "--out", out, "--layer", "conv2", "--filters", "1",
        "--neurons", "0-3", "--steps", "2",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    numbers = json.loads((out / "neurons.json").read_text())
    assert [one["unit"] for one in numbers["neurons"]] == [0, 1, 2, 3]
    assert [(one["layer"], one["unit"]) for one in numbers["filters"]] == [("conv2", 1)]
    assert {kernel["layer"] for kernel in numbers["kernels"]} == {"conv1"} and len(numbers["kernels"]) == 3
    for name in ("neurons.png", "neurons.pdf", "filters-1.png", "kernels-1-1.png"):
        assert (out / "figures" / name).is_file()
    page = (out / "index.html").read_text()
    assert "Neurons of the last hidden layer" in page and "10 times the 6-norm" in page


REFUSED = [
    (("means", "--layers", "conv9"), "the layers are, from the input: conv1, conv2"),
    (("means", "--by", "gender"), "no column 'gender'"),
    (("means", "--split", "validation"), "its splits: test, train"),
    (("means", "--maps-only", "--layers", "conv1"), "choose one"),
    (("means", "--channels", "0"), "--channels must be 1 or more"),
    (("means", "--align", "mouth"), "--align must be eyes or none"),
    (("means", "--align", "none", "--faces", "yunet"), "leave out --faces"),
    (("means", "--faces", "dlib"), "gives no landmarks"),
    (("means", "--faces", "nobody"), "no face finder 'nobody'"),
    (("means", "--faces", "none", "--face-model", "x.onnx"), "leave one out"),
    (("neurons", "--layer", "conv9"), "the layers are, from the input: conv1, conv2"),
    (("neurons", "--filters", "30-40"), "layer conv2 has the filters 0 to 31; there is no 32"),
    (("neurons", "--filters", "a-b"), "numbers and ranges"),
    (("neurons", "--neurons", "5-3"), "numbers and ranges"),
    (("neurons", "--neurons", "0-99999"), "more than anybody"),
    (("neurons", "--neurons", "30000"), "the last hidden layer has the neurons 0 to"),
    (("neurons", "--over", "edge"), "--over must be one of sum, mean, centre"),
    (("neurons", "--steps", "0"), "--steps must be 1 or more"),
    (("editing", "--split", "validation"), "its splits: test, train"),
]


@pytest.mark.parametrize("case", REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_is_refused(run, bundle, faces, tmp_path, case):
    words, message = case
    out = tmp_path / "out"
    manifest = () if words[0] == "neurons" else ("--manifest", faces)
    result = run("understand", words[0], "--bundle", bundle, *manifest, "--out", out, *words[1:])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (out / "index.html").exists()


@pytest.mark.parametrize("name", ["means", "neurons", "editing"])
def test_a_place_that_cannot_be_written(run, bundle, faces, tmp_path, name):
    (tmp_path / "taken").write_text("a file")
    manifest = () if name == "neurons" else ("--manifest", faces)
    result = run("understand", name, "--bundle", bundle, *manifest, "--out", tmp_path / "taken")
    assert result.exit_code == 2 and "cannot write" in result.stderr


def test_editing_needs_a_manifest_that_says_what_was_edited(run, bundle, faces, tmp_path):
    manifest = read_manifest(faces)
    for column in ("edited_nose", "landmarks"):
        manifest = manifest.with_column(column, [None] * len(manifest))
    write_manifest(manifest, faces)
    result = run(
        "understand", "editing", "--bundle", bundle, "--manifest", faces, "--out", tmp_path / "o", "--faces", "none"
    )
    assert result.exit_code == 2 and "it lacks edited_nose" in result.stderr
    again = run(
        "understand", "editing", "--bundle", bundle, "--bundle", bundle, "--manifest", faces, "--out", tmp_path / "o"
    )
    assert again.exit_code == 2


def test_a_detector_without_a_spatial_map(subject, faces, tmp_path):
    import dataclasses

    import torch

    from mesoscope.errors import UsageError
    from mesoscope_train.understanding.editing import EditingOptions
    from mesoscope_train.understanding.editing import check as check_editing
    from mesoscope_train.understanding.means import MeansOptions, check

    class OneCell(torch.nn.Module):
        def forward_with_map(self, batch):
            return batch.mean((1, 2, 3)), batch.mean((1, 2, 3), keepdim=True)[:, 0]

    blind = dataclasses.replace(subject, module=OneCell())
    manifest = read_manifest(faces)
    with pytest.raises(UsageError, match="no spatial map: the one it gives is 1 x 1 cells"):
        check(blind, manifest, MeansOptions(maps_only=True), tmp_path / "out")
    with pytest.raises(UsageError, match="no spatial map"):
        check_editing([blind], manifest, EditingOptions(), tmp_path / "out")
    with pytest.raises(UsageError, match="named twice"):
        check_editing([subject, subject], manifest, EditingOptions(), tmp_path / "out")
    with pytest.raises(UsageError, match="at least one bundle"):
        check_editing([], manifest, EditingOptions(), tmp_path / "out")
