"""Where eyes, nose and mouth are, and the common frame in which faces are laid over each other.

Points are fractions of the network's square input, (0, 0) its upper left corner, (1, 1) its lower right one. The five
landmarks are those of `mesoscope.types.FoundFace`: right eye, left eye, nose tip, right and left mouth corner (the
person's right is the viewer's left).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from mesoscope.faces import FaceFinder
from mesoscope.types import Float32Array, UInt8Image

EYES = (0, 1)


def landmarks_of(pixels: UInt8Image, finder: FaceFinder) -> Float32Array | None:
    """The landmarks of the largest face.

    Args:
        pixels: (H, W, 3) uint8, one face that fills most of it.
        finder: one that gives landmarks.

    Returns:
        (5, 2) float32 x, y in fractions of the picture; None where no face (or no landmark) was found.
    """
    faces = [face for face in finder(pixels) if face.landmarks is not None]
    if not faces:
        return None
    landmarks = max(faces, key=lambda face: face.box.area).landmarks
    height, width = pixels.shape[:2]
    return np.asarray(landmarks / np.array([width, height], np.float32), np.float32)


def common_eyes(landmarks: Sequence[Float32Array]) -> npt.NDArray[np.float64]:
    """Where eyes usually are: the median of those given, made level and symmetric about the middle.

    Args:
        landmarks: (5, 2) each, at least one.

    Returns:
        (2, 2) float64: the viewer's left and right eye.
    """
    eyes = np.median(np.stack(landmarks)[:, EYES, :].astype(np.float64), axis=0)
    half = max((eyes[1, 0] - eyes[0, 0]) / 2, 0.05)
    height = eyes[:, 1].mean()
    return np.array([[0.5 - half, height], [0.5 + half, height]])


def to_common_frame(landmarks: Float32Array, common: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The similarity (turn, scale, shift) that takes points of the common frame to points of one input.

    Args:
        landmarks: (5, 2) of that input.
        common: (2, 2) from `common_eyes`.

    Returns:
        (2, 3) float64 A: ``p = A[:, :2] @ c + A[:, 2]``.
    """
    # as complex numbers a similarity is one product and one sum
    here = landmarks[EYES, :].astype(np.float64) @ np.array([1, 1j])
    there = common @ np.array([1, 1j])
    turn = (here[1] - here[0]) / (there[1] - there[0])
    shift = here[0] - turn * there[0]
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def warp(values: Tensor, transforms: Tensor) -> tuple[Tensor, Tensor]:
    """Values seen in the common frame (bilinear).

    Args:
        values: (B, K, h, w) float32 over the whole input.
        transforms: (B, 2, 3) from `to_common_frame`.

    Returns:
        (B, K, h, w) float32, zero where the frame reaches beyond the input; and (B, 1, h, w) float32, 1 inside.
    """
    scale, shift = transforms[:, :, :2], transforms[:, :, 2]
    # grid_sample counts from -1 to 1: u = 2 p - 1
    moved = 2 * shift + scale.sum(2) - 1
    grid = F.affine_grid(torch.cat([scale, moved[:, :, None]], 2).float(), list(values.shape), align_corners=False)
    inside = (grid.abs().amax(3) <= 1).to(values.dtype)[:, None]
    warped = F.grid_sample(values, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return warped * inside, inside
