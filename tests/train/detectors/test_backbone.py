"""Backbones of timm under our heads: equal to timm's own networks where these do the same."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

import timm  # noqa: E402

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope_train.detectors import build_detector, parse_architecture  # noqa: E402
from mesoscope_train.detectors.base import autograd_map  # noqa: E402

PLAIN = ["test_efficientnet", "test_convnext", "test_resnet", "test_vit"]


def batch_of(architecture: str, count: int = 2) -> torch.Tensor:
    size = parse_architecture(architecture).preprocess.size
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("backbone", PLAIN)
def test_equals_the_network_of_timm(backbone):
    """One output of timm's own classifier on averaged features is the same function, weights being equal."""
    average = {"global_pool": "avg", "fc_norm": False} if "vit" in backbone else {}
    torch.manual_seed(0)
    theirs = timm.create_model(backbone, num_classes=1, **average).eval()
    architecture = f"timm:backbone={backbone}"
    ours = build_detector(architecture).eval()
    state = theirs.state_dict()
    assert not ours.backbone.load_state_dict(state, strict=False).missing_keys
    ours.output_layer().load_state_dict({part: getattr(theirs.get_classifier(), part) for part in ("weight", "bias")})
    x = batch_of(architecture)
    logits = theirs(x)
    if "vit" in backbone:
        # timm averages all tokens but the prefix, as we do
        assert theirs.num_prefix_tokens == 1
    torch.testing.assert_close(ours(x), logits.squeeze(1))


@pytest.mark.parametrize(
    ("backbone", "grid"),
    [
        ("mobilenetv3_small_050", 4),  # its last convolution stands after pooling, and is dropped
        ("test_mambaout", 5),  # channels last, normalised after pooling, with a hidden layer that is dropped
        ("swin_tiny_patch4_window7_224", 4),  # channels last
        ("deit_tiny_distilled_patch16_224", 8),  # two tokens before the patches
        ("beit_base_patch16_224", 8),  # normalised after pooling
        ("eva02_tiny_patch14_224", 9),  # rotary embeddings
        ("vit_base_patch16_siglip_224", 8),  # attention pooling, which is dropped
        ("mixer_s16_224", 14),  # tokens without a prefix
    ],
)
def test_backbones_of_many_kinds_have_maps_and_no_idle_parameters(backbone, grid):
    if backbone not in timm.list_models():
        pytest.skip(f"this timm has no {backbone}")
    fixed = timm.get_pretrained_cfg(backbone).fixed_input_size and "mixer" not in backbone
    size = f",size={126 if 'patch14' in backbone else 128}" if fixed or "mobilenet" in backbone else ""
    architecture = f"timm:backbone={backbone}{size}"
    module = build_detector(architecture).eval()
    x = batch_of(architecture, 1)
    logit, map_ = module.forward_with_map(x)
    assert map_.shape == (1, grid, grid)
    torch.testing.assert_close(map_, autograd_map(module, "planes", x), rtol=1e-3, atol=1e-6)
    logit.sum().backward()
    assert not [key for key, parameter in module.named_parameters() if parameter.grad is None]


def test_the_map_of_patch_tokens_sums_to_the_logit():
    module = build_detector("timm:backbone=test_vit").eval()
    logit, map_ = module.forward_with_map(batch_of("timm:backbone=test_vit"))
    torch.testing.assert_close(map_.sum((1, 2)) + module.output_layer().bias, logit)


def test_a_copy_uses_its_own_normalisation():
    module = build_detector("timm:backbone=test_convnext").eval()
    copied = copy.deepcopy(module)
    x = batch_of("timm:backbone=test_convnext")
    before = module(x)
    copied.backbone.head.norm.weight.data.zero_()
    assert torch.equal(module(x), before)
    assert copied(x).unique().numel() == 1


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("efficientnet_bO", r"timm has no backbone 'efficientnet_bO' .*did you mean .*efficientnet_b[0-9]"),
        ("resnet50.mine", r"Invalid pretrained tag \(mine\).*did you mean .*resnet50.a1_in1k"),
        ("zzzzzz", "timm has no backbone 'zzzzzz'"),
        ("pit_ti_224", "pit_ti_224 gives no square planes that a map could be made of"),
    ],
)
def test_backbones_that_cannot_be_had(backbone, message):
    with pytest.raises(UsageError, match=message):
        build_detector(f"timm:backbone={backbone}")
