"""Low-rank residuals on the weights of attention: few numbers learn, and afterwards nothing of them is left to see.

Paper: Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen: "LoRA: Low-Rank Adaptation of Large Language Models",
ICLR 2022, arXiv:2106.09685.
Source: written after the paper.
Licence of the authors' code: none used. Licence of the authors' weights: none used.

While a stage learns, a weight W (out, in) of a frozen backbone is ``W + up @ down`` with ``up`` (out, r), zero at
first, and ``down`` (r, in). `merge` adds the product to W and takes both away: checkpoints of finished stages,
bundles and graphs hold a plain network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from mesoscope.errors import UsageError
from mesoscope_train.detectors.base import Detector

_WORD = "attn"
"""What timm calls attention, in every transformer of its own; projections to queries, keys, values and out of it."""


class LowRank(nn.Module):
    """What is added to one weight.

    Args:
        weight: (out, in) of the layer.
        rank: r, at most the smaller side.
        generator: source of the first `down`.
    """

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        rank = min(rank, outputs, inputs)
        bound = 1 / math.sqrt(inputs)
        down = (torch.rand(rank, inputs, generator=generator) * 2 - 1) * bound
        self.down = nn.Parameter(down.to(weight.device, weight.dtype))
        self.up = nn.Parameter(torch.zeros(outputs, rank, device=weight.device, dtype=weight.dtype))

    def forward(self, weight: Tensor) -> Tensor:
        """(out, in) to (out, in)."""
        return weight + self.up @ self.down


def add_low_rank(detector: Detector, rank: int, seed: int) -> tuple[str, ...]:
    """Give every weight of attention in the backbone a residual, and let it learn.

    The network answers as before until the residuals have learnt.

    Args:
        detector: with a frozen backbone; changed in place, until `merge`.
        rank: of each residual.
        seed: of their first values.

    Returns:
        names of the layers.

    Raises:
        UsageError: the backbone has no attention.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = dict(_attention(detector))
    if not layers:
        raise UsageError(
            "train: low-rank is for transformers: this backbone has no attention whose weights could be adapted; "
            "use train: norms, or the name of a part"
        )
    for layer in layers.values():
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank, generator))
    return tuple(layers)


def merge(detector: nn.Module) -> None:
    """Add the residuals to the weights and take them away; a detector without any stays as it is."""
    for module in list(detector.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _attention(detector: Detector) -> Iterator[tuple[str, nn.Linear]]:
    inside = {
        id(module) for stage in detector.backbone_stages() for part in stage.modules for module in part.modules()
    }
    for name, module in detector.named_modules():
        if isinstance(module, nn.Linear) and id(module) in inside and _WORD in name.split("."):
            yield name, module
