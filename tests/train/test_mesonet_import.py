"""The published MesoNet weights, and files made like them, against a forward pass written down in numpy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")
h5py = pytest.importorskip("h5py")

from mesoscope.engine import Judge, engines  # noqa: E402
from mesoscope.errors import UsageError  # noqa: E402
from mesoscope.preprocess import to_batch  # noqa: E402
from mesoscope_train.commands.bundle_import import run  # noqa: E402
from mesoscope_train.detectors import build_detector  # noqa: E402
from mesoscope_train.errors import WeightsError  # noqa: E402
from mesoscope_train.export import load_module  # noqa: E402
from mesoscope_train.keras_h5 import read_keras_layers  # noqa: E402
from mesoscope_train.weight_formats import weight_formats  # noqa: E402
from mesoscope_train.weight_formats.mesonet import import_mesonet, load_keras_layers  # noqa: E402

ROOT = Path(__file__).parents[2]
PUBLISHED = {
    "Meso4_DF": "mesonet-meso4-df",
    "Meso4_F2F": "mesonet-meso4-f2f",
    "MesoInception_DF": "mesonet-mesoinception4-df",
    "MesoInception_F2F": "mesonet-mesoinception4-f2f",
}
COUNTS = {"meso4": (27_977, 28_073), "mesoinception4": (28_615, 28_725)}

# --- the networks as their authors describe them, in numpy: Keras' layouts, sigmoid of the output = real


def convolve(x, kernel, bias, dilation=1):
    """(H, W, C) with (k, k, C, O), zero padding that keeps the size, then ReLU."""
    reach = dilation * (kernel.shape[0] - 1)
    padded = np.pad(x, ((reach // 2, reach - reach // 2),) * 2 + ((0, 0),))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (reach + 1, reach + 1), axis=(0, 1))
    windows = windows[..., ::dilation, ::dilation]  # (H, W, C, k, k)
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)


def normalise(x, gamma, beta, mean, variance):
    return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta


def pool(x, size):
    height, width, channels = x.shape
    return x.reshape(height // size, size, width // size, size, channels).max((1, 3))


def inception(x, convolutions):
    one, two, three, four = convolutions[0], convolutions[1:3], convolutions[3:5], convolutions[5:7]
    branches = [convolve(x, *one)]
    for dilation, (first, second) in enumerate((two, three, four), start=1):
        branches.append(convolve(convolve(x, *first), *second, dilation=dilation))
    return np.concatenate(branches, axis=2)


def keras_output(arrays, x):
    """What the authors' network gives before its sigmoid, for x (256, 256, 3) float64 in [0, 1]."""
    convolutions, norms, dense = arrays
    if len(convolutions) == 4:
        first, second = (lambda x: convolve(x, *convolutions[0])), (lambda x: convolve(x, *convolutions[1]))
    else:
        first, second = (lambda x: inception(x, convolutions[:7])), (lambda x: inception(x, convolutions[7:14]))
    x = pool(normalise(first(x), *norms[0]), 2)
    x = pool(normalise(second(x), *norms[1]), 2)
    x = pool(normalise(convolve(x, *convolutions[-2]), *norms[2]), 2)
    x = pool(normalise(convolve(x, *convolutions[-1]), *norms[3]), 4)
    hidden = x.reshape(-1) @ dense[0][0] + dense[0][1]
    hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
    return float((hidden @ dense[1][0] + dense[1][1])[0])


def arrays_in(path):
    """(convolutions, norms, dense) of an .h5 file, each in the order of Keras' counting; not the product's reader."""
    found = {"conv2d": {}, "batch_normalization": {}, "dense": {}}
    with h5py.File(path) as file:
        for name in file:
            kind, _, number = name.rpartition("_")
            if kind in found:
                weights = file[name][name]
                roles = ("gamma", "beta", "moving_mean", "moving_variance")
                roles = roles if kind == "batch_normalization" else ("kernel", "bias")
                found[kind][int(number)] = [np.asarray(weights[f"{role}:0"], np.float64) for role in roles]
    return [[layers[number] for number in sorted(layers)] for layers in found.values()]


# --- files like the published ones, with made-up weights


def write_keras(path, architecture, *, first=1, leave_out=(), change=None):
    """An .h5 file in the published layout; layers are listed in a mixed order, as Keras does."""
    random = np.random.default_rng(0)
    layers = []
    counts = {"conv2d": first, "batch_normalization": first, "dense": first}
    for part in build_detector(architecture).modules():
        if isinstance(part, torch.nn.Conv2d):
            kind, shape = "conv2d", tuple(part.weight.permute(2, 3, 1, 0).shape)
        elif isinstance(part, torch.nn.Linear):
            kind, shape = "dense", tuple(part.weight.T.shape)
        elif isinstance(part, torch.nn.BatchNorm2d):
            kind, shape = "batch_normalization", tuple(part.weight.shape)
        else:
            continue
        name = f"{kind}_{counts[kind]}"
        counts[kind] += 1
        if kind == "batch_normalization":
            values = {role: random.uniform(0.2, 2, shape) for role in ("gamma", "beta", "moving_mean")}
            values["moving_variance"] = random.uniform(0.2, 2, shape)
        else:
            spread = np.sqrt(2 / np.prod(shape[:-1]))
            values = {"kernel": random.normal(0, spread, shape), "bias": random.normal(0, 0.1, shape[-1])}
        layers.append((name, values))
    layers = [(name, values) for name, values in layers if name not in leave_out]
    random.shuffle(layers)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_1", *(name.encode() for name, _ in layers)]
        file.create_group("input_1").attrs["weight_names"] = np.array([], np.float64)
        for name, values in layers:
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{role}:0".encode() for role in values]
            for role, value in values.items():
                group[f"{name}/{role}:0"] = value.astype(np.float32)
        if change:
            change(file)
    return path


both = pytest.mark.parametrize("architecture", ["meso4", "mesoinception4"])
every_published = pytest.mark.parametrize("stem", list(PUBLISHED))


@pytest.fixture(scope="session")
def published_bundle(weights_dir, tmp_path_factory):
    """Function from a published file's stem to its bundle, imported once."""
    made = {}

    def get(stem):
        if stem not in made:
            made[stem] = import_mesonet(weights_dir / f"{stem}.h5", tmp_path_factory.mktemp("imported"))
        return made[stem]

    return get


@pytest.fixture(scope="session")
def test_crops(crops_dir):
    """label -> list of (h, w, 3) uint8: the authors' own four test pictures."""
    return {
        label: [np.asarray(Image.open(path).convert("RGB")) for path in sorted((crops_dir / label).glob("*.jpg"))]
        for label in ("real", "df")
    }


@both
def test_parameter_counts(architecture):
    module = build_detector(architecture)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    statistics = sum(buffer.numel() for name, buffer in module.named_buffers() if "running" in name)
    assert (parameters, parameters + statistics) == COUNTS[architecture]


@both
def test_made_up_weights_equal_numpy(architecture, tmp_path):
    path = write_keras(tmp_path / "w.h5", architecture, first=5)
    module = load_keras_layers(architecture, read_keras_layers(path), path)
    pictures = np.random.default_rng(1).random((2, 256, 256, 3)).astype(np.float32)
    with torch.no_grad():
        logits = module(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())).numpy()
    expected = [-keras_output(arrays_in(path), picture.astype(np.float64)) for picture in pictures]
    assert expected[0] != pytest.approx(expected[1], abs=1e-3)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)


@every_published
@pytest.mark.parametrize("engine", list(engines))
def test_published_weights_equal_numpy(stem, engine, published_bundle, weights_dir, test_crops):
    bundle = published_bundle(stem)
    pixels = [*test_crops["real"], *test_crops["df"]]
    assert len(pixels) == 4
    batch = to_batch(pixels, bundle.contract.preprocess)
    arrays = arrays_in(weights_dir / f"{stem}.h5")
    expected = [-keras_output(arrays, picture.transpose(1, 2, 0).astype(np.float64)) for picture in batch]
    logits, _ = Judge.open(bundle, engine)(batch)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(load_module(bundle)(torch.from_numpy(batch)), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("stem", ["Meso4_DF", "MesoInception_DF", "Meso4_F2F"])
def test_forged_pictures_score_higher(stem, published_bundle, test_crops):
    """MesoInception_F2F is left out: it was not made for these forgeries, and puts a real one above both."""
    bundle = published_bundle(stem)
    judge = Judge.open(bundle)
    real, _ = judge(to_batch(test_crops["real"], bundle.contract.preprocess))
    fake, _ = judge(to_batch(test_crops["df"], bundle.contract.preprocess))
    assert real.max() < fake.min()
    if stem.endswith("_DF"):
        assert real.max() < 0 < fake.min()


@every_published
def test_what_a_published_file_becomes(stem, published_bundle):
    bundle = published_bundle(stem)
    contract = bundle.contract
    assert contract.identifier == bundle.path.name == f"{PUBLISHED[stem]}-1"
    assert contract.preprocess.resize == "nearest"
    assert (contract.calibration, contract.thresholds, contract.band) == (None, None, None)
    assert contract.licences.weights == "Apache-2.0"
    assert len(contract.training_data) == 1
    for words in (f"{stem}.h5", "Darius Afchar", "Apache License", "arXiv:1809.00888", "not calibrated"):
        assert words in bundle.card, words


def test_a_published_file_is_known_by_its_content(weights_dir, tmp_path):
    renamed = tmp_path / "downloaded.h5"
    renamed.write_bytes((weights_dir / "MesoInception_F2F.h5").read_bytes())
    assert import_mesonet(renamed, tmp_path).contract.name == "mesonet-mesoinception4-f2f"


def test_another_file_needs_a_name(tmp_path):
    path = write_keras(tmp_path / "own.h5", "meso4")
    with pytest.raises(WeightsError, match="--name"):
        run("mesonet", path, tmp_path / "out", None, False)
    assert not (tmp_path / "out").exists()
    made = run("mesonet", path, tmp_path / "out", "own-meso", False)
    assert made == tmp_path / "out" / "own-meso-1"
    contract = json.loads((made / "bundle.json").read_text())
    assert contract["training_data"] == []
    assert "unknown" in contract["licences"]["weights"]
    with pytest.raises(UsageError, match="already there"):
        run("mesonet", path, tmp_path / "out", "own-meso", False)
    assert run("mesonet", path, tmp_path / "out", "own-meso", True) == made


def test_a_file_that_only_has_a_published_name_is_told_apart(tmp_path):
    bundle = import_mesonet(write_keras(tmp_path / "Meso4_DF.h5", "meso4"), tmp_path)
    assert bundle.contract.name == "mesonet-meso4-df"
    assert "none of the four published files" in bundle.card
    assert bundle.contract.licences.weights != "Apache-2.0"


def test_a_whole_saved_model_is_read_too(tmp_path):
    plain = write_keras(tmp_path / "plain.h5", "meso4")
    with h5py.File(plain) as source, h5py.File(tmp_path / "whole.h5", "w") as target:
        source.copy(source, target, name="model_weights")
    expected, found = read_keras_layers(plain), read_keras_layers(tmp_path / "whole.h5")
    assert [layer.name for layer in expected] == [layer.name for layer in found]


def test_unknown_format(tmp_path):
    assert "mesonet" in weight_formats
    with pytest.raises(UsageError, match="unknown weight format 'caffe'; known: mesonet"):
        run("caffe", tmp_path / "w.h5", tmp_path, None, False)


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _nan(file):
    file["conv2d_2/conv2d_2/kernel:0"][0, 0, 0, 0] = np.nan


def _other_shape(file):
    del file["conv2d_2/conv2d_2/kernel:0"]
    file["conv2d_2/conv2d_2/kernel:0"] = np.zeros((3, 3, 8, 8), np.float32)


def _text(file):
    del file["conv2d_2/conv2d_2/kernel:0"]
    file["conv2d_2/conv2d_2/kernel:0"] = "kernel"


def _no_array(file):
    del file["conv2d_2/conv2d_2/kernel:0"]


def _no_bias(file):
    file["dense_1"].attrs["weight_names"] = [b"dense_1/kernel:0"]


def _no_group(file):
    del file["conv2d_2"]


@pytest.mark.parametrize(
    ("change", "leave_out", "sentence"),
    [
        (_nan, (), "not finite"),
        (_other_shape, (), r"kernel of layer conv2d_2 has the shape .*\(8, 8, 5, 5\)"),
        (_text, (), "is no array of weights"),
        (_no_array, (), "kernel:0 is listed and missing"),
        (_no_bias, (), "layer dense_1 has no bias"),
        (_no_group, (), "layer conv2d_2 is listed and missing"),
        (None, ("conv2d_3",), "holds 3 convolutions: neither Meso-4"),
        (None, ("dense_2",), "holds 1 of the kind dense layer, Meso-4 has 2"),
        (None, ("batch_normalization_4",), "holds 3 of the kind batch normalisation"),
    ],
)
def test_files_that_are_not_whole_are_refused(change, leave_out, sentence, tmp_path):
    path = write_keras(tmp_path / "w.h5", "meso4", change=change, leave_out=leave_out)
    with pytest.raises(WeightsError, match=sentence):
        import_mesonet(path, tmp_path / "out", name="x")
    assert not (tmp_path / "out").exists()


def test_files_of_another_kind_are_refused(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(WeightsError, match="there is no such file"):
        import_mesonet(tmp_path / "absent.h5", out)
    (tmp_path / "text.h5").write_text("these are not weights")
    with pytest.raises(WeightsError, match="is not an HDF5 file"):
        import_mesonet(tmp_path / "text.h5", out)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["temperature"] = np.zeros(3)
    with pytest.raises(WeightsError, match="not Keras 2 weights"):
        import_mesonet(tmp_path / "other.h5", out)
    _cut(write_keras(tmp_path / "cut.h5", "meso4"))
    with pytest.raises(WeightsError, match="damaged HDF5 file"):
        import_mesonet(tmp_path / "cut.h5", out)
    assert not out.exists()


def test_the_command_and_the_package_do_not_load_torch():
    code = (
        "import sys, mesoscope_train, mesoscope_train.commands.bundle_import\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'h5py', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_figures_on_mesonet_faces(data_dir, weights_dir):
    """The slowest test of all: 4,472 crops through two networks, by the benchmark as it stands."""
    if not (data_dir / "mesonet-faces").is_dir():
        pytest.skip(f"no mesonet-faces in {data_dir}")
    expected = {"Meso4_DF": (0.899, 0.871, 0.958), "MesoInception_DF": (0.933, 0.902, 0.974)}
    script = ROOT / "benchmarks" / "mesonet_table.py"
    command = [sys.executable, str(script), str(data_dir), str(weights_dir), "--only", *expected, "--json"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for row in rows:
        assert (row["n_fake"], row["n_real"]) == (1551, 2921)
        figures = (row["fake_recall"], row["real_recall"], row["auc"])
        assert figures == pytest.approx(expected[row["weights"]], abs=0.003)
