"""YuNet: a small convolutional face detector, better than dlib's on turned, small and tightly cropped faces.

Paper: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research
20 (2023), doi:10.1007/s11633-023-1423-y. Graph and weights: Shiqi Yu and others,
https://github.com/ShiqiYu/libfacedetection.train, Apache-2.0. Trained on WIDER FACE. The decoding is written
anew from the paper: anchor-free, one prediction a cell at strides 8, 16 and 32.

The file is not part of this package: `mesoscope bundle pull yunet` fetches it (`mesoscope.download`), or
``--face-model`` names it. Both graphs of free size and of a fixed size (640 or 320) are taken.

Input: (1, 3, h, w) float32 BGR in 0 … 255. Outputs, for each stride s in order: cls (1, n, 1), obj (1, n, 1),
bbox (1, n, 4), kps (1, n, 10), with n = h/s * w/s, cells row by row.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mesoscope.engine import DEFAULT_ENGINE, Session, engines
from mesoscope.errors import EngineError, UsageError
from mesoscope.faces.boxes import left_to_right, resized, without_duplicates
from mesoscope.faces.contract import FaceFinder, finders
from mesoscope.types import Box, Float32Array, FoundFace, UInt8Image

NAME = "yunet"
STRIDES = (8, 16, 32)
PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Kinds of output and their numbers per cell, in the graph's order."""
WORKING_SIDE = 640
"""Longest side in pixels at which is searched; smaller pictures are searched as they are."""
STEP = 128
"""Pictures are padded to multiples of this: an engine then meets at most 25 shapes, and compiles each once."""
FIXED_SIDES = (640, 320)
"""Sizes of published graphs that take one size only."""
THRESHOLD = 0.75
OVERLAP = 0.3
FRAME_SIDE = 0.93
"""dlib's box over YuNet's: side / sqrt(width * height), median over faces that both found."""


class YuNet:
    """Finds faces down to about ten pixels at `WORKING_SIDE`, in profile too; scores lie in [0, 1].

    Args:
        session: the opened graph.
        fixed: side of the square input in pixels, where the graph takes no other, else None.
    """

    name = NAME

    def __init__(self, session: Session, fixed: int | None = None) -> None:
        self._session = session
        self._fixed = fixed
        self._one_at_a_time = threading.Lock()

    def __call__(self, pixels: UInt8Image) -> list[FoundFace]:
        """Find faces, framed as dlib frames them; see `FaceFinder`."""
        return left_to_right(framed_as_dlib(face) for face in self.find_unframed(pixels))

    def find_unframed(self, pixels: UInt8Image) -> list[FoundFace]:
        """Find faces in YuNet's own framing (forehead to chin, ear to ear), left to right, with landmarks."""
        factor = min(1.0, (self._fixed or WORKING_SIDE) / max(pixels.shape[:2]))
        found = self._search(pixels, factor)
        if not found:  # a face that fills the picture is beyond the sizes it was trained on
            found = self._search(pixels, factor / 2)
        return without_duplicates(found, OVERLAP)

    def _search(self, pixels: UInt8Image, factor: float) -> list[FoundFace]:
        searched = resized(pixels, factor)
        height, width = searched.shape[:2]
        batch = to_canvas(searched, self._fixed)
        with self._one_at_a_time:
            outputs = self._session(batch)
        scale = np.array([pixels.shape[1] / width, pixels.shape[0] / height], np.float32)
        return decode(outputs, batch.shape[2:], scale, THRESHOLD)


def to_canvas(pixels: UInt8Image, fixed: int | None = None) -> Float32Array:
    """The graph's input: (1, 3, h, w) float32 BGR, padded with black at the right and at the bottom.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        fixed: side of a square h = w, not below H and W; None for the next multiples of `STEP`.
    """
    height, width = pixels.shape[:2]
    padded = (fixed, fixed) if fixed else (-(-height // STEP) * STEP, -(-width // STEP) * STEP)
    canvas = np.zeros((1, 3, *padded), np.float32)
    canvas[0, :, :height, :width] = pixels[..., ::-1].transpose(2, 0, 1)
    return canvas


def decode(
    outputs: Sequence[Float32Array], size: tuple[int, ...], scale: Float32Array, threshold: float
) -> list[FoundFace]:
    """Faces from the graph's outputs, duplicates included, in no order.

    A cell in column c and row r predicts the box's centre ((c, r) + bbox[:2]) * stride, its width and height
    exp(bbox[2:]) * stride, five landmarks ((c, r) + kps) * stride, and the score sqrt(cls * obj).

    Args:
        outputs: the twelve outputs in the graph's order.
        size: (h, w) of the input.
        scale: (2,) float32: pixels of the picture per pixel of the input, in x and y.
        threshold: least score.
    """
    faces: list[FoundFace] = []
    count = len(STRIDES)
    for level, stride in enumerate(STRIDES):
        cls, obj, bbox, kps = (outputs[level + part * count][0] for part in range(len(PARTS)))
        scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        for cell in np.flatnonzero(scores >= threshold):
            corner = np.array([cell % (size[1] // stride), cell // (size[1] // stride)], np.float32)
            center = (corner + bbox[cell, :2]) * stride * scale
            half = np.exp(bbox[cell, 2:]) * stride * scale / 2
            landmarks = ((corner + kps[cell].reshape(5, 2)) * stride * scale).astype(np.float32)
            box = Box(*(center - half).tolist(), *(center + half).tolist())
            faces.append(FoundFace(box, float(scores[cell]), landmarks))
    return faces


def framed_as_dlib(face: FoundFace) -> FoundFace:
    """Convert YuNet's framing to dlib's: a square around the mean of the landmarks, a little smaller.

    ``benchmarks/faces_framing.py`` measures it: the landmarks' mean lies where dlib puts the middle of a box
    (YuNet's own middle lies higher, by its share of forehead), and the sides' ratio is `FRAME_SIDE`.
    """
    if face.landmarks is None:
        raise ValueError("a face of YuNet has landmarks")
    x, y = (float(value) for value in face.landmarks.mean(axis=0))
    half = FRAME_SIDE * face.box.area**0.5 / 2
    return FoundFace(Box(x - half, y - half, x + half, y + half), face.score, face.landmarks)


@finders.register(NAME)
def open_yunet(model: Path | None) -> FaceFinder:
    """Open YuNet from a file, or from where `mesoscope bundle pull yunet` puts it.

    Raises:
        UsageError: there is no such file, or it is not a YuNet graph.
    """
    # brings urllib, which takes longer to import than the rest of this package, for nothing where dlib is used
    from mesoscope.download import find_download, user_model_directory  # noqa: PLC0415

    path = model or user_model_directory() / find_download(NAME).filename
    if not path.is_file():
        where = f"there is no file {path}" if model else "the face finder 'yunet' has no model file yet"
        raise UsageError(
            f"{where}; fetch it with: mesoscope bundle pull yunet - or name a copy with --face-model FILE"
        )
    try:
        session = engines[DEFAULT_ENGINE](path, 0)
    except EngineError as error:
        raise UsageError(f"{path} is not a YuNet graph: {error}") from None
    for side, fixed in ((STEP, None), *((side, side) for side in FIXED_SIDES)):
        if _answers_like_yunet(session, side):
            return YuNet(session, fixed)
    raise UsageError(
        f"{path} is not a YuNet graph: those take (1, 3, h, w) and give cls, obj, bbox and kps at strides "
        "8, 16 and 32; fetch one with: mesoscope bundle pull yunet"
    )


def _answers_like_yunet(session: Session, side: int) -> bool:
    """Whether a graph takes a square of that side and gives what YuNet gives."""
    try:
        outputs = session(np.zeros((1, 3, side, side), np.float32))
    except (RuntimeError, EngineError):  # the graph takes another size, or something else altogether
        return False
    wanted = [(1, (side // stride) ** 2, numbers) for numbers in PARTS.values() for stride in STRIDES]
    return [output.shape for output in outputs] == wanted
