"""The network inside a bundle: its layers, what they give, and the same with random weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

pytest.importorskip("captum")

from mesoscope.errors import UsageError
from mesoscope.explain.methods import Subject, find_method, with_network
from mesoscope_train.detectors import build_detector
from mesoscope_train.explaining.network import TorchNetwork, open_network, torch_network
from mesoscope_train.explaining.recording import record_convolutions


@pytest.fixture(scope="module")
def network(bundle_of) -> TorchNetwork:
    return open_network(bundle_of("meso4"))


@pytest.fixture(scope="module")
def one() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(3, 256, 256)).astype(np.float32)


def test_the_layers_are_those_that_give_planes(network) -> None:
    assert {"conv1", "conv2.0", "conv3", "conv4", "conv4_relu", "bn4"} <= set(network.layers)
    assert not {"fc1", "fc2", "dropout"} & set(network.layers)
    for part in network.module.modules():
        assert not part._forward_hooks


def test_a_layer_that_does_not_exist_is_told_with_those_that_do(network, bundle_of) -> None:
    with pytest.raises(UsageError, match=r"no layer 'conv9'.*from the input on: conv1, conv1.0, .*conv4_relu"):
        network.layer("conv9")
    with pytest.raises(UsageError, match="no layer 'fc1'"):
        network.layer("fc1")
    subject = Subject(bundle_of("meso4"), network.judge, network)
    for name in ("grad-cam", "grad-cam++", "hires-cam"):
        with pytest.raises(UsageError, match="no layer 'conv9'"):
            find_method(name).open(subject, "conv9")


def test_feature_maps_are_what_the_layers_give(network, one) -> None:
    maps = {layer.name: layer for layer in network.feature_maps(one)}
    assert list(maps) == ["conv1.0", "conv2.0", "conv3", "conv4"]
    assert [layer.planes.shape for layer in maps.values()] == [
        (8, 256, 256),
        (8, 128, 128),
        (16, 64, 64),
        (16, 32, 32),
    ]
    assert {layer.what for layer in maps.values()} == {"after its ReLU"}
    batch = torch.from_numpy(one[None])
    with torch.no_grad():
        np.testing.assert_array_equal(maps["conv1.0"].planes, network.module.conv1(batch)[0])
        np.testing.assert_array_equal(maps["conv4"].planes, network.module.activations(batch)[0])


class Mixed(nn.Module):
    """Convolutions followed by nothing, by a function, in place, by a BatchNorm, and by a sum before the ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.function, self.inplace, self.normed, self.summed = (
            nn.Conv2d(3, 3, 3, padding=1) for _ in range(5)
        )
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(self.plain(x), 2)
        x = F.leaky_relu(self.function(x), 0.1)
        x = F.relu(self.inplace(x), inplace=True)
        y = F.silu(self.bn(self.normed(x)))
        return F.relu(self.summed(y) + x)


def test_activations_are_followed_however_they_are_called() -> None:
    torch.manual_seed(0)
    net, batch = Mixed().eval(), torch.randn(1, 3, 8, 8)
    found = {one.name: one for one in record_convolutions(net, batch)}
    assert {name: one.what for name, one in found.items()} == {
        "plain": "before any activation",
        "function": "after its leaky ReLU",
        "inplace": "after its ReLU",
        "normed": "after its BatchNorm and SiLU",
        "summed": "before any activation",
    }
    with torch.no_grad():
        plain = net.plain(batch)
        function = F.leaky_relu(net.function(F.max_pool2d(plain, 2)), 0.1)
        inplace = F.relu(net.inplace(function))
        normed = F.silu(net.bn(net.normed(inplace)))
    for name, expected in (("plain", plain), ("function", function), ("inplace", inplace), ("normed", normed)):
        torch.testing.assert_close(found[name].planes, expected)
    torch.testing.assert_close(found["summed"].planes, net.summed(normed).detach())


def test_recording_ends_with_the_network_even_where_that_fails() -> None:
    class Failing(Mixed):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            super().forward(x)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        record_convolutions(Failing().eval(), torch.zeros(1, 3, 8, 8))
    assert not torch.overrides._get_current_function_mode_stack()


def test_units_sum_to_the_logit(network, one) -> None:
    units = network.units(one)
    assert units.layer == "fc2"
    logit = float(network.judge(one[None])[0][0])
    assert float(units.contributions.sum() + units.bias) == pytest.approx(logit, abs=1e-4)


def test_units_of_two_outputs_sum_to_the_difference(network, lively) -> None:
    two = TorchNetwork(network.bundle, lively("cnn-1"))
    small = np.random.default_rng(0).uniform(size=(3, 224, 224)).astype(np.float32)
    units = two.units(small)
    logit = float(two.judge(small[None])[0][0])
    assert float(units.contributions.sum() + units.bias) == pytest.approx(logit, rel=1e-3)


def test_under_an_svm_the_logit_is_no_sum_and_random_weights_are_random_there_too(network, one) -> None:
    bundle = network.bundle
    contract = bundle.contract.model_copy(update={"architecture": "meso4:svm=5"})
    svm = TorchNetwork(replace(bundle, contract=contract), build_detector("meso4:svm=5").eval())
    assert svm.units(one) is None
    (random_map,) = svm.randomised(1).judge(one[None])[1]
    assert np.abs(random_map).max() > 0
    assert len(svm.feature_maps(one)) == 4


def test_random_weights_are_other_weights_and_the_seed_tells_which(network, one) -> None:
    before = torch.random.get_rng_state()
    first, again, other = network.randomised(1), network.randomised(1), network.randomised(2)
    assert torch.equal(before, torch.random.get_rng_state())
    logits = [float(each.judge(one[None])[0][0]) for each in (network, first, again, other)]
    assert logits[1] == logits[2]
    assert len({round(value, 6) for value in logits}) == 3
    assert not any(parameter.requires_grad for parameter in first.module.parameters())
    assert not first.module.training


def test_the_entry_point_opens_it(bundle_of) -> None:
    bundle = bundle_of("meso4")
    subject = with_network(Subject(bundle, lambda batch: None))
    assert isinstance(subject.network, TorchNetwork)
    assert torch_network(subject) is subject.network
    random = subject.randomised(3)
    assert isinstance(random.network, TorchNetwork)
    assert random.judge == random.network.judge
