"""Gradients written down by hand, against torch's own, layer by layer, and on a net that fits on paper."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from timm.layers import LayerNorm2d  # noqa: E402
from torch import nn  # noqa: E402

from mesoscope.engine import engines  # noqa: E402
from mesoscope_train.detectors import Detector, Stage  # noqa: E402
from mesoscope_train.detectors.base import autograd_map  # noqa: E402
from mesoscope_train.detectors.explicit import DenseOnPlanes, GlobalAverage, chain, is_known, vjp  # noqa: E402
from mesoscope_train.detectors.heads import Head, HeadOptions, build_head  # noqa: E402
from mesoscope_train.graph import export_graph  # noqa: E402


def uneven(layer: nn.Module) -> nn.Module:
    """Random parameters and statistics, scales of both signs."""
    for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
        if "num_batches" not in name:
            low = 0.3 if "running_var" in name else -1
            nn.init.uniform_(tensor, low, 2)
    return layer.eval()


VECTORS = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
PLANES = torch.randn(4, 6, 4, 4, generator=torch.Generator().manual_seed(2))
LAYERS = [
    (nn.Linear(6, 3), VECTORS),
    (nn.ReLU(), VECTORS),
    (nn.Dropout(0.9), VECTORS),
    (nn.BatchNorm1d(6), VECTORS),
    (nn.LayerNorm(6), VECTORS),
    (nn.LayerNorm(6, eps=0.1), VECTORS),
    (nn.BatchNorm2d(6), PLANES),
    (nn.Dropout(0.9), PLANES),
    (nn.MaxPool2d(2), PLANES),
    (nn.MaxPool2d(3, stride=1, padding=1), PLANES),
    (nn.Flatten(), PLANES),
    (GlobalAverage(), PLANES),
    (DenseOnPlanes(6, 16, 3), PLANES),
]


def summed(gradient: torch.Tensor) -> torch.Tensor:
    """Gradients at planes are carried as their sums over the positions."""
    return gradient.sum((2, 3)) if gradient.ndim == 4 else gradient


@pytest.mark.parametrize(("layer", "x"), LAYERS, ids=lambda value: type(value).__name__)
def test_each_layer_against_autograd(layer, x):
    torch.manual_seed(0)
    uneven(layer)
    leaf = x.clone().requires_grad_()
    expected = layer(leaf)
    y, pull = vjp(layer, x)
    torch.testing.assert_close(y, expected)
    upstream = torch.randn(expected.shape)
    if expected.ndim == 4:
        # at planes only gradients that are the same everywhere can be told from their sums
        upstream = upstream.mean((2, 3), keepdim=True).expand_as(expected).clone()
    (gradient,) = torch.autograd.grad(expected, leaf, upstream)
    torch.testing.assert_close(pull(summed(upstream)), summed(gradient), rtol=1e-4, atol=1e-5)


def test_pooled_values_pass_a_normalisation_that_is_meant_for_planes():
    norm = uneven(LayerNorm2d(6))
    torch.testing.assert_close(vjp(norm, VECTORS)[0], norm(VECTORS[:, :, None, None]).flatten(1))


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.LayerNorm(4)])
def test_what_would_be_wrong_on_planes_is_refused(layer):
    with pytest.raises(TypeError, match=f"{type(layer).__name__} on planes"):
        vjp(layer, PLANES)


def test_a_layer_without_a_gradient_is_refused():
    assert not is_known(nn.GELU())
    assert is_known(LayerNorm2d(3))
    with pytest.raises(TypeError, match="no gradient is written down for GELU"):
        vjp(nn.GELU(), VECTORS)
    with pytest.raises(TypeError, match="no gradient is written down for GELU"):
        Head({"pool": GlobalAverage(), "gelu": nn.GELU(), "output": nn.Linear(6, 1)})


@pytest.mark.parametrize("kind", ["gap", "dense", "bn-dense", "bn-bn"])
def test_each_head_against_autograd(kind):
    torch.manual_seed(0)
    head = uneven(build_head(6, HeadOptions(head=kind, dropout=0.9)))
    leaf = PLANES.clone().requires_grad_()
    (expected,) = torch.autograd.grad(head(leaf).sum(), leaf)
    features, pull = head.features_vjp(PLANES)
    torch.testing.assert_close(head.output(features), head(PLANES))
    alpha = pull(head.output.weight).expand(len(PLANES), -1)
    torch.testing.assert_close(alpha, expected.mean((2, 3)))


def test_layers_of_the_studies_stand_in_their_order():
    kinds = [type(layer) for layer in build_head(6, HeadOptions(head="bn-dense"))]
    assert kinds == [
        GlobalAverage,
        nn.BatchNorm1d,
        nn.Dropout,
        nn.Linear,
        nn.ReLU,
        nn.BatchNorm1d,
        nn.Dropout,
        nn.Linear,
    ]


def test_nothing_in_between_changes_nothing():
    y, pull = chain([], VECTORS)
    assert y is VECTORS
    assert pull(VECTORS) is VECTORS


class Tiny(Detector):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.top = Head({"pool": GlobalAverage(), "dropout": nn.Dropout(0.5), "output": nn.Linear(3, 1)})

    def activations(self, batch):
        return self.relu(batch)

    def features_vjp(self, activations):
        return self.top.features_vjp(activations)

    def output_layer(self):
        return self.top.output

    def backbone_stages(self):
        return (Stage("relu", (self.relu,)),)


@pytest.fixture
def tiny() -> Tiny:
    module = Tiny().eval()
    with torch.no_grad():
        module.top.output.weight.copy_(torch.tensor([[4.0, -8.0, 12.0]]))
        module.top.output.bias.fill_(1.0)
    return module


def test_by_hand(tiny):
    batch = torch.zeros(1, 3, 2, 2)
    batch[0, 0, 0, 0], batch[0, 1, 1, 1], batch[0, 2, 0, 1] = 1.0, 2.0, -5.0
    logit, map_ = tiny.forward_with_map(batch)
    assert logit.tolist() == [4 * 1 / 4 - 8 * 2 / 4 + 1]
    assert map_.tolist() == [[[1.0, 0.0], [0.0, -4.0]]]
    assert tiny.features(batch).tolist() == [[0.25, 0.5, 0.0]]


def test_equals_autograd_and_sums_to_the_logit(tiny):
    batch = torch.randn(4, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    logit, map_ = tiny.forward_with_map(batch)
    torch.testing.assert_close(map_, autograd_map(tiny, "relu", batch))
    torch.testing.assert_close(map_.sum((1, 2)) + 1.0, logit)


def test_the_hook_is_gone_even_after_a_failure(tiny):
    with pytest.raises(RuntimeError):
        autograd_map(tiny, "relu", torch.zeros(1, 7, 4, 4))
    assert not tiny.relu._forward_hooks


def test_two_outputs_are_one_logit(tiny):
    two = nn.Linear(3, 2)
    tiny.output_layer = lambda: two
    features = torch.rand(5, 3)
    torch.testing.assert_close(torch.sigmoid(tiny.logit_of(features)), torch.softmax(two(features), 1)[:, 1])


def test_exports(tiny, tmp_path):
    graph = tmp_path / "model.onnx"
    graph.write_bytes(export_graph(tiny, 8))
    for engine, count in itertools.product(engines, (1, 4)):
        session = engines[engine](graph, 1)
        batch = torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(count))
        logit, map_ = session(batch.numpy())
        expected = tiny.forward_with_map(batch)
        np.testing.assert_allclose(logit, expected[0].detach().numpy(), atol=1e-5)
        np.testing.assert_allclose(map_, expected[1].detach().numpy(), atol=1e-5)
