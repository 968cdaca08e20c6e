"""The head for architectures with global average pooling, on a net small enough to compute by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.engine import engines  # noqa: E402
from mesoscope_train.detectors import Detector, GlobalAverageHead  # noqa: E402
from mesoscope_train.detectors.base import autograd_map  # noqa: E402
from mesoscope_train.graph import export_graph  # noqa: E402


class Tiny(Detector):
    def __init__(self) -> None:
        super().__init__()
        self.relu = torch.nn.ReLU()
        self.head_ = GlobalAverageHead(3, dropout=0.5)

    def activations(self, batch):
        return self.relu(batch)

    def head(self, activations):
        return self.head_(activations)

    def head_with_alpha(self, activations):
        return self.head_.with_alpha(activations)


@pytest.fixture
def tiny() -> Tiny:
    module = Tiny().eval()
    with torch.no_grad():
        module.head_.output.weight.copy_(torch.tensor([[4.0, -8.0, 12.0]]))
        module.head_.output.bias.fill_(1.0)
    return module


def test_by_hand(tiny):
    batch = torch.zeros(1, 3, 2, 2)
    batch[0, 0, 0, 0], batch[0, 1, 1, 1], batch[0, 2, 0, 1] = 1.0, 2.0, -5.0
    logit, map_ = tiny.forward_with_map(batch)
    assert logit.tolist() == [4 * 1 / 4 - 8 * 2 / 4 + 1]
    assert map_.tolist() == [[[1.0, 0.0], [0.0, -4.0]]]


def test_equals_autograd_and_sums_to_the_logit(tiny):
    batch = torch.randn(4, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    logit, map_ = tiny.forward_with_map(batch)
    torch.testing.assert_close(map_, autograd_map(tiny, "relu", batch))
    torch.testing.assert_close(map_.sum((1, 2)) + 1.0, logit)


def test_the_hook_is_gone_even_after_a_failure(tiny):
    with pytest.raises(RuntimeError):
        autograd_map(tiny, "relu", torch.zeros(1, 7, 4, 4))
    assert not tiny.relu._forward_hooks


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
