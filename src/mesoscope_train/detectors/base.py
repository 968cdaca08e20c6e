"""What every detector is: a torch module that gives a logit and can say, without autograd, where it comes from.

The explanation is Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization", ICCV 2017), kept signed: ``map = sum_k alpha_k * A_k``, where A (K planes) are
the activations after the ReLU of the chosen convolution, before its BatchNorm, and alpha_k is the spatial
mean of the logit's gradient with respect to A_k. There is no last ReLU: positive speaks for fake, negative
for real, and the sum over the map is in logits. A runtime without gradients can show it because each detector
writes the gradient of its own short head down as ordinary operations (`Detector.head_with_alpha`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from mesoscope.preprocess import Preprocess
from mesoscope.registry import Registry


class Detector(nn.Module, ABC):
    """A network ``(B, 3, S, S) float32 -> (B,) logit``, higher = more likely fake, cut in two at its map's layer."""

    @abstractmethod
    def activations(self, batch: Tensor) -> Tensor:
        """The part below the cut: (B, 3, S, S) to A (B, K, h, w), after the ReLU, before the BatchNorm."""

    @abstractmethod
    def head(self, activations: Tensor) -> Tensor:
        """The part above the cut: A (B, K, h, w) to the logit (B,)."""

    @abstractmethod
    def head_with_alpha(self, activations: Tensor) -> tuple[Tensor, Tensor]:
        """`head`, and the spatial mean of its gradient, in ordinary operations that export to ONNX.

        Only asked for in eval mode (dropout off, BatchNorm on its running statistics).

        Returns:
            logit (B,) and alpha (B, K), ``alpha[:, k] = mean over h, w of d logit / d A[:, k]``.
        """

    def forward(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) float32 to logit (B,)."""
        return self.head(self.activations(batch))

    def forward_with_map(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) float32 to logit (B,) and signed Grad-CAM map (B, h, w), without autograd."""
        activations = self.activations(batch)
        logit, alpha = self.head_with_alpha(activations)
        return logit, (alpha[:, :, None, None] * activations).sum(1)


class GlobalAverageHead(nn.Module):
    """Global average pool, dropout, one output: the head whose Grad-CAM weights are the same for every input.

    Args:
        channels: K.
        dropout: share of pooled values dropped in training.
    """

    def __init__(self, channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(channels, 1)

    def forward(self, activations: Tensor) -> Tensor:
        """A (B, K, h, w) to logit (B,)."""
        logit: Tensor = self.output(self.dropout(activations.mean((2, 3))))
        return logit.squeeze(1)

    def with_alpha(self, activations: Tensor) -> tuple[Tensor, Tensor]:
        """A (B, K, h, w) to logit (B,) and alpha (B, K): the output's weights over the number of positions."""
        positions = activations.shape[2] * activations.shape[3]
        return self(activations), (self.output.weight / positions).expand(activations.shape[0], -1)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an architecture comes from; licences as SPDX identifiers or a sentence.

    Attributes:
        paper: authors, title, place, year; or that there is none.
        source: address of the authors' code, or what it was written after.
        code_licence: of that code.
        weights_licence: of the published weights, or that there are none.
    """

    paper: str
    source: str
    code_licence: str
    weights_licence: str


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A registered architecture.

    Attributes:
        name: as in the registry and in a bundle's ``architecture``.
        build: a fresh, randomly initialised module.
        preprocess: what it was designed for; the default where nothing else is said.
        map_layer: name of the submodule whose output `Detector.activations` returns; called once a forward pass.
        provenance: paper, source, licences.
    """

    name: str
    build: Callable[[], Detector]
    preprocess: Preprocess
    map_layer: str
    provenance: Provenance


detectors: Registry[DetectorEntry] = Registry("detector")
_Builder = TypeVar("_Builder", bound=Callable[[], Detector])


def register(
    name: str, *, preprocess: Preprocess, map_layer: str, provenance: Provenance
) -> Callable[[_Builder], _Builder]:
    """Decorate a `Detector` class, or a function that builds one, to enter it in `detectors`."""

    def enter(build: _Builder) -> _Builder:
        detectors.register(name)(DetectorEntry(name, build, preprocess, map_layer, provenance))
        return build

    return enter


def autograd_map(module: nn.Module, map_layer: str, batch: Tensor) -> Tensor:
    """The signed Grad-CAM map by automatic differentiation, against which the graph's map is measured.

    It uses nothing of `Detector`: a hook on the layer and the gradient of the whole network's logit.

    Args:
        module: in eval mode, (B, 3, S, S) to (B,).
        map_layer: name of the submodule.
        batch: (B, 3, S, S) float32.

    Returns:
        (B, h, w) float32.
    """
    seen: list[Tensor] = []
    handle = module.get_submodule(map_layer).register_forward_hook(
        lambda _module, _input, output: seen.append(output)
    )
    try:
        with torch.enable_grad():
            # a leaf that asks for gradients makes the layer's output differentiable even in a frozen network
            logit = module(batch.detach().requires_grad_())
            (gradient,) = torch.autograd.grad(logit.sum(), seen[0])
    finally:
        handle.remove()
    return (gradient.mean((2, 3), keepdim=True) * seen[0]).sum(1).detach()
