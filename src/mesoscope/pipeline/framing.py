"""What of a picture is judged: every face, cut out as the bundle wants it, or the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

from mesoscope.faces import FaceFinder
from mesoscope.preprocess import Preprocess, crop, square_around, to_input
from mesoscope.types import Box, Float32Array, FoundFace, UInt8Image


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A face (or a whole picture) on its way to the network.

    Attributes:
        face: as found.
        area: what was cut out, in pixels of the picture; may reach over its edge.
        input: (3, S, S) float32 for the network, or None where `reason` says why there can be no answer.
        reason: see there.
    """

    face: FoundFace
    area: Box
    input: Float32Array | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Framing:
    """How faces are found and cut out, for one bundle.

    Attributes:
        spec: the bundle's preprocessing.
        finder: None where the whole picture is judged (face crops, or a bundle that judges pictures).
    """

    spec: Preprocess
    finder: FaceFinder | None

    def find(self, pixels: UInt8Image) -> list[FoundFace]:
        """The faces of an upright (H, W, 3) uint8 picture; without a finder, one as large as the picture."""
        if self.finder is not None:
            return self.finder(pixels)
        height, width = pixels.shape[:2]
        return [FoundFace(Box(0, 0, width, height))]

    def cut(self, pixels: UInt8Image, face: FoundFace) -> Candidate:
        """Cut one face out and square it; a face that is too small for the bundle stays without input."""
        area = face.box if self.finder is None else square_around(face.box, self.spec.margin)
        side = min(face.box.width, face.box.height)
        if side < self.spec.min_face:
            what = "picture" if self.finder is None else "face"
            return Candidate(
                face, area, None, f"{what} too small: {side:.0f} pixels, the bundle needs {self.spec.min_face}"
            )
        return Candidate(face, area, to_input(crop(pixels, area), self.spec))
