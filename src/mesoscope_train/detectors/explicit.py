"""Gradients written down as ordinary operations, so that an exported graph holds the map without autograd.

A layer of a head is called through `vjp`, which returns its output and a function that carries a gradient back
from its output to its input (a vector-Jacobian product). `chain` strings layers together. Everything is made of
products, sums and comparisons, which ONNX knows.

Two conventions keep it small. It holds in eval mode: dropout passes everything, BatchNorm uses its running
statistics. And the gradient at planes (B, K, h, w) is carried as its **sum over the positions**, (B, K): Grad-CAM
asks for no more, and every layer on planes known here hands that sum on exactly. Max-pooling gives the gradient of
each window to one position, BatchNorm scales each plane as a whole, an average gives every position the same share.

Source: written from the definitions; tested against torch's autograd layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Pull = Callable[[Tensor], Tensor]
"""Carries a gradient (B or 1, ...) of the logit from a layer's output to its input."""


class GlobalAverage(nn.Module):
    """The mean over the positions: (B, K, h, w) to (B, K)."""

    def forward(self, planes: Tensor) -> Tensor:
        """(B, K, h, w) to (B, K)."""
        return planes.mean((2, 3))


class DenseOnPlanes(nn.Linear):
    """A dense layer on flattened planes: (B, K, h, w) to (B, outputs); one layer, so that its gradient stays small.

    Args:
        planes: K.
        positions: h times w.
        outputs: units.
    """

    def __init__(self, planes: int, positions: int, outputs: int) -> None:
        super().__init__(planes * positions, outputs)
        self.planes = planes

    def forward(self, planes: Tensor) -> Tensor:
        """(B, K, h, w) to (B, outputs)."""
        return super().forward(planes.flatten(1))


@singledispatch
def vjp(layer: nn.Module, x: Tensor) -> tuple[Tensor, Pull]:
    """Call a layer and say how gradients come back through it.

    Args:
        layer: in eval mode; of a kind registered here.
        x: (B, D), or planes (B, K, h, w) for the kinds that take them.

    Returns:
        the layer's output, and its `Pull`.

    Raises:
        TypeError: no gradient is written down for this kind of layer, or for this kind on planes.
    """
    raise TypeError(f"no gradient is written down for {type(layer).__name__}; add it to {__name__}")


def is_known(layer: nn.Module) -> bool:
    """Whether `vjp` has a gradient for layers of this kind."""
    return vjp.dispatch(type(layer)) is not vjp.dispatch(nn.Module)


def chain(layers: Iterable[nn.Module], x: Tensor) -> tuple[Tensor, Pull]:
    """`vjp` of layers one after the other."""
    pulls: list[Pull] = []
    for layer in layers:
        x, pull = vjp(layer, x)
        pulls.append(pull)

    def back(gradient: Tensor) -> Tensor:
        for pull in reversed(pulls):
            gradient = pull(gradient)
        return gradient

    return x, back


@vjp.register
def _(layer: nn.Linear, x: Tensor) -> tuple[Tensor, Pull]:
    return layer(x), lambda gradient: gradient @ layer.weight


@vjp.register
def _(layer: DenseOnPlanes, x: Tensor) -> tuple[Tensor, Pull]:
    def pull(gradient: Tensor) -> Tensor:
        # summed before the product: (outputs, K) instead of (outputs, K * h * w)
        return gradient @ layer.weight.view(layer.out_features, layer.planes, -1).sum(2)

    return layer(x), pull


@vjp.register
def _(layer: nn.ReLU, x: Tensor) -> tuple[Tensor, Pull]:
    _refuse_planes(layer, x)
    return F.relu(x), lambda gradient: gradient * (x > 0)


@vjp.register
def _(layer: nn.LayerNorm, x: Tensor) -> tuple[Tensor, Pull]:
    _refuse_planes(layer, x)

    def pull(gradient: Tensor) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + layer.eps)
        normalised = centred * scale
        gradient = gradient * layer.weight
        along = (gradient * normalised).mean(1, keepdim=True)
        return (gradient - gradient.mean(1, keepdim=True) - normalised * along) * scale

    # not layer(x): subclasses that take planes (timm's LayerNorm2d) normalise pooled values just the same
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps), pull


@vjp.register
def _(layer: nn.BatchNorm1d, x: Tensor) -> tuple[Tensor, Pull]:
    return layer(x), lambda gradient: gradient * batch_norm_scale(layer)


@vjp.register
def _(layer: nn.BatchNorm2d, x: Tensor) -> tuple[Tensor, Pull]:
    return layer(x), lambda gradient: gradient * batch_norm_scale(layer)


@vjp.register(nn.Dropout)
@vjp.register(nn.MaxPool2d)
@vjp.register(GlobalAverage)
def _(layer: nn.Module, x: Tensor) -> tuple[Tensor, Pull]:
    return layer(x), lambda gradient: gradient


@vjp.register
def _(layer: nn.Flatten, x: Tensor) -> tuple[Tensor, Pull]:
    return layer(x), lambda gradient: gradient.unflatten(1, (x.shape[1], -1)).sum(2)


def batch_norm_scale(layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    """What BatchNorm multiplies each plane by in eval mode, (K,)."""
    variance = layer.running_var
    assert variance is not None  # noqa: S101 - every BatchNorm of a detector keeps statistics
    return layer.weight * torch.rsqrt(variance + layer.eps)


def _refuse_planes(layer: nn.Module, x: Tensor) -> None:
    if x.ndim != 2:
        raise TypeError(f"{type(layer).__name__} on planes does not hand on the sum of a gradient over positions")
