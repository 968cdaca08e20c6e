"""Front ends: equal to residuals computed by hand, for any normalisation, before any detector, without weights."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import correlate

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope.preprocess import to_input  # noqa: E402
from mesoscope_train.detectors import build_detector, parse_architecture  # noqa: E402
from mesoscope_train.detectors.fronts import KERNELS, TRUNCATION, fronts  # noqa: E402
from mesoscope_train.weights import load_weights  # noqa: E402

SPECS = [parse_architecture(name).preprocess.model_copy(update={"size": 48}) for name in ("meso4", "resnet50")]


@pytest.fixture(scope="module")
def face(portrait):
    return np.asarray(Image.open(portrait).convert("RGB").crop((150, 100, 350, 300)).resize((48, 48)))


def through(name, pixels, spec):
    spec = spec.model_copy(update={"size": len(pixels)})
    return fronts[name](spec)(torch.from_numpy(to_input(pixels, spec))[None])[0].numpy()


@pytest.mark.parametrize("spec", SPECS, ids=["plain", "imagenet"])
def test_srm_is_the_truncated_residual_in_grey_levels(face, spec):
    found = through("srm", face, spec)
    grey = face.astype(np.float64).mean(2)
    for plane, (kernel, divisor) in zip(found, KERNELS, strict=True):
        residual = correlate(grey, np.array(kernel) / divisor, mode="mirror")
        np.testing.assert_allclose(plane, np.clip(residual, -TRUNCATION, TRUNCATION) / TRUNCATION, atol=1e-4)
    assert np.abs(found).max() == 1
    assert (np.abs(found) < 1).mean() > 0.3


@pytest.mark.parametrize("spec", SPECS, ids=["plain", "imagenet"])
@pytest.mark.parametrize("side", [48, 47])
def test_npr_is_the_difference_to_the_cells_first_pixel(face, spec, side):
    pixels = face[:side, :side]
    found = through("npr", pixels, spec)
    first = pixels[np.arange(side) // 2 * 2][:, np.arange(side) // 2 * 2]
    by_hand = (pixels.astype(np.float64) - first).transpose(2, 0, 1) / 16
    np.testing.assert_allclose(found, by_hand, atol=1e-4)
    assert not found[:, ::2, ::2].any()


@pytest.mark.parametrize("name", list(fronts))
def test_nothing_is_left_of_a_flat_picture(name):
    flat = np.full((32, 32, 3), (200, 100, 40), np.uint8)
    assert np.abs(through(name, flat, SPECS[1])).max() < 1e-4


def test_npr_sees_what_up_sampling_leaves():
    """Nearest up-sampling by two makes all pixels of a cell equal; a photograph's are not."""
    small = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    assert np.abs(through("npr", small.repeat(2, 0).repeat(2, 1), SPECS[0])).max() < 1e-4
    assert np.abs(through("npr", small, SPECS[0])).max() > 1


@pytest.mark.parametrize("architecture", ["meso4", "slim-resnet", "cnn-2:size=64", "timm:backbone=test_resnet"])
@pytest.mark.parametrize("front", list(fronts))
def test_a_detector_judges_what_the_front_makes_of_its_input(architecture, front):
    text = f"{architecture}{',' if ':' in architecture else ':'}front={front}"
    plain, fronted = build_detector(architecture).eval(), build_detector(text).eval()
    assert isinstance(fronted, type(plain))
    assert fronted.state_dict().keys() == plain.state_dict().keys(), "nothing more to save or load"
    fronted.load_state_dict(plain.state_dict())
    spec = parse_architecture(text).preprocess
    batch = torch.rand(2, 3, spec.size, spec.size, generator=torch.Generator().manual_seed(0))
    shown = fronts[front](spec)(batch)
    with torch.no_grad():
        for way in ("__call__", "features", "activations", "forward_with_map"):
            expected, found = getattr(plain, way)(shown), getattr(copy.deepcopy(fronted), way)(batch)
            torch.testing.assert_close(found, expected)
        assert not torch.equal(plain(batch), fronted(batch))


def test_weights_fit_with_and_without(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    trained = build_detector("slim-resnet:front=srm")
    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    record = load_weights(build_detector("slim-resnet:front=npr"), str(tmp_path / "w.safetensors"))
    assert record.head == "loaded"
    published = build_detector("timm:backbone=test_resnet").backbone.state_dict()
    save_file({f"backbone.{key}": value for key, value in published.items()}, tmp_path / "b.safetensors")
    assert load_weights(build_detector("timm:backbone=test_resnet,front=srm"), str(tmp_path / "b.safetensors")).loaded


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("meso4:front=srm", "meso4:front=srm"),
        ("meso4:front=none", "meso4"),
        ("cnn-2:front=npr,size=64", "cnn-2:size=64,front=npr"),
        ("resnet50:svm=3,front=npr", "resnet50:front=npr,svm=3"),
    ],
)
def test_as_text(text, canonical):
    architecture = parse_architecture(text)
    assert str(architecture) == canonical
    assert parse_architecture(canonical) == architecture
    size = architecture.preprocess.size
    assert str(architecture.at_size(size)[0]) == canonical, "another size keeps it"


@pytest.mark.parametrize("text", ["meso4:front=fft", "meso4:front=srm,front=npr", "meso4:front="])
def test_what_is_refused(text):
    with pytest.raises(UsageError, match="front is one of none, npr, srm, once"):
        parse_architecture(text)
