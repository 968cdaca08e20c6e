"""The parts of a face, as eight regions that fill a picture without overlap.

All lengths are in units of one face: the distance between its eyes, or nine tenths of that from eyes to mouth where
that is more (a turned face brings its eyes together). The face is turned upright by its eye line. The oval is that of
an adult's face by common anthropometry: eyes 63 mm apart, 135 mm wide, hairline 70 mm above and chin 115 mm below the
eyes. Five landmarks do not outline hair or neck: these are places where hair and neck usually are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mesoscope.types import Float32Array

REGIONS = ("left eye", "right eye", "mouth", "nose", "rest of the face", "hair", "neck", "background")
"""Left and right as the viewer sees them."""
EYES = ("left eye", "right eye")
FINE = 96
"""Points along each side on which regions are laid out."""
_EYE = (0.42, 0.30)
_NOSE = (0.34, 0.45)
_MOUTH_MARGIN, _MOUTH_HEIGHT = 0.18, 0.32
_OVAL = (1.08, 1.47)
_OVAL_BELOW_EYES = 0.36
_NECK = 0.9


def coverage(landmarks: Sequence[Float32Array], height: int, width: int) -> Tensor:
    """How much of each cell of a map lies in each region.

    Args:
        landmarks: (5, 2) each, B of them, as in `mesoscope_train.understanding.landmarks`.
        height: of the map.
        width: of the map.

    Returns:
        (B, 8, height, width) float32 in the order of `REGIONS`; over the regions they sum to 1.
    """
    points = torch.from_numpy(np.stack(landmarks).astype(np.float32))
    masks = F.one_hot(_region_numbers(points), len(REGIONS)).permute(0, 3, 1, 2).float()
    return F.adaptive_avg_pool2d(masks, (height, width))


def _region_numbers(points: Tensor) -> Tensor:
    """(B, 5, 2) to (B, FINE, FINE) int64, indices into `REGIONS`."""
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    across = points[:, 1] - points[:, 0]
    span = torch.linalg.vector_norm(across, dim=1)
    unit = torch.maximum(span, 0.9 * torch.linalg.vector_norm(mouth - eyes, dim=1)).clamp_min(1e-3)
    right = across / span.clamp_min(1e-6)[:, None]
    down = torch.stack([-right[:, 1], right[:, 0]], 1)

    def upright(vectors: Tensor) -> Tensor:
        """(B, ..., 2) differences to (B, ..., 2) in units of the face, along its eye line and across it."""
        shape = (-1, *(1,) * (vectors.ndim - 2), 2)
        along = (vectors * right.reshape(shape)).sum(-1)
        below = (vectors * down.reshape(shape)).sum(-1)
        return torch.stack([along, below], -1) / unit.reshape(-1, *(1,) * (vectors.ndim - 1))

    centres = (torch.arange(FINE) + 0.5) / FINE
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1)
    place = upright(grid[None] - eyes[:, None, None])
    marks = upright(points - eyes[:, None])

    def ellipse(centre: Tensor, half_width: Tensor | float, half_height: float) -> Tensor:
        from_centre = place - centre[:, None, None]
        wide = half_width if isinstance(half_width, float) else half_width[:, None, None]
        return (from_centre[..., 0] / wide) ** 2 + (from_centre[..., 1] / half_height) ** 2 <= 1

    mouth_half = (marks[:, 4, 0] - marks[:, 3, 0]).abs() / 2 + _MOUTH_MARGIN
    lower = torch.tensor([0.0, _OVAL_BELOW_EYES])
    in_order = (
        ellipse(marks[:, 0], *_EYE),
        ellipse(marks[:, 1], *_EYE),
        ellipse(marks[:, 3:].mean(1), mouth_half, _MOUTH_HEIGHT),
        ellipse(marks[:, 2] * torch.tensor([1.0, 0.85]), *_NOSE),
        ellipse(lower.expand(len(points), 2), *_OVAL),
        place[..., 1] < 0,
        (place[..., 0].abs() < _NECK) & (place[..., 1] > _OVAL_BELOW_EYES),
    )
    numbers = torch.full(place.shape[:-1], len(REGIONS) - 1)
    for number in reversed(range(len(in_order))):  # those named first win where two meet
        numbers[in_order[number]] = number
    return numbers
