"""Keeping what a report shows: small pictures and what was judged in them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mesoscope.pipeline.framing import Candidate
from mesoscope.types import FaceResult, Float32Array, FrameResult, JudgedFace, Outcome, UInt8Image

SHOWN_SIDE = 1024
"""Longest side, in pixels, of pictures kept for reports."""
SHOWN_FRAME_SIDE = 640
"""That of a video's frames, of which six are kept for each track until its end."""


def shrink(pixels: UInt8Image, side: int = SHOWN_SIDE) -> tuple[UInt8Image, float]:
    """The picture with its longest side at most `side` pixels, and shown pixels per original pixel."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX)), scale


def judged_face(title: str, candidate: Candidate, map_: Float32Array | None, answer: FaceResult) -> JudgedFace:
    """A picture's face for a report."""
    return JudgedFace(
        title, candidate.face.box, candidate.area, map_, answer.outcome, answer.probability, answer.reason
    )


def judged_frame(
    title: str, candidate: Candidate, map_: Float32Array, frame: FrameResult, outcome: Outcome
) -> JudgedFace:
    """A track's face on one frame, with the outcome of its track."""
    return JudgedFace(title, candidate.face.box, candidate.area, map_, outcome, frame.probability)
