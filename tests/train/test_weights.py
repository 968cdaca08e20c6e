"""First weights: what is taken over, what is left fresh, and what is refused."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from timm.models import _builder as timm_builder  # noqa: E402

from mesoscope.bundle import sha256_of  # noqa: E402
from mesoscope.errors import BundleIntegrityError, UsageError  # noqa: E402
from mesoscope_train.detectors import build_detector, freeze  # noqa: E402
from mesoscope_train.errors import WeightsError  # noqa: E402
from mesoscope_train.weights import load_weights, require_pretrained  # noqa: E402

RESNET = "timm:backbone=test_resnet"


def trained(architecture: str, seed: int = 7):
    """As if trained: no tensor has a value that a fresh network has."""
    torch.manual_seed(seed)
    module = build_detector(architecture)
    for value in module.state_dict().values():
        if value.dtype.is_floating_point:
            value.add_(torch.rand_like(value))
    return module


def equal(one, other, part: str = "") -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][key], value) for key, value in states[1].items() if key.startswith(part))


@pytest.fixture
def file_of(tmp_path: Path):
    def write(state, name: str = "weights.safetensors") -> str:
        path = tmp_path / name
        if path.suffix == ".safetensors":
            save_file({key: value.contiguous() for key, value in state.items()}, path)
        else:
            torch.save(state, path)
        return str(path)

    return write


def test_none_changes_nothing():
    module = build_detector(RESNET)
    before = copy.deepcopy(module)
    record = load_weights(module, "none")
    assert equal(module, before)
    assert not record.is_pretrained
    assert str(record) == "none: all weights are random"


def test_a_frozen_backbone_refuses_random_weights(file_of):
    module = build_detector(RESNET)
    with pytest.raises(UsageError, match=r"a frozen backbone needs weights .* --weights imagenet"):
        require_pretrained(load_weights(module, "none"))
    require_pretrained(load_weights(module, file_of(trained(RESNET).state_dict())))


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
@pytest.mark.parametrize("architecture", ["meso4", "cnn-small:batch_norm=true", RESNET])
def test_the_whole_network_from_a_file(architecture, name, file_of):
    theirs, ours = trained(architecture), build_detector(architecture)
    path = file_of(theirs.state_dict(), name)
    record = load_weights(ours, path)
    assert equal(ours, theirs)
    assert (record.source, record.head, record.fresh) == (f"file {name}", "loaded", ())
    assert record.sha256 == sha256_of(Path(path))
    assert record.loaded == len(theirs.state_dict())
    json.dumps(asdict(record))


def test_a_checkpoint_of_a_training_run(file_of):
    theirs, ours = trained("meso4"), build_detector("meso4")
    state = {f"detector.{key}": value for key, value in theirs.state_dict().items()}
    state |= {"val_auc.total": torch.zeros(3)}
    path = file_of({"epoch": 3, "state_dict": state, "optimizer_states": [{"lr": 0.1}]}, "best.ckpt")
    assert load_weights(ours, path).head == "loaded"
    assert equal(ours, theirs)


def test_the_directory_of_a_run(tmp_path):
    theirs, ours = trained("meso4"), build_detector("meso4")
    (tmp_path / "my-run").mkdir()
    save_file(theirs.state_dict(), tmp_path / "my-run" / "model.safetensors")
    assert load_weights(ours, str(tmp_path / "my-run")).source == "run my-run"
    assert equal(ours, theirs)


def test_a_bundle(bundle_copy):
    ours = build_detector("slim-resnet")
    record = load_weights(ours, str(bundle_copy))
    assert (record.source, record.head) == ("bundle mesoscope-face-2", "loaded")
    by_name = build_detector("slim-resnet")
    load_weights(by_name, "mesoscope-face")
    assert equal(ours, by_name)


def test_a_damaged_bundle(bundle_copy):
    with (bundle_copy / "weights.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleIntegrityError, match="was changed or damaged"):
        load_weights(build_detector("slim-resnet"), str(bundle_copy))


@pytest.mark.parametrize("other", [f"{RESNET},head=bn-dense", f"{RESNET},head=bn-bn"])
def test_another_head_is_left_fresh_and_named(other, file_of):
    theirs, ours = trained(other), build_detector(RESNET)
    before = copy.deepcopy(ours)
    record = load_weights(ours, file_of(theirs.state_dict()))
    assert equal(ours, theirs, "backbone.")
    assert equal(ours, before, "top.")
    assert (record.head, record.fresh) == ("fresh", ("top.output.weight", "top.output.bias"))
    assert "the head is fresh (top.output.weight, top.output.bias)" in str(record)
    assert record.is_pretrained


def test_a_head_for_another_size_is_left_fresh(file_of):
    theirs, ours = trained("cnn-2:size=32"), build_detector("cnn-2:size=48")
    record = load_weights(ours, file_of(theirs.state_dict()))
    assert record.head == "fresh"
    assert equal(ours, theirs, "conv")
    assert "top.output.weight" in record.fresh, "half of a head is no head"


def test_a_backbone_by_two_names(file_of):
    """What was trained as ``timm:backbone=resnet50`` fits ``resnet50``: the keys are the same."""
    with torch.device("meta"):
        named, plain = build_detector("timm:backbone=resnet50"), build_detector("resnet50")
    ours = {key: value.shape for key, value in plain.backbone.state_dict().items()}
    assert {key: value.shape for key, value in named.backbone.state_dict().items()} == ours


def test_older_files_count_no_batches(file_of):
    theirs, ours = trained(RESNET), build_detector(RESNET)
    state = {key: value for key, value in theirs.state_dict().items() if "num_batches" not in key}
    assert load_weights(ours, file_of(state)).head == "loaded"


def test_a_file_that_timm_published(file_of):
    """Its classifier is dropped, its backbone taken over, the head is ours."""
    torch.manual_seed(3)
    theirs = timm.create_model("test_resnet")
    ours = build_detector(RESNET)
    before = copy.deepcopy(ours)
    record = load_weights(ours, file_of(theirs.state_dict(), "test_resnet.pth"))
    assert equal(ours, before, "top.")
    assert all(torch.equal(theirs.state_dict()[key], value) for key, value in ours.backbone.state_dict().items())
    assert (record.head, record.source) == ("fresh", "file test_resnet.pth")


def test_a_published_file_with_names_of_old(file_of):
    """torchvision's DenseNet file says ``norm.1`` where networks say ``norm1``: timm converts it."""
    torch.manual_seed(3)
    theirs = timm.create_model("densenet121")
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", k): v for k, v in theirs.state_dict().items()}
    assert set(old) != set(theirs.state_dict())
    ours = build_detector("densenet121")
    load_weights(ours, file_of(old))
    assert torch.equal(ours.backbone.features.denseblock4.denselayer16.conv2.weight, old[
        "features.denseblock4.denselayer16.conv.2.weight"])  # fmt: skip


def test_another_grid_of_patches_is_resampled_by_timm(file_of):
    torch.manual_seed(3)
    theirs = timm.create_model("test_vit")
    ours = build_detector("timm:backbone=test_vit,size=96")
    load_weights(ours, file_of(theirs.state_dict()))
    assert ours.backbone.pos_embed.shape != theirs.pos_embed.shape
    assert torch.equal(ours.backbone.blocks[0].mlp.fc1.weight, theirs.blocks[0].mlp.fc1.weight)


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ("meso4", "cnn-small", r"file weights.safetensors is of another architecture: it lacks blocks.0.0.weight"),
        (
            "meso4",
            RESNET,
            r"architecture than test_resnet: conv1.0.weight is \(8, 3, 3, 3\), not \(16, 3, 3, 3\); .*2 more",
        ),
        ("meso4", "mesoinception4", r"it lacks conv1.branches.0.0.weight|bn1.weight is \(8,\), not \(11,\)"),
        ("cnn-2:size=32", "cnn-1:size=32", r"conv1.weight is \(32, 3, 3, 3\), not \(64, 3, 3, 3\)"),
        ("timm:backbone=test_convnext", RESNET, "another architecture"),
        ("timm:backbone=test_efficientnet", "timm:backbone=test_convnext", "another architecture"),
    ],
)
def test_another_architecture(theirs, ours, message, file_of):
    module = build_detector(ours)
    before = copy.deepcopy(module)
    with pytest.raises(WeightsError, match=message):
        load_weights(module, file_of(trained(theirs).state_dict()))
    assert equal(module, before)


def test_a_published_file_of_another_backbone(file_of, caplog):
    with pytest.raises(WeightsError, match=r"it lacks conv1.0.weight .* and 87 more; it holds head.fc.bias"):
        load_weights(build_detector(RESNET), file_of(timm.create_model("test_convnext").state_dict()))
    assert not caplog.records, "what timm remarks would be noise"


def test_half_a_published_file(file_of):
    half = {key: value for key, value in timm.create_model("test_resnet").state_dict().items() if "layer4" not in key}
    with pytest.raises(WeightsError, match=r"test_resnet: it lacks layer4.0.conv1.weight"):
        load_weights(build_detector(RESNET), file_of(half))


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "caught")


def test_a_checkpoint_that_carries_code_is_not_run(tmp_path, file_of):
    path = file_of({"state_dict": {}, "trap": Trap(tmp_path / "caught")}, "bad.ckpt")
    with pytest.raises(WeightsError, match="holds more than tensors and plain values"):
        load_weights(build_detector("meso4"), path)
    assert not (tmp_path / "caught").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.safetensors", b"nothing of it", "is not a safetensors file"),
        ("a.pth", b"nothing of it", "a.pth (is no checkpoint|holds more than tensors)"),
        ("a.pth", b"", "is no checkpoint of torch"),
    ],
)
def test_files_that_are_none(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_weights(build_detector("meso4"), str(tmp_path / name))


def test_a_checkpoint_without_tensors(file_of):
    with pytest.raises(WeightsError, match=r"a\.pth holds no weights"):
        load_weights(build_detector("meso4"), file_of({"epoch": 3}, "a.pth"))
    with pytest.raises(WeightsError, match=r"a\.pth holds no weights"):
        load_weights(build_detector("meso4"), file_of([1, 2], "a.pth"))


def test_nothing_there(home):
    with pytest.raises(WeightsError, match=r"no weights at elsewhere\.pth: give imagenet, none, a file"):
        load_weights(build_detector("meso4"), "elsewhere.pth")


@pytest.fixture
def published(monkeypatch):
    """What timm's download gives: the state of a network with a classifier."""
    torch.manual_seed(5)
    network = timm.create_model("test_resnet")
    monkeypatch.setattr(timm_builder, "load_state_dict_from_hf", lambda *_args, **_how: network.state_dict())
    return network


def test_imagenet(published):
    ours = build_detector(RESNET)
    record = load_weights(ours, "imagenet")
    assert all(torch.equal(published.state_dict()[key], value) for key, value in ours.backbone.state_dict().items())
    assert (record.source, record.licence, record.head) == ("timm test_resnet.r160_in1k", "apache-2.0", "fresh")
    assert record.sha256 == load_weights(build_detector(RESNET), "imagenet").sha256
    require_pretrained(record)
    freeze(ours)


def test_imagenet_leaves_the_random_numbers_alone(published):
    torch.manual_seed(1)
    expected = torch.rand(1)
    module = build_detector(RESNET)
    torch.manual_seed(1)
    load_weights(module, "imagenet")
    assert torch.equal(torch.rand(1), expected)


def test_imagenet_without_a_network(monkeypatch):
    def unreachable(*_args, **_how):
        raise FileNotFoundError("no connection")

    monkeypatch.setattr(timm_builder, "load_state_dict_from_hf", unreachable)
    with pytest.raises(
        UsageError, match=r"timm test_resnet.r160_in1k cannot be downloaded \(no connection\); .*file"
    ):
        load_weights(build_detector(RESNET), "imagenet")


def test_imagenet_for_a_network_that_has_none():
    with pytest.raises(UsageError, match="Meso4 has no published ImageNet weights"):
        load_weights(build_detector("meso4"), "imagenet")
    with pytest.raises(UsageError, match="timm has no published weights of mixer_s16_224"):
        load_weights(build_detector("timm:backbone=mixer_s16_224"), "imagenet")
