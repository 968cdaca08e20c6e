"""Architectures as text: options with types, ranges and one canonical form; parameter counts of the studies."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from torch import nn  # noqa: E402

from mesoscope.bundle import BundleContract  # noqa: E402
from mesoscope.errors import UsageError  # noqa: E402
from mesoscope_train.detectors import build_detector, detectors, parse_architecture  # noqa: E402


def keras_count(module: nn.Module) -> int:
    """Parameters as Keras counts them: moving statistics are some."""
    statistics = sum(buffer.numel() for name, buffer in module.named_buffers() if "running" in name)
    return sum(parameter.numel() for parameter in module.parameters()) + statistics


@pytest.mark.parametrize(
    ("architecture", "count"),
    [
        ("meso4", 28_073),
        ("mesoinception4", 28_725),
        ("cnn-1", 3_117_858),
        ("cnn-2", 99_142_978),
        ("cnn-small", 114_081),
        ("densenet121", 7_305_281),
        ("densenet121:head=gap", 7_037_504 + 1_025),
        ("xception", 20_879_913),
        ("xception:head=gap", 20_861_480 + 2_049),
        # Keras' 24,121,729 without the 26,560 biases that its convolutions have before their BatchNorm
        ("resnet50", 24_095_169),
        ("resnet50:head=dense,head_units=128", 23_561_152 + 262_272 + 129),
    ],
)
def test_parameters_of_the_studies(architecture, count):
    with torch.device("meta"):
        module = build_detector(architecture)
    assert keras_count(module) == count


def test_layers_of_the_first_two_models():
    with torch.device("meta"):
        one, two = build_detector("cnn-1"), build_detector("cnn-2")

    def sizes(module):
        layers = (layer for layer in module.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
        return [sum(parameter.numel() for parameter in layer.parameters()) for layer in layers]

    assert sizes(one) == [1_792, 18_464, 3_097_602]
    assert sizes(two) == [896, 18_496, 99_123_328, 258]
    assert one.output_layer().in_features == 1_548_800


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("meso4", "meso4"),
        ("cnn-1:size=224", "cnn-1"),
        ("cnn-2:dropout=0.50,size=64", "cnn-2:size=64"),
        ("cnn-2:dropout=0.3,size=64", "cnn-2:size=64,dropout=0.3"),
        ("cnn-small:batch_norm=TRUE", "cnn-small:batch_norm=true"),
        ("resnet50:head=bn-dense,head_units=256", "resnet50"),
        ("resnet50:head_units=128,head=dense", "resnet50:head=dense,head_units=128"),
        ("timm:head=gap,backbone=resnet18.tv_in1k", "timm:backbone=resnet18.tv_in1k"),
        ("timm:head=dense,size=96,backbone=test_vit", "timm:backbone=test_vit,size=96,head=dense"),
    ],
)
def test_the_canonical_form_reads_back_as_itself(text, canonical):
    architecture = parse_architecture(text)
    assert str(architecture) == canonical
    assert parse_architecture(canonical) == architecture


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("meso5", "unknown detector 'meso5'; known: .*meso4"),
        ("meso4:size=128", "meso4 has no option 'size'; it has no options"),
        ("cnn-2:units=64", r"cnn-2 has no option 'units'; known options: size \(int; default 224\); plane_dropout"),
        ("cnn-2:size", "'size' is no option; write key=value"),
        ("cnn-2:size=", "'size=' is no option"),
        ("cnn-2:size=a b", "'size=a b' is no option"),
        ("cnn-2:size=64,size=96", "option 'size' is given twice"),
        ("cnn-2:size=8", "option 'size': Input should be greater than or equal to 16"),
        ("cnn-2:dropout=1", "option 'dropout': Input should be less than 1"),
        ("cnn-2:dropout=nan", "option 'dropout'"),
        ("cnn-2:size=large", "option 'size': Input should be a valid integer"),
        ("cnn-small:batch_norm=perhaps", "option 'batch_norm'"),
        ("resnet50:head=deep", "known options: head .gap, dense, bn-dense, bn-bn; default bn-dense"),
        ("xception:head_units=64", "head=bn-bn has no hidden layer, so head_units says nothing"),
        (
            "timm",
            r"option 'backbone': Field required; known options: backbone \(str, required\); size \(int; default",
        ),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_architecture(text)


def test_a_contract_takes_options():
    (pattern,) = (
        part.pattern for part in BundleContract.model_fields["architecture"].metadata if hasattr(part, "pattern")
    )
    import re

    texts = ["meso4", "cnn-2:size=64,dropout=0.3", "timm:backbone=vit_tiny_patch16_224.augreg_in21k,head=bn-bn"]
    assert all(re.fullmatch(pattern, text) for text in texts)
    assert not any(re.fullmatch(pattern, text) for text in ("meso4:", "Meso4", "cnn-2:size", "cnn-2:a=b;c=d", "a=b"))


def test_sizes():
    slim, spec = parse_architecture("slim-resnet").at_size(96)
    assert (str(slim), spec.size) == ("slim-resnet", 96)
    cnn, spec = parse_architecture("cnn-2:size=64,dropout=0.3").at_size(32)
    assert (str(cnn), spec.size) == ("cnn-2:size=32,dropout=0.3", 32)
    vit, spec = parse_architecture("timm:backbone=test_vit").at_size(96)
    assert (str(vit), spec.size) == ("timm:backbone=test_vit,size=96", 96)
    meso, spec = parse_architecture("meso4").at_size(256)
    assert (str(meso), spec.size) == ("meso4", 256)


def test_sizes_that_cannot_be():
    with pytest.raises(UsageError, match="meso4 takes pictures of 256 pixels only, not of 128"):
        parse_architecture("meso4").at_size(128)
    with pytest.raises(UsageError, match="resnet50: a size of 8 pixels is not within 16 to 2048"):
        parse_architecture("resnet50").at_size(8)
    with pytest.raises(UsageError, match="cnn-1: option 'size'"):
        parse_architecture("cnn-1").at_size(8)


def test_what_a_network_was_designed_for():
    xception = parse_architecture("xception").preprocess
    assert (xception.size, xception.mean, xception.std) == (224, [0.5] * 3, [0.5] * 3)
    resnet = parse_architecture("resnet50").preprocess
    assert (resnet.size, resnet.resize, resnet.mean) == (224, "bilinear", [0.485, 0.456, 0.406])
    assert parse_architecture("timm:backbone=efficientnet_b4").preprocess.size == 320
    assert parse_architecture("timm:backbone=vit_tiny_patch16_224").preprocess.mean == [0.5] * 3
    assert parse_architecture("cnn-1:size=64").preprocess.size == 64


@pytest.mark.parametrize("name", [name for name in detectors if name != "timm"])
def test_defaults_stay_plain(name):
    assert str(parse_architecture(name)) == name
