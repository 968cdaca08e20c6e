"""Freezing: what learns, what does not, and that frozen statistics stay as they are."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.errors import UsageError  # noqa: E402
from mesoscope_train.detectors import build_detector, freeze, trainable_parameters, unfreeze  # noqa: E402


def names(architecture: str) -> list[str]:
    with torch.device("meta"):
        return [stage.name for stage in build_detector(architecture).backbone_stages()]


def step(module, size: int = 64, times: int = 2) -> None:
    """Training steps with a rate that moves everything that can move."""
    torch.manual_seed(0)
    optimiser = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    for _ in range(times):
        optimiser.zero_grad()
        logits = module(torch.rand(4, 3, size, size))
        torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([0.0, 1, 0, 1])).backward()
        optimiser.step()


def changed(before, module) -> set[str]:
    return {key for key, value in module.state_dict().items() if not torch.equal(value, before[key])}


def test_stages_of_the_studies():
    assert names("resnet50")[:4] == ["conv1", "layer1.0", "layer1.1", "layer1.2"]
    assert names("resnet50")[-1] == "layer4.2"
    assert names("xception") == ["conv1", "conv2", *(f"block{n}" for n in range(1, 13)), "conv3", "conv4"]
    blocks = [name for number in range(1, 5) for name in (f"denseblock{number}", f"transition{number}")]
    assert names("densenet121") == ["conv0", *blocks[:-1]]
    assert names("meso4") == ["conv1", "conv2", "conv3", "conv4"]
    assert names("timm:backbone=test_vit")[:2] == ["patch_embed", "blocks.0"]


@pytest.mark.parametrize(
    ("architecture", "total", "learning"),
    [("densenet121", 7_305_281, 265_217), ("resnet50", 24_095_169, 529_409), ("xception", 20_879_913, 10_241)],
)
def test_what_learns_while_the_backbone_is_frozen(architecture, total, learning):
    """``gan-faces``: 7,305,281 - 7,040,064 of DenseNet-121 learn; Keras counts moving statistics as not learning."""
    with torch.device("meta"):
        module = build_detector(architecture)
    freeze(module)
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == learning
    if architecture == "densenet121":
        assert total - learning == 7_040_064


def test_a_frozen_backbone_keeps_its_weights_and_statistics():
    module = build_detector("timm:backbone=test_resnet,head=bn-bn").train()
    frozen = freeze(module)
    assert frozen == tuple(stage.name for stage in module.backbone_stages())
    before = copy.deepcopy(module.state_dict())
    step(module)
    moved = changed(before, module)
    assert moved
    assert all(key.startswith("top.") for key in moved)
    assert "top.norm1.running_mean" in moved


def test_train_does_not_wake_frozen_layers_and_wakes_the_others():
    module = build_detector("timm:backbone=test_resnet,head=bn-bn")
    freeze(module)
    module.eval()
    module.train()
    frozen = [part for stage in module.backbone_stages() for inside in stage.modules for part in inside.modules()]
    assert any(isinstance(part, torch.nn.BatchNorm2d) for part in frozen)
    assert not any(part.training for part in frozen)
    assert module.top.norm1.training
    assert module.top.dropout1.training
    assert module.training
    module.eval()
    assert not any(part.training for part in module.modules())


def test_unfrozen_from_a_stage_on():
    module = build_detector("timm:backbone=test_resnet").train()
    frozen = freeze(module, "layer3")
    assert frozen[-1] == "layer2.0"
    before = copy.deepcopy(module.state_dict())
    step(module)
    moved = changed(before, module)
    assert {key.split(".")[1] for key in moved if key.startswith("backbone.")} == {"layer3", "layer4"}
    assert any("running_mean" in key for key in moved)


def test_freezing_again_and_not_at_all():
    module = build_detector("timm:backbone=test_resnet")
    everything = len(freeze(module))
    assert len(freeze(module, "layer4")) < everything
    assert all(p.requires_grad for p in module.backbone.layer4.parameters())
    unfreeze(module)
    assert module.frozen == ()
    assert all(p.requires_grad for p in module.parameters())
    assert all(part.training for part in module.modules())


def test_loose_parameters_belong_to_the_first_stage():
    module = build_detector("timm:backbone=test_vit")
    freeze(module, "blocks.0")
    assert not module.backbone.pos_embed.requires_grad
    freeze(module, "patch_embed")
    assert module.backbone.pos_embed.requires_grad
    assert module.frozen == ()


def test_two_learning_rates():
    module = build_detector("timm:backbone=test_resnet")
    freeze(module)
    backbone, head = trainable_parameters(module)
    assert (len(backbone), len(head)) == (0, 2)
    freeze(module, "layer4")
    backbone, head = trainable_parameters(module)
    assert {id(p) for p in backbone} == {id(p) for p in module.backbone.layer4.parameters()}
    assert [id(p) for p in head] == [id(p) for p in module.top.parameters()]


def test_an_unknown_stage():
    module = build_detector("meso4")
    with pytest.raises(UsageError, match=r"no stage 'conv5' .*: conv1, conv2, conv3, conv4"):
        freeze(module, "conv5")
    assert module.frozen == ()


def test_a_copy_is_as_frozen():
    module = build_detector("timm:backbone=test_resnet")
    freeze(module)
    copied = copy.deepcopy(module).train()
    assert not copied.backbone.layer4[0].training


@pytest.mark.parametrize("architecture", ["meso4", "cnn-2:size=32", "timm:backbone=test_resnet,head=bn-dense"])
def test_a_fresh_head(architecture):
    module = build_detector(architecture)
    for parameter in module.parameters():
        parameter.data.fill_(7.0)
    module.reset_head()
    head = tuple(module.head_modules())
    for key, parameter in module.named_parameters():
        assert (parameter != 7.0).all() == key.startswith(head), key
    assert not module.output_layer().bias.any()
