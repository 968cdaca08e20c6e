"""P-values of many tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesoscope.metrics.undefined import Floats


def holm(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values: below a level, the chance of even one false claim among all is below that level.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979.

    Args:
        p: (K,), in any order.

    Returns:
        (K,) float64 in the same order, at most 1.
    """
    values, order = _sorted(p)
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    return _back(stepped, order)


def benjamini_hochberg(p: Sequence[float] | Floats) -> Floats:
    """Adjusted p-values: of those below a level, at most that share is expected to be false.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 57, 1995.

    Args:
        p: (K,), in any order.

    Returns:
        (K,) float64 in the same order, at most 1.
    """
    values, order = _sorted(p)
    scaled = values[order] * values.size / np.arange(1, values.size + 1)
    return _back(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _sorted(p: Sequence[float] | Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    values = np.asarray(p, np.float64).reshape(-1)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a p-value lies in [0, 1]")
    return values, np.argsort(values, kind="stable")


def _back(adjusted: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats:
    result = np.empty_like(adjusted)
    result[order] = np.minimum(adjusted, 1.0)
    return result
