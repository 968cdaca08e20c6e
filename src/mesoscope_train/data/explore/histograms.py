"""Distributions of a measurement, per class, as shares of the class: classes of different size can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BINS = 32
_WIDE = 8.0
_LOW_MEDIAN = 0.25
"""Largest over smallest value, and where in the range the median lies, for a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """A measurement's distribution.

    Attributes:
        edges: (B + 1,) of the bins, rising.
        shares: label to (B,) the part of its values in each bin; they sum to 1.
        counts: label to the number of its values.
        medians: label to its median.
        logarithmic: whether bins are equally wide on a logarithmic axis.
        whole: whether all values are whole numbers.
    """

    edges: Floats
    shares: dict[str, Floats]
    counts: dict[str, int]
    medians: dict[str, float]
    logarithmic: bool
    whole: bool


def histogram(values: Mapping[str, npt.NDArray[np.generic]]) -> Histogram | None:
    """The distribution of each class over the same bins.

    Args:
        values: label to (n,) numbers; what is not finite is left out, and so is a class without numbers.

    Returns:
        None where nothing is left.
    """
    finite = {label: _finite(numbers) for label, numbers in values.items()}
    finite = {label: numbers for label, numbers in finite.items() if len(numbers)}
    if not finite:
        return None
    everything = np.concatenate([*finite.values()])
    whole = bool((everything == np.rint(everything)).all())
    logarithmic = _is_skewed(everything)
    edges = (_logarithmic if logarithmic else _linear)(float(everything.min()), float(everything.max()), whole)
    return Histogram(
        edges,
        {label: np.histogram(numbers, edges)[0] / len(numbers) for label, numbers in finite.items()},
        {label: len(numbers) for label, numbers in finite.items()},
        {label: float(np.median(numbers)) for label, numbers in finite.items()},
        logarithmic,
        whole,
    )


def _finite(numbers: npt.NDArray[np.generic]) -> Floats:
    as_floats = np.asarray(numbers, np.float64)
    return as_floats[np.isfinite(as_floats)]


def _is_skewed(values: Floats) -> bool:
    """Whether most of a wide range holds few values, so that a linear axis would press the others together."""
    low, high = float(values.min()), float(values.max())
    return low > 0 and high / low >= _WIDE and (float(np.median(values)) - low) / (high - low) < _LOW_MEDIAN


def _logarithmic(low: float, high: float, whole: bool) -> Floats:
    if not whole:
        return np.geomspace(low, high, _BINS + 1)
    # bins narrower than one would stand empty between whole numbers
    return np.unique(np.floor(np.geomspace(low - 0.5, high + 0.5, _BINS + 1)) + 0.5)


def _linear(low: float, high: float, whole: bool) -> Floats:
    if whole:
        step = max(1.0, float(np.ceil((high - low + 1) / _BINS)))
        return np.arange(low - 0.5, high + step, step)
    return np.linspace(low, high if high > low else low + 1, _BINS + 1)
