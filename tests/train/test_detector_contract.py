"""What every registered detector must keep. A new file in detectors/ is picked up here by itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")
captum_attr = pytest.importorskip("captum.attr", reason="the reference for Grad-CAM is captum")

from mesoscope.engine import Judge, engines  # noqa: E402
from mesoscope_train.detectors import Detector, detectors, parse_architecture  # noqa: E402
from mesoscope_train.detectors.base import autograd_map  # noqa: E402
from mesoscope_train.export import load_module  # noqa: E402
from mesoscope_train.parity import stand_in_inputs  # noqa: E402

SMALLER = {
    "cnn-1": ["cnn-1:size=64"],
    "cnn-2": ["cnn-2:size=64"],
    "cnn-small": ["cnn-small", "cnn-small:batch_norm=true"],
    "resnet50": ["resnet50:head=dense,head_units=128"],
    "slim-resnet": ["slim-resnet", "slim-resnet:front=srm"],
    "timm": [
        "timm:backbone=test_efficientnet,size=96",
        "timm:backbone=test_convnext,size=96,head=bn-dense,head_units=32",
        "timm:backbone=test_vit,size=96",
        "timm:backbone=test_vit,size=96,front=npr",
    ],
}
"""What stands for an architecture that is too large to be tried at its default, or has options worth a trial."""
every_detector = pytest.mark.parametrize("name", [text for name in detectors for text in SMALLER.get(name, [name])])
TOLERANCE = 1e-4


def tolerance(maps) -> float:
    """Of map values; maps of many points are small, and must be no less right for it."""
    return min(TOLERANCE, 1e-3 * float(abs(maps).max()))


@pytest.fixture
def inputs(export_arguments):
    def make(name: str, count: int = 5):
        return torch.from_numpy(stand_in_inputs(export_arguments(name)["preprocess"], count))

    return make


@every_detector
def test_one_logit_and_one_map_for_each_input(name, lively, inputs):
    module = lively(name)
    assert isinstance(module, Detector)
    for count in (1, 3):
        with torch.no_grad():
            activations = module.activations(inputs(name, count))
            logit, map_ = module.forward_with_map(inputs(name, count))
        assert logit.shape == (count,)
        assert logit.dtype == map_.dtype == torch.float32
        assert map_.shape == (count, *activations.shape[2:])


@every_detector
def test_made_up_weights_make_a_difference(name, lively, inputs):
    """Otherwise the comparisons below could not fail."""
    with torch.no_grad():
        logit, map_ = lively(name).forward_with_map(inputs(name))
    assert logit.unique().numel() == logit.numel()
    for one, other in itertools.pairwise(map_):
        assert (one - other).abs().max() > 10 * tolerance(map_)


@every_detector
def test_an_input_is_judged_the_same_alone_and_in_a_batch(name, lively, inputs):
    module, batch = lively(name), inputs(name)
    with torch.no_grad():
        together = module.forward_with_map(batch)
        alone = [module.forward_with_map(one[None]) for one in batch]
    for index, (logit, map_) in enumerate(alone):
        torch.testing.assert_close(logit[0], together[0][index], rtol=0, atol=1e-5)
        torch.testing.assert_close(map_[0], together[1][index], rtol=0, atol=1e-5)


@every_detector
def test_evaluation_is_deterministic_and_changes_nothing(name, lively, inputs):
    module, batch = lively(name), inputs(name)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with torch.no_grad():
        first, second, with_map = module(batch), module(batch), module.forward_with_map(batch)[0]
    assert torch.equal(first, second)
    assert torch.equal(first, with_map)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


@every_detector
def test_every_parameter_gets_a_finite_gradient(name, lively, inputs):
    module = lively(name).train()
    target = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0])
    torch.nn.functional.binary_cross_entropy_with_logits(module(inputs(name)), target).backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{key} takes no part"
        assert torch.isfinite(parameter.grad).all(), key
    assert any(parameter.grad.abs().max() > 0 for parameter in module.parameters())


@every_detector
def test_the_map_layer_gives_the_activations(name, lively, inputs):
    module, batch = lively(name), inputs(name)
    seen = []
    module.get_submodule(parse_architecture(name).map_layer).register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        module(batch)
        (output,) = seen
        assert torch.equal(output, module.activations(batch))
    if not name.startswith("timm:"):  # whose last activation may be another one, or none
        assert output.min() >= 0, "the map is taken after the ReLU"


@every_detector
def test_the_map_without_autograd_is_grad_cam(name, lively, inputs):
    module, batch, layer = lively(name), inputs(name), parse_architecture(name).map_layer
    with torch.no_grad():
        map_ = module.forward_with_map(batch)[1]
    torch.testing.assert_close(map_, autograd_map(module, layer, batch), rtol=0, atol=tolerance(map_) / 10)
    captums = captum_attr.LayerGradCam(module, module.get_submodule(layer)).attribute(batch)
    torch.testing.assert_close(map_, captums[:, 0].detach(), rtol=0, atol=tolerance(map_) / 10)


@every_detector
def test_features_are_what_the_last_layer_sees(name, lively, inputs):
    module, batch = lively(name), inputs(name)
    with torch.no_grad():
        features = module.features(batch)
        assert features.shape == (len(batch), module.output_layer().in_features)
        assert torch.equal(module.logit_of(features), module(batch))


@every_detector
def test_gradients_of_anything_come_back_from_the_features(name, lively, inputs):
    """Whatever another classifier (an SVM) makes of the features, its map needs no autograd either."""
    module = lively(name)
    with torch.no_grad():
        activations = module.activations(inputs(name, 2))
        features, pull = module.features_vjp(activations)
        upstream = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
        alpha = pull(upstream)
    leaf = activations.requires_grad_()
    (expected,) = torch.autograd.grad(module.features_vjp(leaf)[0], leaf, upstream)
    expected = expected.mean((2, 3))
    torch.testing.assert_close(alpha, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@every_detector
def test_stages_and_head_are_the_whole_network(name, lively):
    module = lively(name)
    backbone = [id(parameter) for stage in module.backbone_stages() for parameter in stage.parameters()]
    head = {id(own) for layer in module.head_modules().values() for own in layer.parameters(recurse=False)}
    assert len(backbone) == len(set(backbone)), "a parameter is in one stage only"
    assert not head & set(backbone)
    assert head | set(backbone) == {id(parameter) for parameter in module.parameters()}
    assert any(layer is module.output_layer() for layer in module.head_modules().values())


@every_detector
@pytest.mark.parametrize("engine", list(engines))
def test_the_exported_graph_is_the_module(name, engine, bundle_of, lively, inputs):
    module, batch, bundle = lively(name), inputs(name), bundle_of(name)
    judge = Judge.open(bundle, engine)
    for part in (batch, batch[:1]):
        logit, map_ = judge(part.numpy())
        np.testing.assert_allclose(logit, module(part).detach().numpy(), rtol=0, atol=TOLERANCE)
        captums = captum_attr.LayerGradCam(
            module, module.get_submodule(parse_architecture(name).map_layer)
        ).attribute(part)
        expected = captums[:, 0].detach().numpy()
        np.testing.assert_allclose(map_, expected, rtol=0, atol=tolerance(expected))


@every_detector
def test_the_bundle_states_what_was_measured(name, bundle_of):
    contract = bundle_of(name).contract
    assert contract.architecture == name
    assert contract.explanation.layer == parse_architecture(name).map_layer
    assert max(contract.parity.openvino_logit, contract.parity.onnxruntime_logit, contract.parity.map) <= TOLERANCE


@every_detector
def test_reloaded_weights_give_equal_logits(name, bundle_of, lively, inputs):
    module = load_module(bundle_of(name))
    assert not module.training
    with torch.no_grad():
        assert torch.equal(module(inputs(name)), lively(name)(inputs(name)))


@pytest.mark.parametrize("name", list(detectors))
def test_where_it_comes_from_is_said(name):
    entry = detectors[name]
    assert entry.name == name
    for field in ("paper", "source", "code_licence", "weights_licence"):
        assert getattr(entry.provenance, field).strip(), field
    for word in ("Paper:", "Source:", "Licence"):
        assert word in entry.header, f"the file's header lacks {word!r}"
