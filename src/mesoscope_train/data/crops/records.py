"""What is known of one source file when its faces are cut out: plain data that survives JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mesoscope.types import Kind

Reason = Literal["no_face", "several_faces", "too_small", "unreadable", "process_died"]
"""Why something was left out."""
REASONS: Mapping[Reason, str] = {
    "no_face": "no face",
    "several_faces": "several faces",
    "too_small": "face too small",
    "unreadable": "cannot be read",
    "process_died": "reading it ended the process",
}
"""Each reason in words, in the order of tables."""
WHOLE_FILE: tuple[Reason, ...] = ("unreadable", "process_died")
"""Reasons that concern a file and not its frames."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One file with a face.

    Attributes:
        path: relative to the directory of the run, with forward slashes.
        frame, time: index and seconds in the video; None for a picture.
        face: number of the face among all that were found in the frame, from 0, left to right.
        width, height: in pixels, as cut, before the crop was scaled.
        box: left, top, right, bottom of the finder's box in pixels of the upright frame, unrounded.
        score: the finder's, None where it has none.
        size: of the file in bytes: a resumed run takes a file of another size for one that was never finished.
        landmarks: as the manifest's column of that name; None where the finder has none.
    """

    path: str
    frame: int | None
    time: float | None
    face: int
    width: int
    height: int
    box: tuple[float, float, float, float]
    score: float | None
    size: int
    landmarks: str | None = None


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One source file that was dealt with.

    Attributes:
        row: its row in the manifest, from 0.
        path: of the source file, as in the manifest.
        kind: picture or video; None where it could not be read.
        frames: how many were looked at; 1 for a picture.
        crops: in the order of frames, then of faces.
        left_out: reason to how often: faces for ``too_small``, frames for the other reasons about frames.
        crowded: frames with several faces that were kept all the same.
        notices: codes of what the reader remarked (``video_truncated``).
        error: why nothing of the file could be used, a sentence; None where it could be read.
    """

    row: int
    path: str
    kind: Kind | None
    frames: int = 0
    crops: tuple[Crop, ...] = ()
    left_out: Mapping[Reason, int] = field(default_factory=dict)
    crowded: int = 0
    notices: tuple[str, ...] = ()
    error: str | None = None

    def frames_kept(self) -> int:
        """Frames of which at least one face was kept."""
        return len({crop.frame for crop in self.crops})

    def to_json(self) -> dict[str, Any]:
        """For a line of the journal."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> FileRecord:
        """Read what `to_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        crops = tuple(Crop(**{**crop, "box": _four(crop["box"])}) for crop in raw["crops"])
        return cls(**{**raw, "crops": crops, "notices": tuple(raw["notices"])})


def _four(box: list[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left, top, right, bottom
