"""What the parts hand to each other: boxes and faces going in, results and evidence coming out.

`FileResult` and what hangs below it is the public JSON (``docs/results-json.md``); the dataclasses carry
arrays and never leave the process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

RESULTS_VERSION = "1.0"
"""Version of the results' JSON. The first number changes when a reader must change."""

UInt8Image = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, upright."""
Float32Array = npt.NDArray[np.float32]

Kind = Literal["picture", "video"]
WarningCode = Literal[
    "uncalibrated", "squeezed", "animation_first_frame", "transparency_on_white", "video_truncated", "video_damaged"
]
"""The whole vocabulary of `FileResult.warnings`; docs/results-json.md says what each means."""


class Outcome(StrEnum):
    """What is said of a file, a face or a track. No number ever stands for the last two."""

    FAKE = "fake"
    REAL = "real"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright picture; right and bottom are exclusive.

    It may reach over the picture's edge (a face finder may say so, a square crop often does).
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.right > self.left and self.bottom > self.top):
            raise ValueError(f"empty box: {self}")

    @property
    def width(self) -> float:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) in pixels."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        intersection = width * height
        return intersection / (self.area + other.area - intersection)

    def scaled(self, factor: float) -> Box:
        """The same box in a picture resized by `factor`."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def as_tuple(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom), rounded to a tenth of a pixel, as the JSON has it."""
        return (round(self.left, 1), round(self.top, 1), round(self.right, 1), round(self.bottom, 1))


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face as a finder saw it.

    Attributes:
        box: framed as dlib's HOG detector frames a face (brows to chin); finders that frame otherwise
            convert, so that a bundle's crop margin means the same with every finder.
        score: the finder's own confidence, in its own units (None where it has none).
        landmarks: (5, 2) float32 x, y in pixels: right eye, left eye, nose tip, right and left mouth corner
            (right and left are the person's), or None.
    """

    box: Box
    score: float | None = None
    landmarks: Float32Array | None = None


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


BoxTuple = tuple[float, float, float, float]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Answered(_Result):
    """An outcome with its number: a probability exactly where the outcome is one of the three answers."""

    outcome: Outcome
    probability: Probability | None
    logit: float | None

    @model_validator(mode="after")
    def _no_number_for_a_failure(self) -> _Answered:
        failed = self.outcome in (Outcome.NOT_APPLICABLE, Outcome.ERROR)
        if failed != (self.probability is None) or failed != (self.logit is None):
            raise ValueError(f"outcome {self.outcome} with probability {self.probability}")
        return self


class FaceResult(_Answered):
    """One face of a picture.

    Attributes:
        box: left, top, right, bottom in pixels of the upright picture.
        finder_score: the face finder's own confidence, in its own units.
        reason: why there is no answer for this face (face too small), else null.
    """

    box: BoxTuple
    finder_score: float | None
    reason: str | None = None


class FrameResult(_Result):
    """One person's face on one sampled frame of a video.

    Attributes:
        frame: index of the frame in the video, from 0.
        time: its presentation time in seconds.
    """

    frame: int
    time: float
    box: BoxTuple
    probability: Probability
    logit: float
    finder_score: float | None


class TrackResult(_Answered):
    """One person's face through a video; the logit is the mean over its frames.

    Attributes:
        id: from 1, in the order of appearance.
        start, end: seconds of its first and last sampled frame.
        decided_by: indices of the frames that carried the outcome most, strongest first.
        reason: why there is no answer for this track, else null.
    """

    id: int
    start: float
    end: float
    frames: list[FrameResult]
    decided_by: list[int]
    reason: str | None = None


class FileResult(_Answered):
    """The answer for one file. This is the JSON that `--json` and `--jsonl` print.

    Attributes:
        version: of this format (`RESULTS_VERSION`).
        path: as given; ``-`` for standard input.
        sha256: of the file's bytes, or null where they could not be read.
        kind: picture or video, or null where that could not be told.
        width, height: of the upright picture or frame, in pixels.
        outcome: that of the highest-scoring face or track; `decided_by` says which.
        probability: calibrated probability of fake; null where the outcome is error or not_applicable.
        threshold: the probability from which on this answer says fake.
        decided_by: ``face 2``, ``track 1`` or ``picture``.
        bundle: name-version of the bundle that judged; `bundle_sha256` is that of its bundle.json.
        warnings: codes, in a fixed vocabulary (docs/results-json.md); `messages` has a sentence for each.
        error: the reason, for error and not_applicable.
        mesoscope: version of the program.
    """

    version: str = RESULTS_VERSION
    path: str
    sha256: str | None
    kind: Kind | None
    width: int | None = None
    height: int | None = None
    threshold: Probability | None
    decided_by: str | None = None
    faces: list[FaceResult] = Field(default_factory=list)
    tracks: list[TrackResult] = Field(default_factory=list)
    bundle: str
    bundle_sha256: str
    warnings: list[WarningCode] = Field(default_factory=list)
    messages: dict[WarningCode, str] = Field(default_factory=dict)
    error: str | None = None
    mesoscope: str

    @model_validator(mode="after")
    def _a_failure_has_a_reason(self) -> FileResult:
        failed = self.outcome in (Outcome.NOT_APPLICABLE, Outcome.ERROR)
        if failed != (self.error is not None):
            raise ValueError(f"outcome {self.outcome} with error {self.error!r}")
        if set(self.warnings) != set(self.messages):
            raise ValueError("every warning has a message and every message a warning")
        return self


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning on its way to `FileResult.warnings` (code) and `.messages` (sentence)."""

    code: WarningCode
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFace:
    """A face (or, for bundles that judge whole pictures, the picture) with what the network saw in it.

    Attributes:
        title: ``face 2``, ``track 1`` or ``picture``.
        box: the finder's box, in pixels of the upright picture.
        square: the area that was cropped, squared and judged, in the same pixels; may reach over the edge.
        map: (h, w) float32 over `square`: positive speaks for fake, negative for real; or None.
        outcome, probability: as in the result; None for faces that got no answer.
        reason: why there is no answer, else None.
    """

    title: str
    box: Box
    square: Box
    map: Float32Array | None
    outcome: Outcome
    probability: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture or a frame, small enough to show, and the faces judged in it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, resized to fit a report.
        scale: displayed pixels per original pixel (boxes are in original pixels: multiply).
        frame, time: index and seconds for a video's frame; None for a picture.
    """

    pixels: UInt8Image
    scale: float
    faces: list[JudgedFace] = field(default_factory=list)
    frame: int | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FrameMap:
    """What the network saw in one face of one sampled frame, for an annotated copy of the video.

    Attributes:
        frame: index in the video.
        square: the area that was judged, in pixels of the upright frame.
        map: (h, w) float32, signed as in `JudgedFace`.
    """

    frame: int
    square: Box
    map: Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a report shows beside the numbers.

    Attributes:
        scenes: the picture itself (one); empty for a video.
        tracks: for a video, track id to the frames that decided it, in time order.
        maps: for a video, track id to the map of each of its judged frames, in time order.
    """

    scenes: list[Scene] = field(default_factory=list)
    tracks: dict[int, list[Scene]] = field(default_factory=dict)
    maps: dict[int, list[FrameMap]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """An answer with, where a report or overlay was asked for, its evidence."""

    result: FileResult
    evidence: Evidence | None = None
