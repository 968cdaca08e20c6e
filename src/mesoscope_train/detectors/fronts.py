"""What may stand before any detector: fixed operations that leave of a picture what generators and editors change.

Paper: Fridrich, Kodovsky: "Rich Models for Steganalysis of Digital Images", IEEE TIFS 2012, and Zhou, Han, Morariu,
Davis: "Learning Rich Features for Image Manipulation Detection", CVPR 2018, arXiv:1805.04953 (``srm``); Tan, Zhao,
Wei, Gu, Liu, Wei: "Rethinking the Up-Sampling Operations in CNN-based Generative Network for Generalizable Deepfake
Detection", CVPR 2024, arXiv:2312.10461 (``npr``).
Source: written after the papers.
Licence of the authors' code: none used. Licence of the authors' weights: none; nothing here is learnt.

``srm``: three high-pass filters, each the mean of the three colours' residuals in grey levels, truncated. The papers
round the residuals too; that has no gradient, so it is left out. ``npr``: each pixel less the upper left one of its
cell of two by two, in grey levels, per colour: what up-sampling by two leaves behind is a relation inside such cells.

A front turns (B, 3, S, S) into (B, 3, S, S), in ordinary operations that are exported with the network, and has no
weights: the same file fits a detector with and without it. It sees the network's input, which was resized from the
crop: traces finer than that resizing are gone before it.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mesoscope.preprocess import Preprocess
from mesoscope.registry import Registry
from mesoscope_train.detectors.base import Detector

OPTION = "front"
"""The option that every detector takes beside its own."""
NONE = "none"

TRUNCATION = 3.0
"""Grey levels at which ``srm`` cuts its residuals off; what is above is the picture's own edges."""
CELL = 2
"""Side of the cells of ``npr`` in pixels."""
STEP = 16.0
"""Grey levels that ``npr`` gives as one."""

_THIRD_ORDER = (
    (-1.0, 2.0, -2.0, 2.0, -1.0),
    (2.0, -6.0, 8.0, -6.0, 2.0),
    (-2.0, 8.0, -12.0, 8.0, -2.0),
    (2.0, -6.0, 8.0, -6.0, 2.0),
    (-1.0, 2.0, -2.0, 2.0, -1.0),
)
_SQUARE = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, -1.0, 2.0, -1.0, 0.0),
    (0.0, 2.0, -4.0, 2.0, 0.0),
    (0.0, -1.0, 2.0, -1.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
)
_LINE = (
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, -2.0, 1.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
)
KERNELS = ((_SQUARE, 4.0), (_THIRD_ORDER, 12.0), (_LINE, 2.0))
"""The three of Zhou et al., each with what it is divided by; their sums are zero."""


class Front(nn.Module):
    """Base: knows how the input was normalised, and works in grey levels of 0 to 255.

    Args:
        preprocess: of the detector.
    """

    grey_levels: Tensor

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__()
        # what is subtracted in the normalisation cancels in every residual, so only the scale counts
        scale = torch.tensor(preprocess.std, dtype=torch.float32).view(1, 3, 1, 1) * 255
        self.register_buffer("grey_levels", scale, persistent=False)


fronts: Registry[type[Front]] = Registry("front end")


@fronts.register("srm")
class HighPass(Front):
    """Three high-pass residuals, truncated, as values within -1 and 1."""

    kernels: Tensor

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__(preprocess)
        kernels = torch.stack([torch.tensor(kernel) / divisor for kernel, divisor in KERNELS])
        self.register_buffer("kernels", (kernels / 3)[:, None].repeat(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 3, S, S): square, third-order and horizontal residual; edges are mirrored."""
        padded = F.pad(batch * self.grey_levels, (2, 2, 2, 2), mode="reflect")
        return F.conv2d(padded, self.kernels.to(padded.dtype)).clamp(-TRUNCATION, TRUNCATION) / TRUNCATION


@fronts.register("npr")
class NeighbouringPixels(Front):
    """Each pixel less the upper left one of its cell."""

    def forward(self, batch: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 3, S, S); the cells at the end of an odd side are cut."""
        height, width = batch.shape[2:]
        first = batch[:, :, ::CELL, ::CELL]
        rows, columns = first.shape[2:]
        spread = first[:, :, :, None, :, None].expand(-1, -1, rows, CELL, columns, CELL)
        of_cell = spread.reshape(-1, 3, rows * CELL, columns * CELL)[:, :, :height, :width]
        return (batch - of_cell) * self.grey_levels / STEP


def put_before(detector: Detector, name: str, preprocess: Preprocess) -> Detector:
    """The detector with a front end: everything it does, it does to what the front end makes of its input.

    Args:
        detector: fresh; the same object is handed back, of a class that also knows its front end.
        name: in `fronts`.
        preprocess: of the detector.

    Raises:
        UsageError: there is no such front end.
    """
    front = fronts[name](preprocess)
    detector.__class__ = _with_front(type(detector), name)
    detector.front = front
    return detector


@cache
def _with_front(family: type[Detector], name: str) -> type[Detector]:
    """The family with `Detector.activations` after the front end; one class for each, so that copies know it."""

    def activations(self: Detector, batch: Tensor) -> Tensor:
        return family.activations(self, self.front(batch))  # type: ignore[operator]

    about = {"activations": activations, "__doc__": family.__doc__, "__module__": family.__module__}
    return type(f"{family.__name__}After{fronts[name].__name__}", (family,), about)
