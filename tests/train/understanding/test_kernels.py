"""Kernels read as image filters: known ones are named, and known answers come out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from mesoscope_train.detectors import parse_architecture
from mesoscope_train.understanding.layers import Layer, convolutions
from mesoscope_train.understanding.neurons.kernels import CHART, chart, read_kernels, shown_layers
from mesoscope_train.understanding.neurons.named_filters import nearest

SPEC = parse_architecture("meso4").preprocess
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)


@pytest.mark.parametrize(
    ("kernel", "name", "sign"),
    [
        (SOBEL, "first derivative at 0°", 1),
        (-SOBEL, "first derivative at 0°", -1),
        (SOBEL.T[::-1], "first derivative at 90°", 1),
        (np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], float), "first derivative at 45°", 1),
        (np.array([[1, -2, 1], [2, -4, 2], [1, -2, 1]], float), "second derivative at 0°", 1),
        (np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float), "Laplacian", 1),
        (np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]], float), "saddle at 45°", -1),
        (np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], float), "blur", 1),
        (np.ones((5, 5)), "box blur", 1),
        (np.array([[0, 0, 0], [0, 3, 0], [0, 0, 0]], float), "no filter (identity)", 1),
        (np.array([0.9, 1.0, 1.1]), "brightness", 1),
        (np.array([-1.0, 1.0, 0.0]), "red against green", -1),
    ],
)
def test_known_filters_are_named(kernel, name, sign):
    found = nearest(kernel)
    assert found.name == name
    assert sign * found.correlation > 0.85
    assert abs(found.correlation) <= 1 + 1e-12


def test_what_random_kernels_reach_is_told():
    """A kernel without meaning comes near one of many names; only one in twenty is called by it."""
    chance = np.random.default_rng(5)
    found = [nearest(chance.standard_normal((3, 3))) for _ in range(300)]
    named = np.mean([not likeness.words.startswith("(") for likeness in found])
    assert 0.02 < named < 0.09
    assert found[0].chance > 0.7


def conv_of(kernel, colours, **how):
    conv = nn.Conv2d(3, 1, kernel.shape, bias=False, **how)
    conv.weight.data[0] = torch.from_numpy(np.multiply.outer(colours, kernel))
    return nn.Sequential(conv)


def test_a_kernel_of_one_pattern_and_one_colour():
    module = conv_of(SOBEL, np.array([0.2, 0.7, 0.1]))
    (layer,) = convolutions(module, 16)
    (kernel,) = read_kernels(module, layer, SPEC)
    assert kernel.one_colour == pytest.approx(1)
    np.testing.assert_allclose(kernel.colours / kernel.colours.sum(), [0.2, 0.7, 0.1], rtol=1e-6)
    np.testing.assert_allclose(np.multiply.outer(kernel.colours, kernel.pattern)[1], 0.7 * SOBEL, atol=1e-6)
    grey = np.tensordot([0.2, 0.7, 0.1], chart(), 1)
    np.testing.assert_allclose(kernel.response, ndimage.correlate(grey, SOBEL, mode="nearest"), atol=1e-5)
    assert kernel.frequencies[32, 32] == pytest.approx(0, abs=1e-6), "a derivative passes no even surface"
    assert kernel.frequencies[32].max() > 10 * kernel.frequencies[:, 32].max()


def test_dilation_shows_in_the_frequencies():
    plain, wide = (conv_of(np.ones((3, 3)), np.ones(3), dilation=step) for step in (1, 2))
    (layer,) = convolutions(plain, 16)
    one, two = (read_kernels(module, layer, SPEC)[0].frequencies for module in (plain, wide))
    assert two[32, 0] == pytest.approx(two[32, 32]), "with a gap of one the finest stripes look even"
    assert one[32, 0] < 0.5 * one[32, 32]
    assert read_kernels(wide, layer, SPEC)[0].response.shape == (CHART, CHART)


def test_a_kernel_that_is_all_zero_has_no_name():
    module = conv_of(np.zeros((3, 3)), np.ones(3))
    (layer,) = convolutions(module, 16)
    (kernel,) = read_kernels(module, layer, SPEC)
    assert kernel.likeness is None and kernel.one_colour == 0


def test_blocks_that_only_mix_colours_show_what_stands_behind():
    module = parse_architecture("mesoinception4").build().eval()
    shown = shown_layers(convolutions(module, 256), module)
    assert [layer.name for layer in shown if not layer.sees_picture] == [
        "conv1.branches.1.2",
        "conv1.branches.2.2",
        "conv1.branches.3.2",
    ]
    slices = read_kernels(module, next(layer for layer in shown if layer.name == "conv1.branches.3.2"), SPEC)
    assert [(kernel.unit, kernel.source) for kernel in slices] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert slices[1].colours is None


def test_a_first_layer_with_patterns_is_shown_alone():
    layers = (Layer("conv", 1, 9, 9, False, True), Layer("next", 1, 9, 9, False, False))
    module = nn.Sequential()
    module.conv, module.next = nn.Conv2d(3, 1, 3), nn.Conv2d(1, 1, 3)
    assert shown_layers(layers, module) == layers[:1]
