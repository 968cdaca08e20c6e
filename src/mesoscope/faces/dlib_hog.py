"""dlib's frontal face detector: built in, no download.

Method: histograms of oriented gradients under five linear filters (frontal, two turned, two rotated).
Source: D. E. King, "Max-Margin Object Detection", arXiv:1502.00046 (2015); dlib's
``get_frontal_face_detector``, from the dlib-bin wheel. Licence of code and filters: Boost Software License 1.0.

The filters look at windows of 80 pixels and more, want to see past the edge of the face, and see nothing in
the dark. Hence up to three searches, measured in ``docs/faces.md``; the first that finds a face ends it:

1. the picture doubled, or as large as fits `WORKING_SIDE` where it is large itself: the smallest face that
   is found is 40 pixels wide, and a sixteenth of the longest side in pictures above 1280 pixels;
2. half that size, with a rim of repeated edge pixels, for crops in which the face touches the edge;
3. for dark pictures, the first again with the picture brightened (for the search alone).
"""

from __future__ import annotations

import copy
import threading
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.faces.boxes import resized, without_duplicates
from mesoscope.faces.contract import FaceFinder, finders
from mesoscope.types import Box, FoundFace, UInt8Image

if TYPE_CHECKING:
    import dlib

NAME = "dlib"
DETECTOR_FILE = "dlib_frontal.svm"
"""Five linear filters in dlib's own format, 155 KB; its licence lies beside it."""
WORKING_SIDE = 1280
"""Longest side in pixels at which is searched: bounds the time for a picture (about 0.1 s a core)."""
LARGEST_UPSAMPLING = 2.0
THRESHOLD = 0.0
"""Scores are distances to the separating plane; 0 is dlib's own choice."""
LATER_THRESHOLD = -0.1
"""That of the second and third search."""
RIM = 0.25
"""Width of the second search's rim over the longer side."""
DARK = 64
"""A picture is dark where half of its values lie below this (of 255)."""
OVERLAP = 0.3
"""Boxes of one person from several filters or scales overlap more than this; two persons' faces do not."""


class DlibHog:
    """Finds upright and slightly turned faces; `FoundFace.score` is the distance to the separating plane."""

    name = NAME

    def __init__(self, detector: dlib.fhog_object_detector) -> None:
        # dlib lets other threads run while a detector, which keeps its last picture, is searching
        self._detector = detector
        self._own = threading.local()

    def __call__(self, pixels: UInt8Image) -> list[FoundFace]:
        """Find faces; see `FaceFinder`."""
        factor = min(LARGEST_UPSAMPLING, WORKING_SIDE / max(pixels.shape[:2]))
        found = self._search(pixels, factor, THRESHOLD)
        if not found:
            found = self._search(pixels, factor / 2, LATER_THRESHOLD, rim=RIM)
        if not found and np.median(pixels) < DARK:
            found = self._search(brightened(pixels), factor, LATER_THRESHOLD)
        return without_duplicates(found, OVERLAP)

    def _search(self, pixels: UInt8Image, factor: float, threshold: float, rim: float = 0) -> list[FoundFace]:
        searched = resized(pixels, factor)
        x, y = searched.shape[1] / pixels.shape[1], searched.shape[0] / pixels.shape[0]
        width = round(rim * max(searched.shape[:2]))
        if width:
            searched = np.pad(searched, ((width, width), (width, width), (0, 0)), mode="edge")
        boxes, scores, _ = self._this_threads().run(np.ascontiguousarray(searched), 0, threshold)
        return [
            FoundFace(
                # dlib's right and bottom are the last pixels inside
                Box(
                    (box.left() - width) / x,
                    (box.top() - width) / y,
                    (box.right() + 1 - width) / x,
                    (box.bottom() + 1 - width) / y,
                ),
                float(score),
            )
            for box, score in zip(boxes, scores, strict=True)
        ]

    def _this_threads(self) -> dlib.fhog_object_detector:
        if not hasattr(self._own, "detector"):
            self._own.detector = copy.deepcopy(self._detector)
        return self._own.detector


def brightened(pixels: UInt8Image) -> UInt8Image:
    """A copy stretched to the full range and lifted in the shadows (gamma 0.4)."""
    brightest = max(1.0, float(np.percentile(pixels, 99.5)))
    table = 255 * np.clip(np.arange(256) / brightest, 0, 1) ** 0.4
    return table.round().astype(np.uint8)[pixels]


@finders.register(NAME)
def open_dlib(model: Path | None) -> FaceFinder:
    """Open dlib's frontal face detector.

    Raises:
        UsageError: a model file was given; the detector is built in.
    """
    if model is not None:
        raise UsageError(f"the face finder {NAME!r} is built in and takes no model file; leave out --face-model")
    import dlib  # noqa: PLC0415 - 4 MB that users of other finders need not load

    # the detector that get_frontal_face_detector() unpacks, saved by scripts/save_dlib_detector.py: 0.26 s less
    with resources.as_file(resources.files("mesoscope.faces") / DETECTOR_FILE) as path:
        return DlibHog(dlib.fhog_object_detector(str(path)))
