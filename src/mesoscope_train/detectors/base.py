"""What every detector is: a torch module that gives a logit and can say, without autograd, where it comes from.

The explanation is Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization", ICCV 2017), kept signed: ``map = sum_k alpha_k * A_k``, where A (K planes) are
the activations after the ReLU of the chosen convolution, before its BatchNorm, and alpha_k is the spatial
mean of the logit's gradient with respect to A_k. There is no last ReLU: positive speaks for fake, negative
for real. A runtime without gradients can show it because each detector writes the gradient of its own short head
down as ordinary operations (`mesoscope_train.detectors.explicit`).

A detector is cut twice: at its map's layer (`activations` below, the head above), and before its last dense layer
(whose input are the `features`). Below the map's layer it is made of named stages, which transfer learning freezes.
A support vector machine on the features can take the place of the last dense layer (`mesoscope_train.detectors.svm`);
its gradient depends on the features, where that of a dense layer is its weight.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mesoscope_train.detectors.explicit import Pull
from mesoscope_train.detectors.svm import SvmHead


@dataclass(frozen=True, slots=True)
class Stage:
    """A piece of a backbone, in the order from the input.

    Attributes:
        name: as `mesoscope_train.detectors.stages.freeze` takes it.
        modules: in it.
        loose: parameters in it that are in none of its modules (a transformer's position embedding).
    """

    name: str
    modules: tuple[nn.Module, ...]
    loose: tuple[nn.Parameter, ...] = ()

    def parameters(self) -> list[nn.Parameter]:
        """All of it."""
        return [*self.loose, *(parameter for module in self.modules for parameter in module.parameters())]


class Detector(nn.Module, ABC):
    """A network ``(B, 3, S, S) float32 -> (B,) logit``, higher = more likely fake.

    Attributes:
        frozen: names of the stages that training leaves as they are; set by `mesoscope_train.detectors.stages`.
        svm: what makes the logit of the features in place of the output layer, or None.
    """

    svm: SvmHead | None

    def __init__(self) -> None:
        super().__init__()
        self.frozen: tuple[str, ...] = ()
        self.svm = None

    @abstractmethod
    def activations(self, batch: Tensor) -> Tensor:
        """The part below the map's layer: (B, 3, S, S) to A (B, K, h, w), after the ReLU, before the BatchNorm."""

    @abstractmethod
    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """From A to the input of the last dense layer, and the way back for gradients.

        Args:
            activations: A (B, K, h, w).

        Returns:
            features (B, D); and a function from a gradient of anything with respect to them, (B or 1, D), to its
            spatial mean with respect to A, (B or 1, K), in ordinary operations, for eval mode.
        """

    @abstractmethod
    def output_layer(self) -> nn.Linear:
        """The last dense layer: D to one output, the logit; or to two (real, fake) whose difference is the logit."""

    @abstractmethod
    def backbone_stages(self) -> Sequence[Stage]:
        """The backbone, in the order from the input; whatever is in no stage is the head."""

    def forward(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) float32 to logit (B,)."""
        return self.head(self.activations(batch))

    def features(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) float32 to the input of the last dense layer, (B, D)."""
        return self.features_vjp(self.activations(batch))[0]

    def head(self, activations: Tensor) -> Tensor:
        """The part above the map's layer: A (B, K, h, w) to the logit (B,)."""
        return self.logit_of(self.features_vjp(activations)[0])

    def logit_of(self, features: Tensor) -> Tensor:
        """Features (B, D) to the logit (B,)."""
        if self.svm is not None:
            decision: Tensor = self.svm(features)
            return decision
        outputs: Tensor = self.output_layer()(features)
        return outputs.squeeze(1) if outputs.shape[1] == 1 else outputs[:, 1] - outputs[:, 0]

    def logit_with_gradient(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """`logit_of`, and its gradient with respect to the features: (B, D), or (1, D) where it is one for all."""
        if self.svm is not None:
            return self.svm.with_gradient(features)
        weight = self.output_layer().weight
        return self.logit_of(features), weight if len(weight) == 1 else weight[1:] - weight[:1]

    def head_with_alpha(self, activations: Tensor) -> tuple[Tensor, Tensor]:
        """`head`, and the spatial mean of its gradient, in ordinary operations that export to ONNX.

        Only asked for in eval mode (dropout off, BatchNorm on its running statistics).

        Returns:
            logit (B,) and alpha (B, K), ``alpha[:, k] = mean over h, w of d logit / d A[:, k]``.
        """
        features, pull = self.features_vjp(activations)
        logit, gradient = self.logit_with_gradient(features)
        return logit, pull(gradient).expand(activations.shape[0], -1)

    def forward_with_map(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) float32 to logit (B,) and signed Grad-CAM map (B, h, w), without autograd."""
        activations = self.activations(batch)
        logit, alpha = self.head_with_alpha(activations)
        return logit, (alpha[:, :, None, None] * activations).sum(1)

    def train(self, mode: bool = True) -> Detector:
        """As torch's, but frozen stages stay in eval mode, so that their BatchNorm statistics stay as they are."""
        super().train(mode)
        for stage in self.backbone_stages():
            if stage.name in self.frozen:
                for module in stage.modules:
                    module.eval()
        return self

    def head_modules(self) -> dict[str, nn.Module]:
        """The layers with parameters that are in no stage, by name."""
        below = {id(parameter) for stage in self.backbone_stages() for parameter in stage.parameters()}
        found: dict[str, nn.Module] = {}
        for name, module in self.named_modules():
            own = list(module.parameters(recurse=False))
            if own and not any(id(parameter) in below for parameter in own):
                found[name] = module
        return found

    def reset_head(self) -> None:
        """Fresh random parameters for the head."""
        for module in self.head_modules().values():
            if not isinstance(module, nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d):
                raise TypeError(f"nobody said how a {type(module).__name__} starts")
            module.reset_parameters()
            self.initialise(module)

    def initialise(self, module: nn.Module) -> None:
        """How a fresh layer of the head starts, where that is not torch's own way."""


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
