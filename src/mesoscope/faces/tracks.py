"""Following faces over the sampled frames of a video: which face is the same person as one seen before.

An association in two steps, each optimal (the assignment of least total cost, H. W. Kuhn, "The Hungarian
method for the assignment problem", 1955, as `scipy.optimize.linear_sum_assignment`), as in A. Bewley et al.,
"Simple online and realtime tracking", arXiv:1602.00763, but without a motion model: samples may lie seconds
apart, where a constant velocity says nothing.

1. **By place.** A face may continue a track when it overlaps the track's last box, or when the centres lie
   within a gate of face sizes that widens with the time in between; sizes must be alike. What it looks like
   must not speak against it, so that a scene cut in which another person takes the same place starts a new
   track.
2. **By looks.** Faces and tracks that are left (someone walked, left and came back, the camera cut away and
   back) are joined when the colours in and around the boxes are close enough, wherever they are, and clearly
   closer than those of any other track.

What a face looks like is a coarse colour histogram of the box widened by three fifths (skin, hair, a little
clothing and background): enough to tell two persons of one clip from each other, no biometric identity. A person
who changes clothes or light between two scenes may get two tracks; two persons get one only where they look
alike and follow each other in the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from mesoscope.preprocess import crop, square_around
from mesoscope.types import Box, Float32Array, FoundFace, UInt8Image

GATE = 1.0
"""How far a face's centre may move between two samples at once, in face sizes."""
GATE_PER_SECOND = 1.5
LARGEST_GATE = 2.5
"""People are not looked for further away than this by place alone."""
LARGEST_GROWTH = 2.0
"""Ratio of two sizes from which on they are not taken for the same face by place."""
CONTRADICTION = 0.40
"""Distance of looks from which on place no longer convinces (within one scene they stay below 0.3)."""
SAME_LOOKS = 0.25
"""Distance of looks up to which a face is taken for the same person anywhere in the frame."""
CLEARLY = 0.05
"""How much closer than any other candidate it must be then."""
LOOKS_MARGIN = 0.6
LOOKS_SIDE = 32
"""Faces are thinned to about this many pixels a side before their colours are counted."""
LEVELS = 6
"""Histogram levels of each colour channel."""
LOOKS_MEMORY = 0.8
"""Share of a track's old looks that stays at each sighting."""
PASSING = 0.1
"""A track with fewer sightings than this share of the longest track's is passing …"""
PASSING_SIGHTINGS = 2
"""… unless it has more sightings than this."""
_IMPOSSIBLE = 1e6


@dataclass(slots=True, eq=False)
class _Track:
    """What is remembered of a person: bounded, however long the video is."""

    number: int
    box: Box
    time_s: float
    looks: Float32Array
    sightings: int = 1

    def see(self, time_s: float, box: Box, looks: Float32Array) -> None:
        self.box, self.time_s = box, time_s
        self.looks = LOOKS_MEMORY * self.looks + (1 - LOOKS_MEMORY) * looks
        self.sightings += 1


class Tracker:
    """Gives each face of each frame the number of its track. Frames come in time order, one call each.

    Memory grows with the number of tracks (about a kilobyte each), not of frames. Not for several threads.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._last: float | None = None

    def update(self, frame_index: int, time_s: float, faces: Sequence[FoundFace], pixels: UInt8Image) -> list[int]:
        """Assign the faces of one frame.

        Args:
            frame_index: of the frame in the video, for messages.
            time_s: its time in seconds, not before that of the frame before.
            faces: found in it; may be empty.
            pixels: (H, W, 3) uint8, the frame; nothing of it is kept.

        Returns:
            The track of each face, in the order of `faces`; no two alike. Numbers start at 1 and go up in the
            order of appearance, within a frame from left to right.

        Raises:
            ValueError: time runs backwards.
        """
        if self._last is not None and time_s < self._last:
            raise ValueError(f"frame {frame_index} at {time_s:g} s comes after one at {self._last:g} s")
        self._last = time_s
        if not faces:
            return []
        looks = [looks_of(pixels, face.box) for face in faces]
        distances = np.array([[_distance(track.looks, look) for track in self._tracks] for look in looks])
        distances = distances.reshape(len(faces), len(self._tracks))
        pairs = dict(_cheapest(self._by_place(time_s, faces, distances)))
        pairs |= self._by_looks(pairs, distances)
        for row, column in pairs.items():
            self._tracks[column].see(time_s, faces[row].box, looks[row])
        for row in sorted(set(range(len(faces))) - set(pairs), key=lambda row: faces[row].box.left):
            pairs[row] = len(self._tracks)
            self._tracks.append(_Track(len(self._tracks) + 1, faces[row].box, time_s, looks[row]))
        return [self._tracks[pairs[row]].number for row in range(len(faces))]

    def kept(self) -> list[int]:
        """Numbers of the tracks that count, in the order of appearance; the others are passing false finds.

        A track is passing where it has at most `PASSING_SIGHTINGS` sightings and fewer than `PASSING` of the
        longest track's. So the longest track always counts, and in a short sample every one does.
        """
        longest = max((track.sightings for track in self._tracks), default=0)
        return [
            track.number
            for track in self._tracks
            if track.sightings > PASSING_SIGHTINGS or track.sightings >= PASSING * longest
        ]

    def _by_place(self, time_s: float, faces: Sequence[FoundFace], looks: npt.NDArray[np.float64]) -> _Costs:
        costs = np.full(looks.shape, _IMPOSSIBLE)
        for row, face in enumerate(faces):
            for column, track in enumerate(self._tracks):
                if looks[row, column] < CONTRADICTION:
                    costs[row, column] = _cost_of_place(track, face.box, time_s) + looks[row, column]
        return costs

    def _by_looks(self, taken: dict[int, int], looks: npt.NDArray[np.float64]) -> dict[int, int]:
        costs = looks.copy()
        costs[list(taken.keys()), :] = _IMPOSSIBLE
        for row in range(len(looks)):
            closest = np.sort(looks[row])
            clear = len(closest) < 2 or closest[1] - closest[0] >= CLEARLY
            costs[row, (looks[row] > SAME_LOOKS) | (looks[row] > closest[:1].sum()) | (not clear)] = _IMPOSSIBLE
        costs[:, list(taken.values())] = _IMPOSSIBLE
        return dict(_cheapest(costs))


_Costs = npt.NDArray[np.float64]


def _cost_of_place(track: _Track, box: Box, time_s: float) -> float:
    """1 - overlap plus the distance of the centres in face sizes; `_IMPOSSIBLE` outside the gate."""
    sizes = track.box.area**0.5, box.area**0.5
    if max(sizes) > LARGEST_GROWTH * min(sizes):
        return _IMPOSSIBLE
    (x, y), (u, v) = track.box.center, box.center
    moved = ((x - u) ** 2 + (y - v) ** 2) ** 0.5 / (sum(sizes) / 2)
    overlap = track.box.iou(box)
    gate = min(LARGEST_GATE, GATE + GATE_PER_SECOND * (time_s - track.time_s))
    if overlap == 0 and moved > gate:
        return _IMPOSSIBLE
    return 1 - overlap + moved


def _cheapest(costs: _Costs) -> Iterable[tuple[int, int]]:
    """Pairs (row, column) of least total cost, none of them impossible."""
    if not costs.size:
        return []
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - 0.2 s that pictures need not pay

    rows, columns = linear_sum_assignment(costs)
    return [
        (int(row), int(column)) for row, column in zip(rows, columns, strict=True) if costs[row, column] < _IMPOSSIBLE
    ]


def looks_of(pixels: UInt8Image, box: Box) -> Float32Array:
    """Colours in and around a face's box, of its upper and its lower half.

    Each pixel is shared between the eight nearest of `LEVELS` ** 3 colours, so that a slight change of light
    moves the histogram slightly.

    Returns:
        (2 * LEVELS ** 3,) float32, the square root of the histogram's shares: a unit vector.
    """
    area = crop(pixels, square_around(box, LOOKS_MARGIN))
    step = max(1, area.shape[0] // LOOKS_SIDE)
    halves = np.array_split(area[::step, ::step], 2) if area.shape[0] > 1 else [area, area]
    shares = np.concatenate([_colours(half.reshape(-1, 3)) for half in halves]) / 2
    return np.sqrt(shares).astype(np.float32)


def _colours(colours: UInt8Image) -> _Costs:
    """Shares (LEVELS ** 3,) of (n, 3) uint8 colours, by trilinear interpolation."""
    levels = np.clip(colours / 256 * LEVELS - 0.5, 0, LEVELS - 1)
    low = np.minimum(levels.astype(np.intp), LEVELS - 2)
    high_share = levels - low
    counts = np.zeros(LEVELS**3)
    for up in product((0, 1), repeat=3):
        shares = np.where(up, high_share, 1 - high_share).prod(axis=1)
        codes = (low + up) @ np.array([LEVELS**2, LEVELS, 1])
        counts += np.bincount(codes, shares, minlength=LEVELS**3)
    return counts / len(colours)


def _distance(one: Float32Array, other: Float32Array) -> float:
    """Hellinger distance of two histograms, in [0, 1]: 0 alike, 1 not a colour in common."""
    likeness = float(one @ other) / (float(np.linalg.norm(one)) * float(np.linalg.norm(other)))
    return max(0.0, 1 - likeness) ** 0.5
