"""Convolutions are found in their order, with what follows them; feature maps are what the network computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mesoscope.errors import UsageError
from mesoscope_train.understanding.layers import captured, chosen_layers, convolutions


class Odd(nn.Module):
    """A ReLU as a function, one in place, a BatchNorm between, one convolution that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Conv2d(4, 2, 3, stride=2)
        self.first = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))
        self.third = nn.Conv2d(2, 5, 1)
        self.norm = nn.BatchNorm2d(5)
        self.unused = nn.Conv2d(9, 9, 1)

    def forward(self, batch):
        planes = F.relu(self.second(self.first(batch)))
        return F.relu(self.norm(self.third(planes))).mean((1, 2, 3))


@pytest.fixture
def odd():
    torch.manual_seed(0)
    return Odd().eval()


def test_layers_come_as_they_are_called(odd):
    first, second, third = convolutions(odd, 9)
    assert [layer.name for layer in (first, second, third)] == ["first.0", "second", "third"]
    assert [layer.rectified for layer in (first, second, third)] == [True, True, False]
    assert [layer.sees_picture for layer in (first, second, third)] == [True, False, False]
    assert (second.channels, second.height, second.width) == (2, 4, 4)
    assert "after its ReLU" in second.words and "before any nonlinearity" in third.words


def test_feature_maps_are_the_networks_own(odd):
    batch = torch.randn(2, 3, 9, 9)
    layers = convolutions(odd, 9)
    with captured(odd, layers) as maps, torch.no_grad():
        odd(batch)
    with torch.no_grad():
        first = F.relu(F.conv2d(batch, odd.first[0].weight, odd.first[0].bias))
        second = F.relu(F.conv2d(first, odd.second.weight, odd.second.bias, stride=2))
        third = F.conv2d(second, odd.third.weight, odd.third.bias)
    for name, expected in (("first.0", first), ("second", second), ("third", third)):
        torch.testing.assert_close(maps[name], expected)


def hooks_of(module):
    return [hook for part in module.modules() for hook in part._forward_hooks.values()]


def test_hooks_are_gone_after_a_failure(odd):
    layers = convolutions(odd, 9)
    assert not hooks_of(odd)
    with pytest.raises(RuntimeError), captured(odd, layers):
        odd(torch.zeros(1, 8, 9, 9))
    assert not hooks_of(odd)
    with pytest.raises(RuntimeError):
        convolutions(odd, 1)
    assert not hooks_of(odd)


def test_layers_by_name_or_block(odd):
    layers = convolutions(odd, 9)
    assert chosen_layers(layers, ()) == layers
    assert [layer.name for layer in chosen_layers(layers, ("third", "first"))] == ["first.0", "third"]
    with pytest.raises(UsageError, match=r"no convolution layer 'conv9'.*first\.0, second, third"):
        chosen_layers(layers, ("conv9",))
    with pytest.raises(UsageError, match="unused"):
        chosen_layers(layers, ("unused",))
