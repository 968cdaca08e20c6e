"""Frames of a video in an order whose every beginning is spread over the video."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.seeded import Keys

_DEEPEST = 40


def spread_ranks(video: Ints, frame: npt.NDArray[np.float64], video_key: Keys, row_key: Keys) -> Ints:
    """The place of each row in the order in which its video's frames are wanted.

    Each video is divided into 1, 2, 4, 8 … equal spans, beginning at a seeded place (else every video would give its
    first frame first); the first frame of every span is wanted before the spans are halved again. A second face in
    the same frame is wanted last. Rows without a frame count stand in the order of their keys.

    Args:
        video: (N,) code of each row's video.
        frame: (N,) index of the frame, NaN where unknown.
        video_key: (N,) a seeded number, equal within a video.
        row_key: (N,) a seeded number a row, which settles what is equal.

    Returns:
        (N,) ranks 0, 1, 2 … within each video.
    """
    place = _places(video, frame, video_key)
    order = np.lexsort((row_key, place, video))
    starts = _changes(video[order])
    depth = np.full(len(video), _DEEPEST)
    waiting = np.isfinite(place[order])
    for level in range(_DEEPEST):
        span = np.floor(np.ldexp(place[order], level))
        first = waiting & (starts | _changes(span))
        depth[order[first]] = level
        waiting &= ~first
        # equal places never part: once every different place has had its turn, the rest keeps the greatest depth
        if not (waiting & (starts | _changes(place[order]))).any():
            break
    wanted = np.lexsort((row_key, depth, video))
    return ranks_within(video, wanted)


def ranks_within(codes: Ints, order: Ints) -> Ints:
    """(N,) The place of each row among those of its code, where `order` sorts rows by code first."""
    starts = np.flatnonzero(_changes(codes[order]))
    counts = np.diff(starts, append=len(order))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(starts, counts)
    return ranks


def _places(video: Ints, frame: npt.NDArray[np.float64], video_key: Keys) -> npt.NDArray[np.float64]:
    """Frames as places 0 <= place < 1 in their video, turned by a seeded angle; NaN where unknown."""
    number = int(video.max()) + 1
    low, high = np.full(number, np.inf), np.full(number, -np.inf)
    known = np.isfinite(frame)
    np.minimum.at(low, video[known], frame[known])
    np.maximum.at(high, video[known], frame[known])
    angle = (video_key >> np.uint64(11)).astype(np.float64) / 2**53
    with np.errstate(invalid="ignore"):
        turned: npt.NDArray[np.float64] = ((frame - low[video]) / (high - low + 1)[video] + angle) % 1.0
    return turned


def _changes(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Where a value differs from the one before; true for the first."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]
    return changed
