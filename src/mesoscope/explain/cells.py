"""Maps as cells: maps of single pixels are summed up, and pixels know the rank of their cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mesoscope.types import Float32Array

MOST_CELLS = 32
"""A side of more cells than this is summed up to it: evidence of single pixels is neither seen nor testable."""


def to_cells(values: Float32Array, most: int = MOST_CELLS) -> Float32Array:
    """Sum a map up to at most `most` cells a side; the total stays.

    Args:
        values: (h, w) float32.
        most: cells a side.

    Returns:
        (min(h, most), min(w, most)) float32; `values` itself where it is small enough.
    """
    for axis in (0, 1):
        length = values.shape[axis]
        if length > most:
            starts = np.arange(most) * length // most
            values = np.add.reduceat(values, starts, axis=axis)
    return values


def ranks(values: Float32Array, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The place of each cell in the order from the largest value to the smallest; ties fall by chance.

    Args:
        values: (h, w) float32.
        rng: for the ties.

    Returns:
        (h, w) int64, a permutation of 0 … h * w - 1.
    """
    flat = values.ravel()
    order = np.lexsort((rng.random(flat.size), -flat))
    places = np.empty(flat.size, np.int64)
    places[order] = np.arange(flat.size)
    return places.reshape(values.shape)


def at_pixels(cells: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Each pixel's cell value: (h, w) to (size, size)."""
    high, wide = cells.shape
    rows, columns = np.arange(size) * high // size, np.arange(size) * wide // size
    return cells[np.ix_(rows, columns)]
