"""What an explanation found, as plain data: maps, feature maps, units, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mesoscope.explain.colours import MapScale
from mesoscope.explain.faithfulness import Faithfulness
from mesoscope.explain.sanity import Sanity
from mesoscope.types import Box, FileResult, Float32Array, Outcome, Scene, TrackResult, UInt8Image

Truth = Literal["real", "fake"]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """What one layer gives for one input.

    Attributes:
        name: of the layer, as `Network.layers` and ``--layer`` know it.
        planes: (K, h, w) float32, all its channels.
        what: at which point: ``after its ReLU``, ``before any activation``.
    """

    name: str
    planes: Float32Array
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What the last hidden layer adds to the logit.

    Attributes:
        layer: name of the dense layer that makes the logit.
        values: (D,) float32, the layer's input.
        contributions: (D,) float32, value times weight towards fake; with `bias` their sum is the logit.
        bias: of the logit.
    """

    layer: str
    values: Float32Array
    contributions: Float32Array
    bias: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One method's answer for one face.

    Attributes:
        method, unit: of the map's values.
        layer: it was taken from, in words; empty where the method takes none.
        map: (h, w) float32, positive speaks for fake.
        scale: its range and floor.
        faithfulness, sanity: measured, or None where it was not.
    """

    method: str
    unit: str
    layer: str
    map: Float32Array
    scale: MapScale
    faithfulness: Faithfulness | None = None
    sanity: Sanity | None = None

    @property
    def localised(self) -> bool:
        """Whether the map may be read as a place: above its floor, and not shown to be no better than chance."""
        tested = self.faithfulness
        return self.scale.localised and (tested is None or not tested.decides or tested.better_than_chance)

    @property
    def verdict(self) -> str:
        """What may be read from the map, in a sentence."""
        if not self.scale.localised:
            return (
                f"No localised evidence: the peak {self.scale.peak:.2g} is below {self.scale.floor:.2g}, "
                "what the method shows on plain grey."
            )
        if self.faithfulness is None:
            return "Not tested for faithfulness."
        return self.faithfulness.sentence


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedFace:
    """A face (or whole picture) with everything that was found.

    Attributes:
        title: ``face 2``, ``track 1`` or ``picture``.
        square: the area that was judged, in pixels of the original.
        pixels: (S, S, 3) uint8 RGB, what the network was shown.
        outcome, probability, logit: as in the result.
        views: one a method.
        layers: the convolutions' feature maps, from the input on; empty where the network is not open.
        units: of the last hidden layer, or None.
        when: where it stands in a video, in words; empty for a picture.
    """

    title: str
    square: Box
    pixels: UInt8Image
    outcome: Outcome
    probability: float
    logit: float
    views: list[View]
    layers: list[FeatureMaps] = field(default_factory=list)
    units: Units | None = None
    when: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One person on one sampled frame of a video.

    Attributes:
        frame, time: index and seconds.
        square: that was judged, in pixels of the frame.
        pixels: (s, s, 3) uint8 RGB of the square, small.
        map: (h, w) float32.
        probability, logit: of this frame.
    """

    frame: int
    time: float
    square: Box
    pixels: UInt8Image
    map: Float32Array
    probability: float
    logit: float


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedTrack:
    """One person through a video.

    Attributes:
        result: as `detect` gives it.
        shots: every sampled frame on which the person was judged, in time order.
        deciding: the frame that carried the outcome most, explained in full; None where no frame was judged.
    """

    result: TrackResult
    shots: list[Shot]
    deciding: ExplainedFace | None


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One file.

    Attributes:
        result: as `detect` gives it.
        truth: its label in a manifest, or None where nobody said.
        scene: the picture, small, with the first method's maps; None for a video or an error.
        faces: of a picture.
        tracks: of a video.
    """

    result: FileResult
    truth: Truth | None
    scene: Scene | None
    faces: list[ExplainedFace]
    tracks: list[ExplainedTrack]

    @property
    def right(self) -> bool | None:
        """Whether the outcome is the label; None without a label or without a clear answer."""
        if self.truth is None or self.result.outcome not in (Outcome.FAKE, Outcome.REAL):
            return None
        return self.result.outcome.value == self.truth


def shown_input(one: Float32Array, mean: list[float], std: list[float], channel_order: str) -> UInt8Image:
    """What a network was shown, as a picture: the way back from `mesoscope.preprocess.to_input`.

    Args:
        one: (3, S, S) float32.
        mean: per channel, of values in [0, 1], in `channel_order`.
        std: likewise.
        channel_order: ``rgb`` or ``bgr``.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    values = one.transpose(1, 2, 0) * np.asarray(std, np.float32) + np.asarray(mean, np.float32)
    if channel_order == "bgr":
        values = values[..., ::-1]
    return np.ascontiguousarray(np.rint(values * 255).clip(0, 255).astype(np.uint8))
