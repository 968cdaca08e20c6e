"""Maps on networks small enough to compute by hand, and beside captum's on a real one."""

import numpy as np
import pytest
import torch
from torch import nn

captum = pytest.importorskip("captum.attr")

from mesoscope.explain.methods import Subject, find_method  # noqa: E402
from mesoscope.explain.occlusion import occlude  # noqa: E402
from mesoscope_train.explaining.cams import (  # noqa: E402
    activations_and_gradient,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
)
from mesoscope_train.explaining.integrated import integrated_gradients  # noqa: E402
from mesoscope_train.explaining.network import TorchNetwork, open_network  # noqa: E402

TOLERANCE = 1e-4


class ByHand(nn.Module):
    """A = ReLU of the first two colours; logit = 3 * sum(A0 * mask) - 2 * sum(A1)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ReLU()
        self.mask = torch.tensor([[1.0, 0.0], [0.0, 1.0]])

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        planes = self.layer(batch[:, :2])
        return 3 * (planes[:, 0] * self.mask).sum((1, 2)) - 2 * planes[:, 1].sum((1, 2))


BATCH = torch.tensor([[[[4.0, 1.0], [2.0, -5.0]], [[1.0, 0.0], [3.0, 2.0]], [[9.0, 9.0], [9.0, 9.0]]]])
A0, A1 = np.array([[4.0, 1.0], [2.0, 0.0]]), np.array([[1.0, 0.0], [3.0, 2.0]])


def leaf() -> torch.Tensor:
    return BATCH.clone().requires_grad_()


def test_grad_cam_by_hand() -> None:
    # mean gradients: (3 + 0 + 0 + 3) / 4 and -2
    net = ByHand()
    found = grad_cam(net, net.layer, leaf())
    np.testing.assert_allclose(found[0].detach(), 1.5 * A0 - 2 * A1)


def test_hires_cam_by_hand_and_sums_to_the_logit() -> None:
    net = ByHand()
    found = hires_cam(net, net.layer, leaf())
    np.testing.assert_allclose(found[0].detach(), 3 * A0 * net.mask.numpy() - 2 * A1)
    assert float(found.detach().sum()) == pytest.approx(float(net(BATCH)))  # no bias


def test_grad_cam_plus_plus_by_hand() -> None:
    net = ByHand()
    found = grad_cam_plus_plus(net, net.layer, leaf())[0]
    # for fake, channel 0: g = 3 at two places, sum A g^3 = (4 + 0) * 27; alpha = 9 / (18 + 108);
    # weight = 2 * alpha * 3
    for_fake = np.maximum(2 * 9 / (18 + 108) * 3 * A0, 0)
    # for real, channel 1: g = 2 everywhere, sum A g^3 = 6 * 8; alpha = 4 / (8 + 48); weight = 4 * alpha * 2;
    # channel 0 has g = -3, whose positive part is nothing
    for_real = np.maximum(4 * 4 / (8 + 48) * 2 * A1, 0)
    np.testing.assert_allclose(found, for_fake - for_real, rtol=1e-5)


def test_hooks_are_gone_after_a_failure() -> None:
    class Failing(ByHand):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            super().forward(batch)
            raise RuntimeError("on purpose")

    for method in (grad_cam, hires_cam, grad_cam_plus_plus, activations_and_gradient):
        net = Failing()
        with pytest.raises(RuntimeError, match="on purpose"):
            method(net, net.layer, leaf())
        assert not net.layer._forward_hooks
        assert not net.layer._forward_pre_hooks
        assert not net.layer._backward_hooks


def test_hooks_are_gone_after_success() -> None:
    for method in (grad_cam, hires_cam, grad_cam_plus_plus):
        net = ByHand()
        method(net, net.layer, leaf())
        assert not net.layer._forward_hooks


@pytest.fixture(scope="module")
def network(lively, bundle_of) -> TorchNetwork:
    return open_network(bundle_of("meso4"))


@pytest.fixture(scope="module")
def subject(bundle_of, network) -> Subject:
    return Subject(bundle_of("meso4"), network.judge, network)


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(2, 3, 256, 256)).astype(np.float32)


def explained(name: str, subject: Subject, batch: np.ndarray, layer: str | None = None) -> np.ndarray:
    opener = find_method(name).load.found(name)
    return opener(subject, layer)(batch)


def close(ours: np.ndarray, theirs: torch.Tensor) -> None:
    """Within 1e-4, and within 1e-4 of the map's own peak too: small maps must agree as well."""
    theirs = theirs.detach().numpy()
    peak = float(np.abs(theirs).max())
    assert peak > 0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * min(1.0, peak))


@pytest.mark.parametrize("layer", [None, "conv3", "bn2"])
def test_grad_cam_is_captums(subject, network, batch, layer) -> None:
    theirs = captum.LayerGradCam(network.module, network.module.get_submodule(layer or "conv4_relu")).attribute(
        torch.from_numpy(batch).requires_grad_(), relu_attributions=False
    )
    close(explained("grad-cam", subject, batch, layer), theirs[:, 0])


def test_the_graphs_map_is_captums(bundle_of, network, batch) -> None:
    from mesoscope.engine import Judge

    bundle = bundle_of("meso4")
    theirs = captum.LayerGradCam(network.module, network.module.conv4_relu).attribute(
        torch.from_numpy(batch).requires_grad_(), relu_attributions=False
    )
    subject = Subject(bundle, Judge.open(bundle, threads=1))
    close(explained("graph-map", subject, batch), theirs[:, 0])


def test_hires_cam_is_captums(subject, network, batch) -> None:
    theirs = captum.LayerGradientXActivation(network.module, network.module.conv4_relu).attribute(
        torch.from_numpy(batch).requires_grad_()
    )
    close(explained("hires-cam", subject, batch), theirs.sum(1))


def test_integrated_gradients_sum_to_the_difference_of_the_logits(network, batch) -> None:
    one, neutral = torch.from_numpy(batch[:1]), torch.full((1, 3, 256, 256), 0.5)
    found = integrated_gradients(network.module, one, neutral)
    with torch.no_grad():
        difference = float(network.module(one) - network.module(neutral))
    assert float(found.sum()) == pytest.approx(difference, rel=0.05)


def test_occlusion_is_captums(subject, network, batch) -> None:
    one, neutral = batch[0], np.full_like(batch[0], 0.5)
    theirs = captum.Occlusion(network.module).attribute(
        torch.from_numpy(one[None]),
        sliding_window_shapes=(3, 128, 128),
        strides=(3, 64, 64),
        baselines=torch.from_numpy(neutral[None]),
    )
    cells = theirs[0, 0, ::64, ::64]
    close(occlude(one, subject, neutral, cells=4, window=2), cells)
