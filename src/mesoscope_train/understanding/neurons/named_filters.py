"""The image filters that a kernel is compared with, and how near a kernel without meaning comes to one of them.

Smooth filters are derivatives of a Gaussian whose standard deviation is a quarter of the kernel's side (J. Canny, "A
Computational Approach to Edge Detection", 1986; D. Marr and E. Hildreth, "Theory of Edge Detection", 1980, for the
Laplacian). A kernel and its negative are the same filter; the sign is told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STEP = 15
"""Degrees between two directions that have names of their own."""
_RANDOM = 2000
_COLOURS: Mapping[str, tuple[float, float, float]] = {
    "brightness": (1, 1, 1),
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "red against green": (1, -1, 0),
    "red against blue": (1, 0, -1),
    "green against blue": (0, 1, -1),
    "blue against yellow": (-0.5, -0.5, 1),
    "red against cyan": (1, -0.5, -0.5),
    "green against magenta": (-0.5, 1, -0.5),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """The named filter that a kernel is most like.

    Attributes:
        name: of the filter.
        correlation: cosine of the angle between the two as vectors, -1 to 1; below 0 the kernel is its negative.
        chance: the absolute correlation that 95 % of random kernels of this size stay below.
    """

    name: str
    correlation: float
    chance: float

    @property
    def words(self) -> str:
        """``minus Laplacian, r = 0.93``; in brackets where random kernels often come as near."""
        sign = "minus " if self.correlation < 0 else ""
        text = f"{sign}{self.name}, r = {abs(self.correlation):.2f}"
        return text if abs(self.correlation) > self.chance else f"({text}: as a random kernel)"


def nearest(pattern: Floats) -> Likeness:
    """What a kernel is most like.

    Args:
        pattern: (k, k), or (3,) for a mix of colours; not all zero.
    """
    shape = pattern.shape
    names, filters = _named(shape)
    unit = pattern.ravel() / np.linalg.norm(pattern)
    likeness = filters @ unit
    best = int(np.abs(likeness).argmax())
    return Likeness(names[best], float(likeness[best]), _chance(shape))


@cache
def _chance(shape: tuple[int, ...]) -> float:
    _, filters = _named(shape)
    random = np.random.default_rng(0).standard_normal((_RANDOM, filters.shape[1]))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    return float(np.quantile(np.abs(random @ filters.T).max(1), 0.95))


@cache
def _named(shape: tuple[int, ...]) -> tuple[tuple[str, ...], Floats]:
    """Names, and the filters as unit vectors in rows."""
    found = (
        {name: np.array(value, np.float64) for name, value in _COLOURS.items()}
        if len(shape) == 1
        else _spatial(shape)
    )
    rows = np.stack([values.ravel() / np.linalg.norm(values) for values in found.values()])
    return tuple(found), rows


def _spatial(shape: tuple[int, ...]) -> dict[str, Floats]:
    height, width = shape
    y, x = (np.arange(side) - (side - 1) / 2 for side in (height, width))
    y, x = np.meshgrid(y, x, indexing="ij")
    variance = (max(height, width, 3) / 4) ** 2
    gauss = np.exp(-(x**2 + y**2) / (2 * variance))
    found = {"blur": gauss, "box blur": np.ones(shape)}
    if height % 2 and width % 2:
        delta = np.zeros(shape)
        delta[height // 2, width // 2] = 1
        found |= {"no filter (identity)": delta, "sharpening": 2 * delta - gauss / gauss.sum()}
    for angle in range(0, 180, STEP):
        along = x * np.cos(np.radians(angle)) - y * np.sin(np.radians(angle))
        across = x * np.sin(np.radians(angle)) + y * np.cos(np.radians(angle))
        found[f"first derivative at {angle}°"] = along * gauss
        found[f"second derivative at {angle}°"] = _balanced((along**2 / variance - 1) * gauss)
        if angle < 90:
            found[f"saddle at {angle}°"] = _balanced((along**2 - across**2) * gauss)
    found["Laplacian, wide"] = _balanced(((x**2 + y**2) / variance - 2) * gauss)
    if height % 2 and width % 2 and min(shape) >= 3:
        # the plain stencil of four neighbours: a smooth one that small has no room for its shoulders
        found["Laplacian"] = np.zeros(shape)
        found["Laplacian"][height // 2 - 1 : height // 2 + 2, width // 2] = 1
        found["Laplacian"][height // 2, width // 2 - 1 : width // 2 + 2] = (1, -4, 1)
    return {name: values for name, values in found.items() if np.linalg.norm(values) > 1e-9}


def _balanced(values: Floats) -> Floats:
    """Without an answer to an even surface."""
    return values - values.mean()
