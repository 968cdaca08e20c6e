"""Integrated Gradients from the input without detail, with captum.

M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017. The values of all pixels sum
to the difference of the two logits.
"""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from mesoscope.explain.methods import Explainer, Subject
from mesoscope.explain.neutral import without_detail
from mesoscope.types import Float32Array
from mesoscope_train.explaining.network import torch_network

STEPS = 32
_AT_ONCE = 16


def integrated_gradients(module: nn.Module, batch: Tensor, neutral: Tensor) -> Tensor:
    """The sum over the colours of each pixel's share: (B, 3, S, S) to (B, S, S).

    Args:
        module: in eval mode, (B, 3, S, S) to the logit (B,).
        batch: inputs.
        neutral: where the way begins, as large.
    """
    shares: Tensor = IntegratedGradients(module).attribute(
        batch, neutral, n_steps=STEPS, internal_batch_size=_AT_ONCE
    )
    return shares.sum(1)


def open_integrated_gradients(subject: Subject, layer: str | None = None) -> Explainer:
    """See `Method.open`; there is no layer."""
    module = torch_network(subject).module

    def explain(batch: Float32Array) -> Float32Array:
        neutral = np.stack([without_detail(one) for one in batch])
        found = integrated_gradients(module, torch.from_numpy(batch), torch.from_numpy(neutral))
        return found.detach().to(torch.float32).numpy()

    return explain
