"""MesoInception-4: Meso-4 with its first two convolutions replaced by small inception modules.

Paper: Afchar, Nozick, Yamagishi, Echizen: "MesoNet: a Compact Facial Video Forgery Detection Network",
IEEE WIFS 2018, arXiv:1809.00888.
Source: https://github.com/DariusAf/MesoNet (Keras), described anew here in torch.
Licence of the authors' code: Apache-2.0. Licence of their weights: Apache-2.0.

Polarity, framing and preprocessing are those of Meso-4 (`mesoscope_train.detectors.meso4`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mesoscope_train.detectors.architecture import register
from mesoscope_train.detectors.meso4 import MAP_LAYER, PREPROCESS, PROVENANCE, MesoNet


class _Inception(nn.Module):
    """Four branches side by side: 1x1; and 1x1 then 3x3 with dilation 1, 2 and 3; a ReLU after each convolution.

    Args:
        planes: channels going in.
        widths: channels of each branch; their sum comes out.
    """

    def __init__(self, planes: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        plain, *dilated = widths
        self.branches = nn.ModuleList([nn.Sequential(nn.Conv2d(planes, plain, 1), nn.ReLU())])
        for dilation, width in enumerate(dilated, start=1):
            second = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
            self.branches.append(nn.Sequential(nn.Conv2d(planes, width, 1), nn.ReLU(), second, nn.ReLU()))

    def forward(self, batch: Tensor) -> Tensor:
        """(B, planes, H, W) to (B, sum(widths), H, W)."""
        return torch.cat([branch(batch) for branch in self.branches], 1)


@register("mesoinception4", preprocess=PREPROCESS, map_layer=MAP_LAYER, provenance=PROVENANCE)
class MesoInception4(MesoNet):
    """MesoInception-4: 28,615 parameters, 28,725 with the statistics of its BatchNorms."""

    def __init__(self) -> None:
        super().__init__(_Inception(3, (1, 4, 4, 2)), 11, _Inception(11, (2, 4, 4, 2)), 12)
