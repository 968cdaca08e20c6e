"""Following faces over the sampled frames of a video: which face is the same person as one seen before.

An association in two steps, each optimal (the assignment of least total cost, H. W. Kuhn, "The Hungarian
method for the assignment problem", 1955, as `scipy.optimize.linear_sum_assignment`), as in A. Bewley et al.,
"Simple online and realtime tracking", arXiv:1602.00763, but without a motion model: samples may lie seconds
apart, where a constant velocity says nothing.

1. **By place.** A face may continue a track seen in one of the last samples when it overlaps that track's
   last box, or when the centres lie within a gate of face sizes that widens with the time in between; sizes
   must be alike. What it looks like must not speak against it, so that a scene cut in which another person
   takes the same place starts a new track; only where people pass in front of each other, and their colours
   mix, looks merely count among the costs, and are not remembered.
2. **By looks.** Faces and tracks that are left (someone walked, left and came back, the camera cut away and
   back) are joined where the colours in and around the boxes are close, wherever in the frame, and clearly
   closer than those of anyone who was seen beside that person.

What a face looks like is a coarse colour histogram of the box widened by three fifths (skin, hair, a little
clothing and background): enough to tell two persons of one clip from each other, no biometric identity. In
doubt a face gets a new track: one person in two tracks has two answers, which is true of both; two persons
in one track would share a mean that is true of neither. A person who changes clothes or light between two
scenes may so get two tracks; two persons share one only where they look alike and are never seen together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
CONTRADICTION = 0.33
"""Distance of looks from which on place no longer convinces (within one scene they stay below)."""
SAME_LOOKS = 0.25
"""Distance of looks up to which a face is taken for the same person anywhere in the frame."""
CLEARLY = 0.05
"""How much closer it must be to that person than to anyone who was seen in one frame with them."""
LOOKS_WEIGHT = 4.0
"""Face sizes of movement that one unit of distance of looks outweighs."""
RECENT = 6
"""Samples for which a place is remembered."""
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

_Costs = npt.NDArray[np.float64]


@dataclass(slots=True, eq=False)
class _Track:
    """What is remembered of a person: bounded, however long the video is."""

    number: int
    box: Box
    time_s: float
    sample: int
    looks: Float32Array
    latest: Float32Array
    sightings: int = 1
    beside: set[int] = field(default_factory=set)
    """Columns of the tracks that were seen in one frame with it: other people for certain."""

    def see(self, time_s: float, sample: int, box: Box) -> None:
        self.box, self.time_s, self.sample = box, time_s, sample
        self.sightings += 1

    def remember(self, looks: Float32Array) -> None:
        blended = LOOKS_MEMORY * self.looks + (1 - LOOKS_MEMORY) * looks
        self.looks = blended / np.linalg.norm(blended)
        self.latest = looks


class Tracker:
    """Gives each face of each frame the number of its track. Frames come in order, one call each.

    Memory grows with the number of tracks (about two kilobytes each), not of frames. Not for several threads.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._last_frame = -1
        self._sample = 0

    def update(self, frame_index: int, time_s: float, faces: Sequence[FoundFace], pixels: UInt8Image) -> list[int]:
        """Assign the faces of one frame. Call it for frames without faces too: they count as samples.

        Args:
            frame_index: of the frame in the video, above that of the frame before.
            time_s: its time in seconds.
            faces: found in it; may be empty.
            pixels: (H, W, 3) uint8, the frame; nothing of it is kept.

        Returns:
            The track of each face, in the order of `faces`; no two alike. Numbers start at 1 and go up in the
            order of appearance, within a frame from left to right.

        Raises:
            ValueError: the frames are out of order.
        """
        if frame_index <= self._last_frame:
            raise ValueError(f"frame {frame_index} comes after frame {self._last_frame}")
        self._last_frame = frame_index
        self._sample += 1
        if not faces:
            return []
        looks = np.stack([looks_of(pixels, face.box) for face in faces])
        distances = self._distances(looks)
        boxes = [face.box for face in faces]
        mixed = _mixed(boxes)
        pairs = _cheapest(self._by_place(time_s, boxes, distances, mixed))
        pairs |= _cheapest(self._by_looks(pairs, distances))
        for row, column in pairs.items():
            self._tracks[column].see(time_s, self._sample, boxes[row])
            if row not in mixed:
                self._tracks[column].remember(looks[row])
        for row in sorted(set(range(len(faces))) - set(pairs), key=lambda row: boxes[row].left):
            pairs[row] = len(self._tracks)
            number = len(self._tracks) + 1
            self._tracks.append(_Track(number, boxes[row], time_s, self._sample, looks[row], looks[row]))
        for column in pairs.values():
            self._tracks[column].beside |= set(pairs.values()) - {column}
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

    def _distances(self, looks: Float32Array) -> _Costs:
        """Hellinger distances (faces, tracks) of looks, in [0, 1]: 0 alike, 1 not a colour in common.

        To what a track looked like on average or last, whichever is closer: light may change step by step.
        """
        if not self._tracks:
            return np.zeros((len(looks), 0))
        average = looks @ np.stack([track.looks for track in self._tracks]).T
        latest = looks @ np.stack([track.latest for track in self._tracks]).T
        distances: _Costs = np.sqrt(np.clip(1 - np.maximum(average, latest).astype(np.float64), 0, 1))
        return distances

    def _by_place(self, time_s: float, boxes: Sequence[Box], distances: _Costs, mixed: set[int]) -> _Costs:
        costs = np.full(distances.shape, _IMPOSSIBLE)
        for column, track in enumerate(self._tracks):
            if self._sample - track.sample > RECENT:
                continue
            for row, box in enumerate(boxes):
                distance = distances[row, column]
                if distance < CONTRADICTION or row in mixed:
                    costs[row, column] = _cost_of_place(track, box, time_s) + LOOKS_WEIGHT * distance
        return costs

    def _by_looks(self, taken: dict[int, int], distances: _Costs) -> _Costs:
        costs = np.full(distances.shape, _IMPOSSIBLE)
        for row in set(range(len(distances))) - set(taken):
            for column in set(range(len(self._tracks))) - set(taken.values()):
                distance = distances[row, column]
                others = distances[row, list(self._tracks[column].beside)]
                if distance <= SAME_LOOKS and others.min(initial=1) - distance >= CLEARLY:
                    costs[row, column] = distance
        return costs


def _mixed(boxes: Sequence[Box]) -> set[int]:
    """Those boxes around which another face shows, so that their looks are not theirs alone."""
    around = [square_around(box, LOOKS_MARGIN) for box in boxes]
    return {
        row
        for row, area in enumerate(around)
        if any(other != row and area.iou(box) > 0 for other, box in enumerate(boxes))
    }


def _cost_of_place(track: _Track, box: Box, time_s: float) -> float:
    """1 - overlap plus the distance of the centres in face sizes; `_IMPOSSIBLE` outside the gate."""
    sizes = math.sqrt(track.box.area), math.sqrt(box.area)
    if max(sizes) > LARGEST_GROWTH * min(sizes):
        return _IMPOSSIBLE
    (x, y), (u, v) = track.box.center, box.center
    moved = math.hypot(x - u, y - v) / (sum(sizes) / 2)
    overlap = track.box.iou(box)
    gate = min(LARGEST_GATE, GATE + GATE_PER_SECOND * abs(time_s - track.time_s))
    if overlap == 0 and moved > gate:
        return _IMPOSSIBLE
    return 1 - overlap + moved


def _cheapest(costs: _Costs) -> dict[int, int]:
    """Rows to columns at the least total cost; rows without a possible column are left out."""
    if not (costs < _IMPOSSIBLE).any():
        return {}
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - 0.2 s that pictures need not pay

    rows, columns = linear_sum_assignment(costs)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in pairs if costs[row, column] < _IMPOSSIBLE}


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
