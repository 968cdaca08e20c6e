"""From the logits of a video's rows to the video's one logit."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mesoscope.metrics.undefined import Bools, Floats, Ints

Method = Literal["mean", "top-k", "per-track"]
TOP = 10
"""One row in this many counts for ``top-k``, at least one."""


def aggregate(logits: Floats, units: Ints, method: Method, tracks: Ints | None = None) -> Floats:
    """One logit for each unit.

    Args:
        logits: (N,), finite.
        units: (N,) codes 0 … U - 1, each of them present.
        method: ``mean`` of all rows; ``top-k``: mean of the k highest, k a tenth of the rows, at least one;
            ``per-track``: mean over each track's rows, then the highest track, as the product judges a video.
        tracks: (N,) codes of the faces in it, for ``per-track``; the same number in two units is two tracks.

    Returns:
        (U,) float64.

    Raises:
        ValueError: ``per-track`` without tracks.
    """
    count = int(units.max()) + 1 if units.size else 0
    if method == "mean":
        return _means(logits, units, count)
    if method == "top-k":
        return _means(*_highest(logits, units, count), count)
    if tracks is None:
        raise ValueError("per-track needs to know the track of each row")
    pairs, codes = np.unique(np.stack([units, tracks]), axis=1, return_inverse=True)
    of_tracks = _means(logits, np.asarray(codes.reshape(-1), np.int64), pairs.shape[1])
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, pairs[0], of_tracks)
    return highest


def interpolate_probability(logits: Floats, known_logits: Floats, known_probabilities: Floats) -> Floats:
    """Probabilities of new logits from those that a calibration gave to others: straight lines in the log-odds.

    Exact for temperature and Platt scaling, which are straight lines there, up to the saturation of a float. The new
    ones, (M,), lie inside the range of the known ones, (N,).
    """
    order = np.argsort(known_logits, kind="stable")
    odds = np.interp(logits, known_logits[order], log_odds(known_probabilities[order]))
    return np.asarray(0.5 * (1 + np.tanh(odds / 2)))


def log_odds(probabilities: Floats) -> Floats:
    """Logarithm of p / (1 - p), finite: p is kept one rounding step away from 0 and 1."""
    step = np.finfo(np.float64).eps
    kept = np.clip(probabilities, step, 1 - step)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def _means(logits: Floats, units: Ints, count: int) -> Floats:
    return np.asarray(
        np.bincount(units, weights=logits, minlength=count) / np.bincount(units, minlength=count), np.float64
    )


def _highest(logits: Floats, units: Ints, count: int) -> tuple[Floats, Ints]:
    order = np.lexsort((-logits, units))
    sizes = np.bincount(units, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.arange(units.size) - starts[units[order]]
    kept: Bools = rank < np.maximum(1, sizes // TOP)[units[order]]
    return logits[order][kept], units[order][kept]
