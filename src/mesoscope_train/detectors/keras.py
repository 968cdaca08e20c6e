"""What Keras does unless told otherwise: the studies were written in it and do not say it."""

from __future__ import annotations

from torch import nn

EPSILON = 1e-3
MOMENTUM = 0.01
"""Of BatchNorm; Keras calls it momentum 0.99."""


def batch_norm_1d(features: int) -> nn.BatchNorm1d:
    """For (B, features)."""
    return nn.BatchNorm1d(features, eps=EPSILON, momentum=MOMENTUM)


def batch_norm_2d(planes: int) -> nn.BatchNorm2d:
    """For (B, planes, h, w); the epsilon is part of the contract of weights that come from Keras."""
    return nn.BatchNorm2d(planes, eps=EPSILON, momentum=MOMENTUM)


def initialise(module: nn.Module) -> None:
    """Glorot-uniform kernels (Glorot and Bengio, AISTATS 2010) and biases of zero; for `nn.Module.apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None  # noqa: S101 - every layer that is given here has one
        nn.init.zeros_(module.bias)
