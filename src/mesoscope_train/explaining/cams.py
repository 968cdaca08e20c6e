"""Maps made of a layer's activations and the logit's gradient there: Grad-CAM, HiResCAM, Grad-CAM++.

The first two come from captum. None keeps the last ReLU of its paper: positive speaks for fake, negative for real.
Grad-CAM++ is no linear function of the gradient, so it is computed for either side and the two are subtracted.

Sources: R. R. Selvaraju et al., "Grad-CAM", ICCV 2017; R. L. Draelos, L. Carin, "Use HiResCAM instead of Grad-CAM for
faithful explanations of convolutional neural networks", arXiv:2011.08891; A. Chattopadhay, A. Sarkar, P. Howlader,
V. N. Balasubramanian, "Grad-CAM++", WACV 2018, equations 10 and 19.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from captum.attr import LayerGradCam, LayerGradientXActivation
from torch import Tensor, nn

from mesoscope.explain.methods import Explainer, Subject
from mesoscope.types import Float32Array
from mesoscope_train.explaining.network import torch_network

_Maps = Callable[[nn.Module, nn.Module, Tensor], Tensor]


def grad_cam(module: nn.Module, layer: nn.Module, batch: Tensor) -> Tensor:
    """Signed Grad-CAM: (B, 3, S, S) to (B, h, w).

    Args:
        module: in eval mode, (B, 3, S, S) to the logit (B,).
        layer: a part of it that gives (B, K, h, w) once a forward pass.
        batch: inputs.
    """
    maps: Tensor = LayerGradCam(module, layer).attribute(batch, relu_attributions=False)
    return maps[:, 0]


def hires_cam(module: nn.Module, layer: nn.Module, batch: Tensor) -> Tensor:
    """Signed HiResCAM, the sum over channels of gradient times activation; arguments as in `grad_cam`."""
    products: Tensor = LayerGradientXActivation(module, layer).attribute(batch)
    return products.sum(1)


def grad_cam_plus_plus(module: nn.Module, layer: nn.Module, batch: Tensor) -> Tensor:
    """Grad-CAM++ of the logit less Grad-CAM++ of its negative; arguments as in `grad_cam`."""
    activations, gradient = activations_and_gradient(module, layer, batch)
    return _one_side(activations, gradient) - _one_side(activations, -gradient)


def _one_side(activations: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++ of exp(y), whose derivatives are powers of y's gradient: (B, K, h, w) twice to (B, h, w)."""
    squared = gradient.square()
    below = 2 * squared + (activations * squared * gradient).sum((2, 3), keepdim=True)
    alpha = torch.where(below.abs() > torch.finfo(below.dtype).tiny, squared / below, 0.0)
    weight = (alpha * gradient.relu()).sum((2, 3), keepdim=True)
    return (weight * activations).sum(1).relu()


def activations_and_gradient(module: nn.Module, layer: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
    """A layer's output (B, K, h, w) and the logit's gradient there; nothing stays hooked, whatever happens."""
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _module, _input, output: seen.append(output))
    try:
        with torch.enable_grad():
            logit = module(batch.detach().requires_grad_())
            (gradient,) = torch.autograd.grad(logit.sum(), seen[0])
    finally:
        handle.remove()
    return seen[0].detach(), gradient


def open_grad_cam(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`."""
    return _of(subject, layer, grad_cam)


def open_hires_cam(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`."""
    return _of(subject, layer, hires_cam)


def open_grad_cam_plus_plus(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`."""
    return _of(subject, layer, grad_cam_plus_plus)


def _of(subject: Subject, name: str | None, maps: _Maps) -> Explainer:
    network = torch_network(subject)
    _, layer = network.layer(name)

    def explain(batch: Float32Array) -> Float32Array:
        # a leaf that asks for gradients makes the layer's output differentiable even in a frozen network
        found = maps(network.module, layer, torch.from_numpy(batch).clone().requires_grad_())
        return found.detach().numpy()

    return explain
