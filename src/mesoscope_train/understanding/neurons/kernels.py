"""The first layer's kernels as image filters: pattern, colours, response to a test chart, response to frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from mesoscope.preprocess import Preprocess
from mesoscope_train.understanding.layers import Layer
from mesoscope_train.understanding.neurons.named_filters import Likeness, nearest
from mesoscope_train.understanding.subject import from_pixels

Floats = npt.NDArray[np.float64]
CHART = 96
"""Side of the test chart in pixels."""
FREQUENCIES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """One kernel, read as an image filter.

    Attributes:
        layer: name of the convolution.
        unit: its channel.
        source: the channel it reads, for layers that do not see the picture; None where it reads red, green, blue.
        pattern: (k, k) the best single pattern over the colours (the first singular vector); (1, 1) for a mix.
        colours: (3,) weights of red, green and blue; None where it does not read colours.
        one_colour: share of the kernel's energy that pattern times colours holds, 0 to 1.
        likeness: the named filter it is most like; None for a kernel that is all zero.
        response: (h, w) its answer to the chart, without bias; to the chart's brightness where it reads no colours.
        frequencies: (F, F) the absolute Fourier transform of the pattern, zero frequency in the middle.
    """

    layer: str
    unit: int
    source: int | None
    pattern: Floats
    colours: Floats | None
    one_colour: float
    likeness: Likeness | None
    response: Floats
    frequencies: Floats


def chart() -> npt.NDArray[np.float32]:
    """(3, CHART, CHART) of 0 to 1: rings that grow finer outwards, edges and dots, colours, an even ramp."""
    half = CHART // 2
    made = np.full((3, CHART, CHART), 0.5, np.float32)
    y, x = np.mgrid[0:half, 0:half].astype(np.float32)
    radius2 = (x - half / 2) ** 2 + (y - half / 2) ** 2
    made[:, :half, :half] = 0.5 + 0.5 * np.cos(radius2 * np.pi / (1.6 * half))
    edges = np.where(x > half / 2, 0.85, 0.15)
    edges = np.where((y > half / 2) & (x + y > 1.5 * half), 0.15, edges)
    edges[half // 4, half // 4] = edges[half // 4, half // 4 + 8] = 1.0
    edges[3 * half // 4, 4 : half // 2 - 4] = 1.0
    made[:, :half, half:] = edges
    bars = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1))
    for number, colour in enumerate(bars):
        start, end = half * number // len(bars), half * (number + 1) // len(bars)
        made[:, half:, start:end] = 0.5 + 0.35 * (2 * np.array(colour, np.float32)[:, None, None] - 1)
    made[:, half:, half:] = np.linspace(0, 1, half, dtype=np.float32)
    return made


def shown_layers(layers: Sequence[Layer], module: nn.Module) -> tuple[Layer, ...]:
    """The layers that see the picture; where those only mix colours (1 x 1), also those behind in their block."""
    first = [layer for layer in layers if layer.sees_picture]
    if not first or any(_conv(module, layer).kernel_size != (1, 1) for layer in first):
        return tuple(first)
    blocks = {layer.name.partition(".")[0] for layer in first}
    return tuple(
        layer
        for layer in layers
        if layer in first or (layer.name.partition(".")[0] in blocks and _conv(module, layer).kernel_size != (1, 1))
    )


def read_kernels(module: nn.Module, layer: Layer, spec: Preprocess) -> list[Kernel]:
    """All kernels of a layer; of one that does not see the picture, one for each pair of channels."""
    conv = _conv(module, layer)
    weight = conv.weight.detach().double().numpy()
    if not layer.sees_picture:
        return [
            _slice(conv, layer, unit, source) for unit in range(weight.shape[0]) for source in range(weight.shape[1])
        ]
    return [_coloured(conv, layer, unit, spec) for unit in range(weight.shape[0])]


def _conv(module: nn.Module, layer: Layer) -> nn.Conv2d:
    conv = module.get_submodule(layer.name)
    assert isinstance(conv, nn.Conv2d)  # noqa: S101 - it was found as one
    return conv


def _coloured(conv: nn.Conv2d, layer: Layer, unit: int, spec: Preprocess) -> Kernel:
    # what it does to pixel values: the network divides them by std before
    weight = conv.weight[unit].detach().double().numpy() / np.array(spec.std)[:, None, None]
    if spec.channel_order == "bgr":
        weight = weight[::-1]
    left, values, right = np.linalg.svd(weight.reshape(3, -1), full_matrices=False)
    sign = -1.0 if left[:, 0].sum() < 0 else 1.0
    pattern = (sign * values[0] * right[0]).reshape(weight.shape[1:])
    colours = sign * left[:, 0]
    energy = float((values**2).sum())
    mixes = weight.shape[1:] == (1, 1)
    likeness = None if energy == 0 else nearest(weight.ravel() if mixes else pattern)
    with torch.no_grad():
        seen = from_pixels(torch.from_numpy(chart())[None], spec)
        response = _respond(conv, conv.weight[unit : unit + 1], seen)
    shown = weight.ravel() if mixes else colours
    share = float(values[0] ** 2) / energy if energy else 0.0
    return Kernel(
        layer.name, unit, None, pattern, shown, share, likeness, response, _frequencies(pattern, conv.dilation)
    )


def _slice(conv: nn.Conv2d, layer: Layer, unit: int, source: int) -> Kernel:
    pattern = conv.weight[unit, source].detach().double().numpy()
    with torch.no_grad():
        seen = torch.from_numpy(chart()).mean(0)[None, None]
        response = _respond(conv, conv.weight[unit : unit + 1, source : source + 1], seen)
    likeness = nearest(pattern) if np.any(pattern) else None
    frequencies = _frequencies(pattern, conv.dilation)
    return Kernel(layer.name, unit, source, pattern, None, 1.0, likeness, response, frequencies)


def _respond(conv: nn.Conv2d, weight: torch.Tensor, seen: torch.Tensor) -> Floats:
    # edges repeated, not black: the chart's border is no edge
    reach = [dilation * (side - 1) // 2 for dilation, side in zip(conv.dilation, conv.kernel_size, strict=True)]
    padded = F.pad(seen, (reach[1], reach[1], reach[0], reach[0]), mode="replicate")
    answer = F.conv2d(padded, weight, stride=conv.stride, dilation=conv.dilation)
    return np.asarray(answer[0, 0].double().numpy(), np.float64)


def _frequencies(pattern: Floats, dilation: tuple[int, ...]) -> Floats:
    spread = np.zeros([(side - 1) * step + 1 for side, step in zip(pattern.shape, dilation, strict=True)])
    spread[:: dilation[0], :: dilation[1]] = pattern
    transformed = np.fft.fft2(spread, (FREQUENCIES, FREQUENCIES))
    return np.asarray(np.abs(np.fft.fftshift(transformed)), np.float64)
